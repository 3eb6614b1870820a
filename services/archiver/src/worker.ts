import { HOUR, MINUTE, SECOND } from '@indbakke/shared/config';
import { worker } from '@indbakke/shared/queue';
import { type Parts, repeat, type Work } from '@indbakke/shared/service';
import { createMakePackageHandler, MAKE_PACKAGE } from './access-packages/make-package.js';
import { sweepDuePackages, sweepExpiredPackages } from './access-packages/sweeps.js';
import type { ArchiverConfig } from './config.js';
import { sweepContentRemovals } from './deletion/remove-content.js';
import { ledgerWriter } from './deletion-ledger/write-ledger.js';
import { dropAuditMonths, makeAuditMonths } from './retention/audit-months.js';
import { sweepOldQuarantine } from './retention/quarantine.js';
import { nightlyScrub } from './scrub/nightly.js';
import { resetTraining } from './training/reset.js';

// A package reads everything about a citizen, and nobody waits at the screen for it.
const CONCURRENT_PACKAGES = 1;

/** Its job makes access packages. Its sweeps finish interrupted deletions, reset training municipalities, and keep the months of the audit log. */
export function createWork(parts: Parts, config: ArchiverConfig): Work {
  const { log } = parts;
  return {
    jobs: [worker(MAKE_PACKAGE, CONCURRENT_PACKAGES, createMakePackageHandler(parts, config))],
    sweeps: [
      repeat('sweep-content-removals', 10 * SECOND, log, () => sweepContentRemovals(parts)),
      repeat('write-deletion-ledger', 5 * SECOND, log, ledgerWriter(parts, config)),
      repeat('reset-training', 2 * SECOND, log, () => resetTraining(parts)), // somebody waits at a terminal
      repeat('sweep-due-packages', 10 * SECOND, log, () => sweepDuePackages(parts, new Date())),
      repeat('sweep-expired-packages', MINUTE, log, () => sweepExpiredPackages(parts, new Date())),
      // Three months ahead, so hourly is enough; at start, in case the service was off for months.
      repeat('make-audit-months', HOUR, log, () => makeAuditMonths(parts, config.AUDIT_KEEP_MONTHS), 0),
      repeat('drop-audit-months', HOUR, log, () => dropAuditMonths(parts, config.AUDIT_KEEP_MONTHS), 0),
      nightlyScrub(parts, config),
      repeat('sweep-old-quarantine', HOUR, log, () => sweepOldQuarantine(parts, config.QUARANTINE_KEEP_DAYS), 0),
    ],
  };
}
