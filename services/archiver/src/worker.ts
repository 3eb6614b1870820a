import { type Parts, repeat } from '@indbakke/shared/service';
import { sweepContentRemovals } from './deletion/remove-content.js';

const SWEEP_EVERY_MS = 10_000;

/** What the archiver does without being asked: finishes deletions whose content is not removed yet. */
export function createWork(parts: Parts) {
  const sweep = repeat('sweep-content-removals', SWEEP_EVERY_MS, parts.log, async () => {
    const count = await sweepContentRemovals(parts);
    if (count > 0) parts.log.warn('swept', { count });
  });
  return {
    start: () => sweep.start(),
    stop: () => sweep.stop(),
  };
}
