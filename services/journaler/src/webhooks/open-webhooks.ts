import { HOUR, SECOND } from '@indbakke/shared/config';
import { worker } from '@indbakke/shared/queue';
import { type Parts, repeat, type Work } from '@indbakke/shared/service';
import { isStoreUnavailable } from '@indbakke/shared/store';
import type { JournalerConfig } from '../config.js';
import { createDeliverWebhookHandler, DELIVER_WEBHOOK } from './deliver-webhook.js';
import { enqueueDue, makeDeliveries, sweepOldDeliveries } from './dispatch.js';
import { observeWebhooks } from './metrics.js';
import { createTargets, type Targets } from './targets.js';

// Each may wait 10 seconds for its receiver; of one webhook there are 8 at most.
const CONCURRENT_DELIVERIES = 64;

/** The work behind webhooks: deliveries of the events that have a position, and their attempts. */
export interface Webhooks extends Work {
  readonly targets: Targets;
  /** Call it when there are new events, or something is due. */
  readonly wake: () => void;
}

export function openWebhooks(
  parts: Parts,
  { EVENTS_KEEP_DAYS: keepDays, WEBHOOK_ALLOW: allow = [] }: JournalerConfig,
): Webhooks {
  const { store, log } = parts;
  const targets = createTargets(allow);
  const metrics = observeWebhooks(parts.metrics, store);
  const dispatcher = repeat('dispatch-webhooks', SECOND, log, () =>
    dispatch(parts).catch((error: unknown) => {
      // The state of the database says so already, not every second.
      if (!isStoreUnavailable(error)) throw error;
    }),
  );
  const wake = () => dispatcher.wake();
  const deliver = createDeliverWebhookHandler(parts, { targets, metrics, more: wake });
  return {
    targets,
    wake,
    jobs: [worker(DELIVER_WEBHOOK, CONCURRENT_DELIVERIES, deliver)],
    sweeps: [
      dispatcher,
      repeat('sweep-old-deliveries', HOUR, log, () => sweepOldDeliveries(parts, keepDays, new Date())),
    ],
  };
}

/** Makes and enqueues all deliveries that are due. */
export async function dispatch(parts: Pick<Parts, 'store' | 'queues'>): Promise<void> {
  while (await makeDeliveries(parts));
  await enqueueDue(parts);
}
