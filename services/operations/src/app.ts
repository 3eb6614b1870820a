import { type CreateService, type Running, serve } from '@indbakke/shared/service';
import type { OneTimeSecret } from '@indbakke/shared/sign-in';
import { Router } from 'express';
import type { OperationsConfig } from './config.js';
import { observeInstallation } from './metrics.js';
import { operationsPages } from './pages/routes.js';
import { queueConsole } from './queue-console/console.js';
import { remembered } from './remembered.js';
import { createScrubbing } from './scrubbing.js';
import { readSilence, SILENCE_MS } from './sections/silence.js';
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
    const silence = remembered(SILENCE_MS, () => readSilence(common)); // for all pages and scrapes
    const parts = { ...common, config, scrubbing, silence, askParts };
    observeInstallation(parts);
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
export { checkDay } from './ledger/check-day.js';
export { checkDueDays } from './ledger/check-due.js';
export { compareList, PLACES, type Place } from './ledger/compare.js';
export { isRestored } from './ledger/database-id.js';
export { acceptDifferences, readAccepted, readDays } from './ledger/days.js';
export { KINDS, type Kind, readDifferences, recordDifferences } from './ledger/differences.js';
export { alone, catchUp } from './ledger/files.js';
export { LineReader } from './ledger/line-reader.js';
export { FATES, type Fate, LEDGER_SUFFIX, type Line, openLedgerFolder } from './ledger/lines.js';
export { makeDueDays } from './ledger/make-days.js';
export { Pace } from './ledger/pace.js';
export { readLedger } from './ledger/verify.js';
export { findLost } from './restore/lost.js';
export { moveFeed } from './restore/move-feed.js';
export { sampleContent } from './restore/sample-content.js';
