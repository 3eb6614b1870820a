import { currentTime } from '@indbakke/shared/clock';
import { HOUR, MINUTE, SECOND } from '@indbakke/shared/config';
import { sweepContentRemovals } from '@indbakke/shared/inbox';
import { worker } from '@indbakke/shared/queue';
import { type Parts, repeat, type Work } from '@indbakke/shared/service';
import { createMakePackageHandler, MAKE_PACKAGE } from './access-packages/make-package.js';
import { sweepDuePackages, sweepExpiredPackages } from './access-packages/sweeps.js';
import type { ArchiverConfig } from './config.js';
import { destroyDue } from './deletion/destroy-due.js';
import { ledgerWriter } from './deletion-ledger/write-ledger.js';
import { endDueOffers } from './handover/sweep.js';
import { dropAuditMonths, makeAuditMonths } from './retention/audit-months.js';
import { removeDueContent } from './retention/content.js';
import { sweepOldQuarantine } from './retention/quarantine.js';
import { nightlyScrub } from './scrub/nightly.js';
import { resetTraining } from './training/reset.js';
import { createMakeZipHandler, MAKE_ZIP } from './zip-downloads/make-zip.js';
import { sweepDueZips, sweepExpiredZips } from './zip-downloads/sweeps.js';

// A package reads everything about a citizen, and nobody waits at the screen for it.
const CONCURRENT_PACKAGES = 1;

// Two at once are made hardly quicker, and letters that come meanwhile wait longer (docs/results/bench-zip-jobs.md).
const CONCURRENT_ZIPS = 1;

/** Its jobs make access packages and zips. Its sweeps destroy what is due, finish interrupted deletions, reset training municipalities, remove content that is not kept any longer, and keep the months of the audit log. */
export function createWork(parts: Parts, config: ArchiverConfig): Work {
  const { log } = parts;
  return {
    jobs: [
      worker(MAKE_PACKAGE, CONCURRENT_PACKAGES, createMakePackageHandler(parts, config)),
      worker(MAKE_ZIP, CONCURRENT_ZIPS, createMakeZipHandler(parts, config)),
    ],
    sweeps: [
      repeat('sweep-content-removals', 10 * SECOND, log, () => sweepContentRemovals(parts)),
      repeat('destroy-due', 10 * SECOND, log, () => destroyDue(parts, currentTime())),
      repeat('write-deletion-ledger', 5 * SECOND, log, ledgerWriter(parts, config)),
      repeat('reset-training', 2 * SECOND, log, () => resetTraining(parts)), // somebody waits at a terminal
      repeat('end-due-offers', 10 * SECOND, log, () => endDueOffers(parts, currentTime())),
      repeat('sweep-due-packages', 10 * SECOND, log, () => sweepDuePackages(parts, currentTime())),
      repeat('sweep-expired-packages', MINUTE, log, () => sweepExpiredPackages(parts, currentTime())),
      repeat('sweep-due-zips', 10 * SECOND, log, () => sweepDueZips(parts, currentTime())),
      repeat('sweep-expired-zips', MINUTE, log, () => sweepExpiredZips(parts, currentTime())),
      repeat('remove-due-content', 10 * MINUTE, log, () => removeDueContent(parts, currentTime()), 0),
      // Three months ahead, so hourly is enough; at start, in case the service was off for months.
      repeat('make-audit-months', HOUR, log, () => makeAuditMonths(parts, config.AUDIT_KEEP_MONTHS), 0),
      repeat('drop-audit-months', HOUR, log, () => dropAuditMonths(parts, config.AUDIT_KEEP_MONTHS), 0),
      nightlyScrub(parts, config),
      repeat('sweep-old-quarantine', HOUR, log, () => sweepOldQuarantine(parts, config.QUARANTINE_KEEP_DAYS), 0),
    ],
  };
}
