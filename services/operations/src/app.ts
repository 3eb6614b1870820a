import { type CreateService, type Running, serve } from '@indbakke/shared/service';
import type { OneTimeSecret } from '@indbakke/shared/sign-in';
import { Router } from 'express';
import type { OperationsConfig } from './config.js';
import { operationsPages } from './pages/routes.js';
import { queueConsole } from './queue-console/console.js';
import { createScrubbing } from './scrubbing.js';
import { signIn } from './sign-in/routes.js';
import { staticFiles } from './static.js';
import { createWork } from './worker.js';

/**
 * The operations pages, their sections, and the queue console.
 *
 * @param link of a local stack, which signs its reader in once
 */
export function createOperations(config: OperationsConfig, link?: OneTimeSecret): CreateService {
  return (common, askParts) => {
    const scrubbing = createScrubbing(common, config.DATABASE_URL);
    const parts = { ...common, config, scrubbing, askParts };
    const { jobs, sweeps } = createWork(parts, config);
    const operations = Router();
    operations.use(staticFiles(), signIn(parts, link), queueConsole(parts), operationsPages(parts));
    return { name: 'operations', router: Router(), operations, jobs, sweeps: [...sweeps, scrubbing] };
  };
}

/** Runs the operations service as a process of its own. */
export function startOperations(config: OperationsConfig): Promise<Running> {
  return serve(config, 'operations', [createOperations(config)]);
}

export { OperationsConfig } from './config.js';
