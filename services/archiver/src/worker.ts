import { HOUR, SECOND } from '@indbakke/shared/config';
import { type Parts, repeat, type Work } from '@indbakke/shared/service';
import { sweepContentRemovals } from './deletion/remove-content.js';

/** What the archiver does without being asked: no jobs, deletions that broke off, and room for the audit log of coming months. */
export function createWork(parts: Parts): Work {
  const { store, log } = parts;
  return {
    jobs: [],
    sweeps: [
      repeat('sweep-content-removals', 10 * SECOND, log, () => sweepContentRemovals(parts)),
      // Three months ahead, so any hour will do; but at once after months off, or the first rows would be where no month is.
      repeat('make-audit-months', HOUR, log, () => store.sweep('SELECT make_audit_months()'), 0),
    ],
  };
}
