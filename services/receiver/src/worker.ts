import { HOUR } from '@indbakke/shared/config';
import { type Parts, repeat, type Work } from '@indbakke/shared/service';
import { sweepOrphans } from './intake/sweep-orphans.js';

/** The receiver has no jobs, and one sweep. */
export function createWork(parts: Parts): Work {
  return {
    jobs: [],
    sweeps: [repeat('sweep-orphans', HOUR, parts.log, () => sweepOrphans(parts, new Date()))],
  };
}
