import { HashingThread } from '@indbakke/shared/content';
import { type Parts, type Running, type Service, serve } from '@indbakke/shared/service';
import { Router } from 'express';
import { openCallers } from './callers/open-callers.js';
import type { ReceiverConfig } from './config.js';
import { createDeliveryMetrics } from './delivery/metrics.js';
import { createUploads } from './delivery/uploads.js';
import { createStoreMessage } from './intake/store-messages.js';
import { createQuarantine } from './quarantine/quarantine.js';
import { sf1606Routes } from './sf1606/routes.js';
import { observeUnsent } from './sf2900/metrics.js';
import { requireRecipient } from './sf2900/sending/settings.js';
import { recipientEndpoint } from './sf2900/soap.js';
import { createSf2900Work } from './sf2900/work.js';
import { createWork } from './worker.js';

/** Accepts or refuses deliveries: `/sf1606` and `/sf2900`. */
export async function createReceiver(parts: Parts, config: ReceiverConfig): Promise<Service> {
  const { callers, refused, secure, sweeps } = await openCallers(parts, config);
  observeUnsent(parts);
  const metrics = createDeliveryMetrics(parts.metrics.registry, config.MAX_UPLOADS);
  const hashingThread = new HashingThread();
  const endpoint = {
    ...parts,
    config,
    callers,
    refused,
    storeMessage: createStoreMessage(parts, config),
    quarantine: createQuarantine(parts, config),
    hashingThread,
    metrics,
    uploads: createUploads(config, metrics),
  };
  const router = Router();
  router.use(sf1606Routes(endpoint));
  requireRecipient(config);
  const sf2900 = config.SF2900 === 'on' ? await createSf2900Work(parts, config, hashingThread) : undefined;
  if (sf2900) router.use(recipientEndpoint(endpoint, sf2900.wake));
  const work = createWork(parts, endpoint.uploads);
  return {
    name: 'receiver',
    router,
    jobs: sf2900?.jobs ?? [],
    sweeps: [...work.sweeps, ...(sf2900?.sweeps ?? []), ...sweeps],
    ...(secure && { secure }),
  };
}

/** Runs the receiver as a process of its own. */
export function startReceiver(config: ReceiverConfig): Promise<Running> {
  return serve(config, 'receiver', [(parts) => createReceiver(parts, config)]);
}

export { ReceiverConfig } from './config.js';
export { sweepOrphans } from './intake/sweep-orphans.js';
export { DISTRIBUTION_SCHEMAS } from './sf2900/wsdl/schemas.js';
