import { INDBAKKE } from '@indbakke/shared/audit';
import { type Change, RECORD_CHANGES } from '@indbakke/shared/lifecycle';
import { newId } from '@indbakke/shared/store';
import type pg from 'pg';
import type { SuggestionInput } from './lock-for-suggestion.js';
import type { Suggestion } from './suggest-case.js';

/** What a look at a message has found. */
export interface Look {
  readonly message: SuggestionInput;
  readonly suggestion: Suggestion | null;
}

/**
 * Writes down what was found for messages that this transaction has locked (lockForSuggestion): all rows in one statement. What
 * shows something new gets a new version, an event and an audit row.
 */
export async function writeSuggestions(connection: pg.PoolClient, looks: readonly Look[], at: Date): Promise<void> {
  const found = looks.map(({ message, suggestion }) => ({
    id: message.id,
    case_id: suggestion?.caseId ?? null,
    basis: suggestion?.basis ?? null,
    sender: suggestion?.sender ?? null,
    kind: suggestion ? 'reply' : message.kind,
    shows: differs(message.suggestedBefore, suggestion),
    change_id: newId(),
    details: suggestion ?? {},
  }));
  await connection.query({
    name: 'write-suggestions',
    text: `
      WITH looked AS (
        UPDATE messages m SET suggestion_run_at = $2, suggested_case_id = case_id, suggestion_basis = basis, suggestion_sender = sender,
          kind = found.kind, version = version + shows::int
        FROM jsonb_to_recordset($1::jsonb) AS found (id uuid, case_id text, basis text, sender text, kind text, shows boolean,
          change_id uuid, details jsonb)
        WHERE m.id = found.id AND m.id = ANY ($5::uuid[]) -- the array, or the whole table may be read for them
        RETURNING m.id AS message_id, municipality, status, version, shows, change_id, details
      ), changes AS (
        SELECT *, $6 AS type, $2::timestamptz AS at, $3 AS actor_kind, $4 AS actor, NULL AS on_behalf_of FROM looked WHERE shows
      ), ${RECORD_CHANGES} SELECT 1`,
    values: [
      JSON.stringify(found),
      at,
      INDBAKKE.kind,
      INDBAKKE.id,
      found.map(({ id }) => id),
      'suggested' satisfies Change,
    ],
  });
}

/** A look that finds what was there already changes nothing that a caseworker sees, so nobody’s If-Match may fail for it. */
function differs(before: Suggestion | null, now: Suggestion | null): boolean {
  return before?.caseId !== now?.caseId || before?.basis !== now?.basis || before?.sender !== now?.sender;
}
