import { createApi } from '@indbakke/shared/http';
import { type Parts, type Running, type Service, serve } from '@indbakke/shared/service';
import type { ArchiverConfig } from './config.js';
import { bindDeletion } from './deletion/routes.js';
import { bindRejection } from './rejection/routes.js';
import { createWork } from './worker.js';
import { bindZip } from './zip/routes.js';

/** Zip downloads, rejection and deletion. */
export function createArchiver(parts: Parts): Service {
  const { router, bind } = createApi(parts);
  bindZip(bind, parts);
  bindRejection(bind, parts);
  bindDeletion(bind, parts);
  return { name: 'archiver', router, ...createWork(parts) };
}

/** Runs the archiver as a process of its own. */
export function startArchiver(config: ArchiverConfig): Promise<Running> {
  return serve(config, 'archiver', [createArchiver]);
}

export { ArchiverConfig } from './config.js';
