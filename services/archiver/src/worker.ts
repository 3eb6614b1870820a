import { HOUR, SECOND } from '@indbakke/shared/config';
import { type Parts, repeat } from '@indbakke/shared/service';
import { sweepContentRemovals } from './deletion/remove-content.js';

const REMOVALS_EVERY = 10 * SECOND;
// The months are made three ahead, so any hour of those will do.
const AUDIT_MONTHS_EVERY = HOUR;

/** What the archiver does without being asked: finishes deletions, and makes room for the audit log of coming months. */
export function createWork(parts: Parts) {
  const { store, log } = parts;
  const sweeps = [
    repeat('sweep-content-removals', REMOVALS_EVERY, log, async () => {
      const count = await sweepContentRemovals(parts);
      if (count > 0) log.warn('swept', { count });
    }),
    repeat(
      'make-audit-months',
      AUDIT_MONTHS_EVERY,
      log,
      async () => {
        await store.sweep('SELECT make_audit_months()');
      },
      0, // a stack that was off for months must not write its first rows where no month is
    ),
  ];
  return {
    start() {
      for (const sweep of sweeps) sweep.start();
    },
    async stop() {
      await Promise.all(sweeps.map((sweep) => sweep.stop()));
    },
  };
}
