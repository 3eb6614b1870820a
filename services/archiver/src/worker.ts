import { HOUR, SECOND } from '@indbakke/shared/config';
import { type Parts, repeat, type Work } from '@indbakke/shared/service';
import type { ArchiverConfig } from './config.js';
import { sweepContentRemovals } from './deletion/remove-content.js';
import { dropAuditMonths, makeAuditMonths } from './retention/audit-months.js';

/** The archiver has no jobs. Its sweeps finish interrupted deletions and keep the months of the audit log. */
export function createWork(parts: Parts, config: ArchiverConfig): Work {
  const { log } = parts;
  return {
    jobs: [],
    sweeps: [
      repeat('sweep-content-removals', 10 * SECOND, log, () => sweepContentRemovals(parts)),
      // Three months ahead, so hourly is enough; at start, in case the service was off for months.
      repeat('make-audit-months', HOUR, log, () => makeAuditMonths(parts, config.AUDIT_KEEP_MONTHS), 0),
      repeat('drop-audit-months', HOUR, log, () => dropAuditMonths(parts, config.AUDIT_KEEP_MONTHS), 0),
    ],
  };
}
