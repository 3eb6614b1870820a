import { INDBAKKE, insertCaseSubjects, lockCases } from '@indbakke/shared/audit';
import { type Change, RECORD_CHANGES } from '@indbakke/shared/lifecycle';
import { type Connection, newId, Prisma, run } from '@indbakke/shared/store';
import type { SuggestionInput } from './lock-for-suggestion.js';
import type { Suggestion } from './suggest-case.js';

/** The result of a suggestion run. */
export interface SuggestionResult {
  readonly message: SuggestionInput;
  readonly suggestion: Suggestion | null;
  /** Of its job (currentTrace). */
  readonly trace: string | undefined;
}

/**
 * Writes the results for messages that this transaction has locked (lockForSuggestion), in one statement. Visible changes get
 * a new version, an event and an audit event, and the message is then about the suggested case.
 */
export async function writeSuggestions(
  connection: Connection,
  municipality: string,
  results: readonly SuggestionResult[],
  at: Date,
): Promise<void> {
  const rows = results.map(({ message, suggestion, trace }) => ({
    id: message.id,
    case_id: suggestion?.caseId ?? null,
    basis: suggestion?.basis ?? null,
    sender: suggestion?.sender ?? null,
    party: suggestion?.party ?? null,
    warning: suggestion?.warning ?? null,
    // A document whose system suggests the case answers nothing.
    kind: suggestion && suggestion.basis !== 'sag-forslag' ? 'reply' : message.kind,
    visible: differs(message.suggestedBefore, suggestion),
    change_id: newId(),
    // How a person is related to a child is for those who see the message, not for its event.
    details: suggestion ? { caseId: suggestion.caseId, basis: suggestion.basis, sender: suggestion.sender } : {},
    trace,
  }));
  await connection.query({
    name: 'write-suggestions',
    text: `
      WITH suggested AS (
        UPDATE messages m SET suggestion_run_at = $2, suggested_case_id = case_id, suggestion_basis = basis, suggestion_sender = sender,
          suggestion_party = party, suggestion_warning = warning,
          kind = given.kind, version = version + visible::int
        FROM jsonb_to_recordset($1::jsonb) AS given (id uuid, case_id text, basis text, sender text, party text, warning text, kind text, visible boolean,
          change_id uuid, details jsonb, trace text)
        WHERE m.id = given.id AND m.id = ANY ($5::uuid[]) -- without the array PostgreSQL may read the whole table
        RETURNING m.id AS message_id, municipality, status, version, visible, change_id, details, trace
      ), changes AS (
        SELECT *, $6 AS type, $2::timestamptz AS at, $3 AS actor_kind, $4 AS actor, NULL AS on_behalf_of, NULL AS role, NULL AS origin
        FROM suggested WHERE visible
      ), ${RECORD_CHANGES} SELECT 1`,
    values: [
      JSON.stringify(rows),
      at,
      INDBAKKE.kind,
      INDBAKKE.id,
      rows.map(({ id }) => id),
      'suggested' satisfies Change,
    ],
  });
  const filed = rows.filter(({ visible, case_id }) => visible && case_id !== null);
  if (filed.length === 0) return;
  const [ids, cases] = [filed.map(({ id }) => id), filed.map(({ case_id }) => case_id as string)];
  await run(connection, lockCases(municipality, cases, 'shared'));
  await run(
    connection,
    insertCaseSubjects(municipality, Prisma.sql`SELECT * FROM unnest(${ids}::uuid[], ${cases}::text[]) AS filed`),
  );
}

/** An unchanged suggestion must not raise the version, or a caseworker’s If-Match would fail. */
function differs(before: Suggestion | null, now: Suggestion | null): boolean {
  const fields = ['caseId', 'basis', 'sender', 'party', 'warning'] as const;
  return fields.some((field) => before?.[field] !== now?.[field]);
}
