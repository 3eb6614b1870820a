import { HashingThread } from '@indbakke/shared/content';
import { createSuggestCaseEnqueuer } from '@indbakke/shared/queue';
import { type Parts, type Running, type Service, serve } from '@indbakke/shared/service';
import { Router } from 'express';
import type { ReceiverConfig } from './config.js';
import { createStoreMessage } from './intake/store-messages.js';
import { restMouth } from './sf1606/rest.js';
import { soapMouth } from './sf1606/soap.js';
import { countUploads } from './sf1606/uploads.js';
import { createWork } from './worker.js';

/** Takes mail in and answers accept or refuse: `/sf1606` (and later `/sf2900`). */
export function createReceiver(parts: Parts, config: ReceiverConfig): Service {
  const enqueuer = createSuggestCaseEnqueuer(parts.queues, parts.log);
  const intake = {
    ...parts,
    enqueuer,
    config,
    storeMessage: createStoreMessage(parts.store),
    hashingThread: new HashingThread(),
  };
  const uploads = countUploads(config, parts.metrics);
  const router = Router();
  router.use(restMouth(intake, uploads, parts.metrics));
  if (config.SF1606_SOAP === 'on') router.use(soapMouth(intake, uploads, parts.metrics));
  return { name: 'receiver', router, ...createWork(parts, enqueuer) };
}

/** Runs the receiver by itself. */
export function startReceiver(config: ReceiverConfig): Promise<Running> {
  return serve(config, 'receiver', [(parts) => createReceiver(parts, config)]);
}

export { ReceiverConfig } from './config.js';
export { sweepOrphans } from './intake/sweep-orphans.js';
