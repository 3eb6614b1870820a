import { HOUR, SECOND } from '@indbakke/shared/config';
import { sweepIdempotencyKeys } from '@indbakke/shared/idempotency';
import { SUGGEST_CASE, worker } from '@indbakke/shared/queue';
import { type Parts, repeat, type Work } from '@indbakke/shared/service';
import type { JournalerConfig } from './config.js';
import { createSuggestCaseHandler } from './suggestion/handle-suggest-case.js';
import { sweepOverdueSuggestions } from './suggestion/sweep.js';

/** The journaler’s jobs, and the sweeps of jobs that the queue lost and of answers that need not be kept any more. */
export function createWork(parts: Parts, config: JournalerConfig): Work {
  return {
    jobs: [worker(SUGGEST_CASE, config.SUGGEST_CONCURRENCY, createSuggestCaseHandler(parts))],
    sweeps: [
      repeat('sweep-overdue-suggestions', 10 * SECOND, parts.log, () => sweepOverdueSuggestions(parts)),
      repeat('sweep-idempotency-keys', HOUR, parts.log, () => sweepIdempotencyKeys(parts.store), 0),
    ],
  };
}
