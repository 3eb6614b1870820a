import { SUGGEST_CASE, type SuggestCaseEnqueuer } from '@indbakke/shared/queue';
import { type Parts, repeat } from '@indbakke/shared/service';
import type { JournalerConfig } from './config.js';
import { createSuggestCaseHandler } from './suggestion/handle-suggest-case.js';
import { sweepNotLookedAt } from './suggestion/sweep.js';

const SWEEP_EVERY_MS = 10_000;

/** What the journaler does without being asked: works the queue `suggest-case`, and sweeps what the queue lost. */
export function createWork(parts: Parts, enqueuer: SuggestCaseEnqueuer, config: JournalerConfig) {
  const { store, queues, log } = parts;
  const sweep = repeat('sweep-not-looked-at', SWEEP_EVERY_MS, log, async () => {
    const count = await sweepNotLookedAt(store, enqueuer);
    if (count > 0) log.warn('swept', { count });
  });
  return {
    start() {
      queues.work(SUGGEST_CASE, config.SUGGEST_CONCURRENCY, createSuggestCaseHandler(parts));
      sweep.start();
    },
    async stop() {
      await sweep.stop();
      await enqueuer.flush();
    },
  };
}
