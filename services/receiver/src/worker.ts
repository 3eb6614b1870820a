import { HOUR } from '@indbakke/shared/config';
import type { SuggestCaseEnqueuer } from '@indbakke/shared/queue';
import { type Parts, repeat } from '@indbakke/shared/service';
import { sweepOrphans } from './intake/sweep-orphans.js';

const ORPHANS_EVERY = HOUR;

/** What the receiver does without being asked: removes content that no message has. It works no queue. */
export function createWork(parts: Parts, enqueuer: SuggestCaseEnqueuer) {
  const orphans = repeat('sweep-orphans', ORPHANS_EVERY, parts.log, async () => {
    const count = await sweepOrphans(parts, new Date());
    if (count > 0) parts.log.warn('orphans-removed', { count });
  });
  return {
    start: () => orphans.start(),
    async stop() {
      await orphans.stop();
      await enqueuer.flush();
    },
  };
}
