import { currentTime } from '@indbakke/shared/clock';
import { HOUR, SECOND } from '@indbakke/shared/config';
import { type Parts, repeat, type Work } from '@indbakke/shared/service';
import type { Uploads } from './delivery/uploads.js';
import { sweepOrphans } from './intake/sweep-orphans.js';

/** The receiver’s sweeps. Its jobs are those of SF2900. */
export function createWork(parts: Parts, uploads: Uploads): Pick<Work, 'sweeps'> {
  return {
    sweeps: [
      repeat('sweep-orphans', HOUR, parts.log, () => sweepOrphans(parts, currentTime())),
      repeat('check-uploads', SECOND, parts.log, async () => uploads.check()),
    ],
  };
}
