import { createBatcher } from '@indbakke/shared/batch';
import { currentTime } from '@indbakke/shared/clock';
import { announce } from '@indbakke/shared/crash-points';
import { digestOfParty } from '@indbakke/shared/keys';
import type { SuggestCaseData } from '@indbakke/shared/queue';
import type { Parts } from '@indbakke/shared/service';
import { isStoreUnavailable } from '@indbakke/shared/store';
import { currentTrace } from '@indbakke/shared/tracing';
import { loadLookups } from './load-lookups.js';
import { lockForSuggestion } from './lock-for-suggestion.js';
import { suggestCase } from './suggest-case.js';
import { writeSuggestions } from './write-suggestions.js';

// While one waits for the database, the jobs of the other are fetched from the queue. More would make the batches smaller.
const CONCURRENT_BATCHES = 2;
// Two batches hold all concurrent jobs (SUGGEST_CONCURRENCY: 128).
const MAX_BATCH = 64;

type SuggestionParts = Pick<Parts, 'store' | 'keys' | 'tally' | 'metrics'>;

/** A batch has jobs that different deliveries have led to. */
type TracedJob = SuggestCaseData & { readonly trace: string | undefined };

/**
 * Creates the job handler of one process. It stores the case that a message seems to belong to, and returns quietly when that
 * is done already, no longer wanted, or left to a later run.
 *
 * Concurrent jobs of one municipality share a transaction (docs/decisions/0015). A job fails when its own message cannot be
 * written, or the database is unavailable.
 */
export function createSuggestCaseHandler(parts: SuggestionParts): (job: SuggestCaseData) => Promise<void> {
  const batcher = createBatcher<TracedJob, void>({
    keyOf: ({ municipality }) => municipality,
    conflictOf: ({ messageId }) => messageId,
    maxBatch: MAX_BATCH,
    concurrency: CONCURRENT_BATCHES,
    run: async (municipality, jobs) => {
      await suggestAll(parts, municipality, jobs);
      return jobs.map(() => undefined);
    },
    isSharedFault: isStoreUnavailable,
  });
  return async (job) => {
    await batcher.add({ ...job, trace: currentTrace() });
    announce('suggestion-committed');
  };
}

/** The messages are locked first: requestSuggestions then waits, and starts another run with what these lookups missed. */
async function suggestAll(parts: SuggestionParts, municipality: string, jobs: readonly TracedJob[]): Promise<void> {
  const { store, keys } = parts;
  const results = await store.withTenantConnection(municipality, async (connection) => {
    const messages = await lockForSuggestion(connection, municipality, jobs);
    if (messages.length === 0) return [];
    const lookupFor = await loadLookups(
      connection,
      municipality,
      messages.flatMap(({ references }) => references),
    );
    const traces = new Map(jobs.map(({ messageId, trace }) => [messageId, trace]));
    const made = messages.map((message) => ({
      message,
      trace: traces.get(message.id),
      suggestion: suggestCase(message.references, lookupFor(digestOfParty(keys, message.senderId))),
    }));
    await writeSuggestions(connection, municipality, made, currentTime());
    return made;
  });
  for (const { message, suggestion } of results) {
    if (message.waited === null) continue;
    parts.tally.add('suggestion', suggestion ? 'suggested' : 'none', message.waited);
    parts.metrics.suggestions.observe(message.waited);
  }
}
