import type { SuggestionBasis } from '@indbakke/shared/api';
import type { SuggestCaseData, SuggestCaseEnqueuer } from '@indbakke/shared/queue';
import type { Store } from '@indbakke/shared/store';
import { RETRY_AFTER_SECONDS } from './sweep.js';

/**
 * Puts pending messages that refer to these things up for another look, because the core has just told of them.
 *
 * Call it after the transaction that stored what was told has committed, not inside it: a look that is under way and did
 * not see the news yet then finds its round raised, and its result is dropped.
 */
export async function lookAgain(
  { store, enqueuer }: { store: Store; enqueuer: SuggestCaseEnqueuer },
  municipality: string,
  told: readonly { kind: SuggestionBasis; value: string }[],
): Promise<void> {
  const messages = await store.withTenant(
    municipality,
    (tx) => tx.$queryRaw<{ id: string; suggest_round: number }[]>`
      UPDATE messages
      SET looked_at = NULL, suggest_round = suggest_round + 1,
          next_enqueue_at = now() + make_interval(secs => ${RETRY_AFTER_SECONDS})
      WHERE status = 'pending' AND id IN (
        SELECT message_id FROM reply_references
        WHERE (kind, value) IN (SELECT * FROM unnest(${told.map(({ kind }) => kind)}::text[], ${told.map(({ value }) => value)}::text[])))
      RETURNING id::text, suggest_round`,
  );
  for (const { id, suggest_round: round } of messages) {
    enqueuer.enqueue({ messageId: id, municipality, round } satisfies SuggestCaseData);
  }
}
