import { currentTime } from '@indbakke/shared/clock';
import { HOUR, SECOND } from '@indbakke/shared/config';
import { worker } from '@indbakke/shared/queue';
import { type Parts, repeat, type Work } from '@indbakke/shared/service';
import { isStoreUnavailable } from '@indbakke/shared/store';
import type { JournalerConfig } from '../config.js';
import { createDeliverWebhookHandler, DELIVER_WEBHOOK } from './deliver-webhook.js';
import { enqueueDeliveries, type Made, makeDeliveries, sweepOldDeliveries } from './dispatch.js';
import { observeWebhooks } from './metrics.js';
import { createTargets, type Targets } from './targets.js';

// Each may wait 10 seconds for its receiver, without a connection to the database. All those of one municipality (20 webhooks,
// 8 of each) leave room for others.
const CONCURRENT_DELIVERIES = 256;

/** The work behind webhooks: deliveries of the events that have a position, and their attempts. */
export interface Webhooks extends Work {
  readonly targets: Targets;
  /** Call it when a webhook was changed, or something is due. */
  readonly wake: () => void;
  /** Call it when there are new events. */
  readonly hear: () => void;
}

export function openWebhooks(
  parts: Parts,
  { EVENTS_KEEP_DAYS: keepDays, WEBHOOK_ALLOW: allow = [] }: JournalerConfig,
): Webhooks {
  const { store, log } = parts;
  const targets = createTargets(allow);
  const metrics = observeWebhooks(parts.metrics, store);
  let isAny = true;
  const dispatcher = repeat('dispatch-webhooks', SECOND, log, async () => {
    try {
      isAny = await dispatch(parts);
    } catch (error) {
      // The state of the database says so already, not every second.
      if (!isStoreUnavailable(error)) throw error;
    }
  });
  const wake = () => dispatcher.wake();
  const deliver = createDeliverWebhookHandler(parts, { targets, metrics, more: wake });
  return {
    targets,
    wake,
    // Without webhooks there is one statement a second, however much comes in.
    hear: () => isAny && dispatcher.wake(),
    jobs: [worker(DELIVER_WEBHOOK, CONCURRENT_DELIVERIES, deliver)],
    sweeps: [
      dispatcher,
      repeat('sweep-old-deliveries', HOUR, log, () => sweepOldDeliveries(parts, keepDays, currentTime())),
    ],
  };
}

/**
 * Makes and enqueues all deliveries that are due.
 *
 * @returns whether any webhook is active
 */
export async function dispatch(parts: Pick<Parts, 'store' | 'queues'>): Promise<boolean> {
  let made: Made;
  do made = await makeDeliveries(parts);
  while (made.hasMore);
  if (made.isAny) await enqueueDeliveries(parts);
  return made.isAny;
}
