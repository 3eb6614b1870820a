import { createBatcher } from '@indbakke/shared/batch';
import { announce } from '@indbakke/shared/crash-points';
import { type KeyRing, PARTY } from '@indbakke/shared/keys';
import type { SuggestCaseData } from '@indbakke/shared/queue';
import { isStoreUnavailable, type Store } from '@indbakke/shared/store';
import { loadLookups } from './load-lookups.js';
import { lockForSuggestion } from './lock-for-suggestion.js';
import { suggestCase } from './suggest-case.js';
import { writeSuggestions } from './write-suggestions.js';

// While the one waits for the database, the jobs of the other are fetched from the queue. More would make smaller batches.
const BATCHES_AT_ONCE = 2;
// So that two of them hold what a journaler looks at side by side (SUGGEST_CONCURRENCY: 128), and neither waits for all of it.
const MAX_BATCH = 64;

interface SuggestionParts {
  readonly store: Store;
  readonly keys: KeyRing;
}

/**
 * Gives the handler of the jobs of one process. It looks at one message and writes down which case it seems to belong to. It
 * returns quietly when the work is done already, is no longer wanted, or when the message was put up for another look
 * meanwhile (its round was raised).
 *
 * Jobs of one municipality that are handled side by side share a transaction (docs/decisions/0015). A job fails for a fault of
 * its own message, or when the database is away.
 */
export function createSuggestCaseHandler(parts: SuggestionParts): (job: SuggestCaseData) => Promise<void> {
  const batcher = createBatcher<SuggestCaseData, void>({
    keyOf: ({ municipality }) => municipality,
    conflictOf: ({ messageId }) => messageId,
    maxBatch: MAX_BATCH,
    concurrency: BATCHES_AT_ONCE,
    run: async (municipality, jobs) => {
      await suggestAll(parts, municipality, jobs);
      return jobs.map(() => undefined);
    },
    isSharedFault: isStoreUnavailable,
  });
  return async (job) => {
    await batcher.add(job);
    announce('suggestion-committed');
  };
}

/** The lookup is read under the lock: for news that it missed, requestSuggestions waits until the lock is gone and raises the round. */
function suggestAll({ store, keys }: SuggestionParts, municipality: string, jobs: readonly SuggestCaseData[]) {
  return store.withTenantConnection(municipality, async (connection) => {
    const messages = await lockForSuggestion(connection, jobs);
    if (messages.length === 0) return;
    const lookupFor = await loadLookups(
      connection,
      messages.flatMap(({ references }) => references),
    );
    const looks = messages.map((message) => ({
      message,
      suggestion: suggestCase(message.references, lookupFor(keys.digest(PARTY, message.senderId))),
    }));
    await writeSuggestions(connection, looks, new Date());
  });
}
