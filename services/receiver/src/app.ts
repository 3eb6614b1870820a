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
import { recipientEndpoint } from './sf2900/soap.js';
import { createWork } from './worker.js';

/** Accepts or refuses deliveries: `/sf1606` and `/sf2900`. */
export async function createReceiver(parts: Parts, config: ReceiverConfig): Promise<Service> {
  const { callers, refused, secure, sweeps } = await openCallers(parts, config);
  const metrics = createDeliveryMetrics(parts.metrics.registry, config.MAX_UPLOADS);
  const endpoint = {
    ...parts,
    config,
    callers,
    refused,
    storeMessage: createStoreMessage(parts),
    quarantine: createQuarantine(parts, config),
    hashingThread: new HashingThread(),
    metrics,
    uploads: createUploads(config, metrics),
  };
  const router = Router();
  router.use(sf1606Routes(endpoint));
  if (config.SF2900 === 'on') router.use(recipientEndpoint(endpoint));
  const work = createWork(parts, endpoint.uploads);
  return { name: 'receiver', router, ...work, sweeps: [...work.sweeps, ...sweeps], ...(secure && { secure }) };
}

/** Runs the receiver as a process of its own. */
export function startReceiver(config: ReceiverConfig): Promise<Running> {
  return serve(config, 'receiver', [(parts) => createReceiver(parts, config)]);
}

export { ReceiverConfig } from './config.js';
export { sweepOrphans } from './intake/sweep-orphans.js';
export { DISTRIBUTION_SCHEMAS } from './sf2900/wsdl/schemas.js';
