import { sweepExpiredRevocations } from '@indbakke/shared/access';
import { currentTime } from '@indbakke/shared/clock';
import { DAY, HOUR, MINUTE, SECOND } from '@indbakke/shared/config';
import { sweepIdempotencyKeys } from '@indbakke/shared/idempotency';
import { SUGGEST_CASE, worker } from '@indbakke/shared/queue';
import { type Parts, repeat, type Work } from '@indbakke/shared/service';
import { sweepForgottenSubjects, sweepUnhashedMessages } from './audit/subjects.js';
import type { JournalerConfig } from './config.js';
import { createMakeExtractHandler, MAKE_EXTRACT } from './extracts/make-extract.js';
import { sweepDueExtracts, sweepExpiredExtractFiles } from './extracts/sweeps.js';
import { escalateHeldMessages, tellUnnamedCauses } from './set-up/escalate.js';
import { releaseHeldMessages } from './set-up/release-held.js';
import { createSuggestCaseHandler } from './suggestion/handle-suggest-case.js';
import { sweepDueSuggestions } from './suggestion/request-due-suggestions.js';
import { sweepOverdueSuggestions } from './suggestion/sweep.js';

// Most extracts are due at the same time in the morning, and nobody waits for one.
const CONCURRENT_EXTRACTS = 2;

/** The journaler’s jobs, the sweeps that enqueue them, and those of what need not be kept any more. */
export function createWork(parts: Parts, config: JournalerConfig): Work & { readonly wakeRelease: () => void } {
  const release = repeat('release-held-messages', 10 * SECOND, parts.log, () => releaseHeldMessages(parts));
  return {
    wakeRelease: () => release.wake(),
    jobs: [
      worker(SUGGEST_CASE, config.SUGGEST_CONCURRENCY, createSuggestCaseHandler(parts)),
      worker(MAKE_EXTRACT, CONCURRENT_EXTRACTS, createMakeExtractHandler(parts, config)),
    ],
    sweeps: [
      repeat('sweep-overdue-suggestions', 10 * SECOND, parts.log, () => sweepOverdueSuggestions(parts)),
      repeat('sweep-due-suggestions', 10 * SECOND, parts.log, () => sweepDueSuggestions(parts)),
      release,
      repeat('escalate-held-messages', MINUTE, parts.log, () => escalateHeldMessages(parts)),
      repeat('tell-unnamed-causes', DAY, parts.log, () => tellUnnamedCauses(parts), 0),
      repeat('sweep-due-extracts', 10 * SECOND, parts.log, () => sweepDueExtracts(parts, currentTime())),
      repeat('sweep-expired-extract-files', MINUTE, parts.log, () => sweepExpiredExtractFiles(parts, currentTime())),
      repeat('sweep-unhashed-messages', 10 * SECOND, parts.log, () => sweepUnhashedMessages(parts), 0),
      repeat('sweep-forgotten-subjects', HOUR, parts.log, () => sweepForgottenSubjects(parts)),
      repeat('sweep-expired-revocations', HOUR, parts.log, () => sweepExpiredRevocations(parts.store)),
      repeat('sweep-idempotency-keys', HOUR, parts.log, () => sweepIdempotencyKeys(parts.store), 0),
    ],
  };
}
