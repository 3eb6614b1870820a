import { HOUR, SECOND } from '@indbakke/shared/config';
import { type Parts, repeat, type Work } from '@indbakke/shared/service';
import type { Uploads } from './delivery/uploads.js';
import { sweepOrphans } from './intake/sweep-orphans.js';

/** The receiver has no jobs. */
export function createWork(parts: Parts, uploads: Uploads): Work {
  return {
    jobs: [],
    sweeps: [
      repeat('sweep-orphans', HOUR, parts.log, () => sweepOrphans(parts, new Date())),
      repeat('check-uploads', SECOND, parts.log, async () => uploads.check()),
    ],
  };
}
