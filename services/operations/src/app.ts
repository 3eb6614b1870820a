import { type Parts, type Running, type Service, serve } from '@indbakke/shared/service';
import { Router } from 'express';
import type { OperationsConfig } from './config.js';
import { observeInstallation } from './metrics.js';
import { operationsPages } from './pages/routes.js';
import { queueConsole } from './queue-console/console.js';
import { createWork } from './worker.js';

/** The operations page, its sections, and the queue console. */
export function createOperations(parts: Parts, config: OperationsConfig): Service {
  observeInstallation({ ...parts, config });
  const operations = Router();
  operations.use(queueConsole(parts));
  operations.use(operationsPages({ ...parts, config }));
  return { name: 'operations', router: Router(), operations, ...createWork(parts, config) };
}

/** Runs the operations service as a process of its own. */
export function startOperations(config: OperationsConfig): Promise<Running> {
  return serve(config, 'operations', [(parts) => createOperations(parts, config)]);
}

export { OperationsConfig } from './config.js';
