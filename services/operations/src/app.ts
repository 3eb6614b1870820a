import { type Parts, type Running, type Service, serve } from '@indbakke/shared/service';
import { Router } from 'express';
import type { OperationsConfig } from './config.js';
import { observeLedger } from './ledger/differences.js';
import { operationsPages } from './pages/routes.js';
import { queueConsole } from './queue-console/console.js';
import { createWork } from './worker.js';

/** The operations page, its sections, and the queue console. */
export function createOperations(parts: Parts, config: OperationsConfig): Service {
  const operations = Router();
  observeLedger(parts);
  operations.use(queueConsole(parts));
  operations.use(operationsPages({ ...parts, config }));
  return { name: 'operations', router: Router(), operations, ...createWork(parts, config) };
}

/** Runs the operations service as a process of its own. */
export function startOperations(config: OperationsConfig): Promise<Running> {
  return serve(config, 'operations', [(parts) => createOperations(parts, config)]);
}

export { OperationsConfig } from './config.js';
export { checkDay } from './ledger/check-day.js';
export { checkDueDays } from './ledger/check-due.js';
export { compareList, PLACES, type Place } from './ledger/compare.js';
export { isRestored } from './ledger/database-id.js';
export { acceptDifferences, readAccepted, readDays } from './ledger/days.js';
export { KINDS, type Kind, readDifferences, recordDifferences } from './ledger/differences.js';
export { alone, catchUp } from './ledger/files.js';
export { LineReader } from './ledger/line-reader.js';
export { FATES, type Fate, type Line, openLedgerFolder } from './ledger/lines.js';
export { makeDueDays } from './ledger/make-days.js';
export { Pace } from './ledger/pace.js';
export { readLedger } from './ledger/verify.js';
export { findLost } from './restore/lost.js';
export { moveFeed } from './restore/move-feed.js';
export { sampleContent } from './restore/sample-content.js';
