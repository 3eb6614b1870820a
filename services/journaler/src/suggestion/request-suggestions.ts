import type { Status, SuggestionBasis } from '@indbakke/shared/lifecycle';
import { SUGGEST_CASE, SUGGESTION_OVERDUE_SECONDS } from '@indbakke/shared/queue';
import type { Parts } from '@indbakke/shared/service';

/**
 * Requests another suggestion run for the messages that refer to what the core has just registered, or that have one of its
 * cases as their suggestion (the parties may have changed). The sweep picks up those that become pending later.
 *
 * Call it after the registration has committed, not in the same transaction: a run that missed the registration holds its
 * lock by then, and is followed by another run; one that takes the lock later finds itself outdated, and does nothing.
 */
export async function requestSuggestions(
  { store, queues }: Pick<Parts, 'store' | 'queues'>,
  municipality: string,
  registered: readonly { kind: SuggestionBasis; value: string }[],
): Promise<void> {
  const caseIds = registered.filter(({ kind }) => kind === 'case-id').map(({ value }) => value);
  const [kinds, values] = [registered.map(({ kind }) => kind), registered.map(({ value }) => value)];
  const messages = await store.withTenant(
    municipality,
    (tx) => tx.$queryRaw<{ id: string; status: Status; suggestion_run: number }[]>`
      WITH due AS (
        SELECT id FROM messages
        -- an array, because of an OR with a subquery PostgreSQL uses no index
        WHERE municipality = ${municipality} AND status <> 'deleted' AND id = ANY(ARRAY(
          SELECT id FROM messages WHERE municipality = ${municipality} AND suggested_case_id = ANY(${caseIds})
          UNION
          SELECT message_id FROM reply_references
          WHERE municipality = ${municipality} AND (kind, value) IN (SELECT * FROM unnest(${kinds}::text[], ${values}::text[]))))
        ORDER BY id FOR UPDATE) -- in a fixed order, or two calls could deadlock
      UPDATE messages
      SET suggestion_run_at = NULL, suggestion_run = suggestion_run + 1,
          next_enqueue_at = now() + make_interval(secs => ${SUGGESTION_OVERDUE_SECONDS})
      WHERE id IN (SELECT id FROM due)
      RETURNING id::text, status, suggestion_run`,
  );
  for (const { id, status, suggestion_run: run } of messages) {
    if (status !== 'pending') continue;
    queues.enqueue(SUGGEST_CASE, { messageId: id, municipality, run });
  }
}
