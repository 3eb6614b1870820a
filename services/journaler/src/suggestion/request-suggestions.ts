import type { Status, SuggestionBasis } from '@indbakke/shared/lifecycle';
import { SUGGEST_CASE, SUGGESTION_OVERDUE_SECONDS } from '@indbakke/shared/queue';
import type { Parts } from '@indbakke/shared/service';

/**
 * Puts the messages that these news are about up for another look: those that refer to what the core has just told of, and
 * those that stand suggested for the case (its parties may have changed). One that is not pending now waits for the sweep
 * to find it once it is.
 *
 * Call it after the transaction that stored what was told has committed, not inside it: a look that did not see the news holds
 * its lock by then, and is done anew; one that takes the lock later finds its round raised, and drops the job.
 */
export async function requestSuggestions(
  { store, queues }: Pick<Parts, 'store' | 'queues'>,
  municipality: string,
  told: readonly { kind: SuggestionBasis; value: string }[],
): Promise<void> {
  const caseIds = told.filter(({ kind }) => kind === 'case-id').map(({ value }) => value);
  const messages = await store.withTenant(
    municipality,
    (tx) => tx.$queryRaw<{ id: string; status: Status; suggestion_run: number }[]>`
      WITH due AS (
        SELECT id FROM messages
        WHERE status <> 'deleted' AND (suggested_case_id = ANY(${caseIds}) OR id IN (
          SELECT message_id FROM reply_references
          WHERE (kind, value) IN (SELECT * FROM unnest(${told.map(({ kind }) => kind)}::text[], ${told.map(({ value }) => value)}::text[]))))
        ORDER BY id FOR UPDATE) -- always in the same order, or two calls wait for each other
      UPDATE messages
      SET suggestion_run_at = NULL, suggestion_run = suggestion_run + 1,
          next_enqueue_at = now() + make_interval(secs => ${SUGGESTION_OVERDUE_SECONDS})
      WHERE id IN (SELECT id FROM due)
      RETURNING id::text, status, suggestion_run`,
  );
  for (const { id, status, suggestion_run: round } of messages) {
    if (status !== 'pending') continue;
    queues.enqueue(SUGGEST_CASE, { messageId: id, municipality, round });
  }
}
