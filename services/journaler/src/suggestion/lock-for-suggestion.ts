import type { Kind } from '@indbakke/shared/lifecycle';
import type { SuggestCaseData } from '@indbakke/shared/queue';
import type { Connection } from '@indbakke/shared/store';
import type { Reference, Suggestion } from './suggest-case.js';

/** A message that needs a suggestion run, in its current state. */
export interface SuggestionInput {
  readonly id: string;
  readonly kind: Kind;
  readonly senderId: string;
  /** Evidence of its case, strongest first. */
  readonly references: readonly Reference[];
  /** The result of an earlier run. */
  readonly suggestedBefore: Suggestion | null;
  /** Of its first run: for how many seconds it has been in the inbox; null of a later run, and of training municipalities. */
  readonly waited: number | null;
}

/**
 * Locks and reads the messages that still wait for this very run. Locks in the order of ids, like requestSuggestions, to avoid
 * deadlocks; and by id alone, as PostgreSQL would otherwise scan every waiting message.
 */
export async function lockForSuggestion(
  connection: Connection,
  municipality: string,
  jobs: readonly SuggestCaseData[],
): Promise<SuggestionInput[]> {
  const { rows } = await connection.query<SuggestionInput>({
    name: 'lock-for-suggestion',
    text: `
      WITH locked AS MATERIALIZED (
        SELECT * FROM messages WHERE id = ANY ($1::uuid[]) AND municipality = $3 ORDER BY id FOR NO KEY UPDATE
      )
      SELECT m.id, m.kind, d.sender_id AS "senderId",
        (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', r.kind, 'value', r.value) ORDER BY r.position), '[]')
         FROM reply_references r WHERE r.message_id = m.id) AS references,
        CASE WHEN m.suggested_case_id IS NOT NULL THEN jsonb_build_object('caseId', m.suggested_case_id,
          'basis', m.suggestion_basis, 'sender', m.suggestion_sender, 'party', m.suggestion_party, 'warning', m.suggestion_warning) END AS "suggestedBefore",
        CASE WHEN m.suggestion_run = 1 AND NOT (SELECT is_training FROM municipalities WHERE cvr = $3)
          THEN extract(epoch FROM clock_timestamp() - m.status_at)::float8 END AS waited
      FROM unnest($1::uuid[], $2::int[]) AS job (id, run)
      JOIN locked m ON m.id = job.id AND m.suggestion_run = job.run AND m.suggestion_run_at IS NULL AND m.status = 'pending'
      JOIN message_details d ON d.message_id = m.id`,
    values: [jobs.map(({ messageId }) => messageId), jobs.map(({ run }) => run), municipality],
  });
  return rows.map((message) => ({ ...message, references: evidenceOf(message) }));
}

/**
 * Only replies get a suggestion. An enquiry becomes a reply by naming a sent message, but not by naming a case: other
 * municipalities use the same case numbers.
 */
function evidenceOf({ kind, references }: SuggestionInput): readonly Reference[] {
  return kind === 'enquiry' ? references.filter((reference) => reference.kind !== 'case-id') : references;
}
