import { HOUR, SECOND } from '@indbakke/shared/config';
import { type Parts, repeat, type Work } from '@indbakke/shared/service';
import { sweepContentRemovals } from './deletion/remove-content.js';

/** The archiver has no jobs. Its sweeps finish interrupted deletions and create the audit log’s next partitions. */
export function createWork(parts: Parts): Work {
  const { store, log } = parts;
  return {
    jobs: [],
    sweeps: [
      repeat('sweep-content-removals', 10 * SECOND, log, () => sweepContentRemovals(parts)),
      // Partitions are created three months ahead, so hourly is enough; at start, in case the service was off for months.
      repeat('make-audit-months', HOUR, log, () => store.sweep('SELECT make_audit_months()'), 0),
    ],
  };
}
