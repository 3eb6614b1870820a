import { HOUR } from '@indbakke/shared/config';
import { type Parts, repeat, type Work } from '@indbakke/shared/service';
import { sweepOrphans } from './intake/sweep-orphans.js';

/** What the receiver does without being asked: no jobs, and the content that no message has. */
export function createWork(parts: Parts): Work {
  return {
    jobs: [],
    sweeps: [repeat('sweep-orphans', HOUR, parts.log, () => sweepOrphans(parts, new Date()))],
  };
}
