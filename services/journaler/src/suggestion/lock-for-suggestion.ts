import type { Kind } from '@indbakke/shared/lifecycle';
import type { SuggestCaseData } from '@indbakke/shared/queue';
import type pg from 'pg';
import type { Reference, Suggestion } from './suggest-case.js';

/** A message that is to be looked at, as it stands now. */
export interface SuggestionInput {
  readonly id: string;
  readonly kind: Kind;
  readonly senderId: string;
  /** What counts as evidence of its case, strongest first. */
  readonly references: readonly Reference[];
  /** What an earlier look found. */
  readonly suggestedBefore: Suggestion | null;
}

/**
 * Locks and reads those of the messages that still wait for just this look, until the transaction ends. In the order of their
 * ids, like requestSuggestions, so that no two wait for each other. Locked by their ids alone: by what they wait for, PostgreSQL would
 * read all that wait to find these.
 */
export async function lockForSuggestion(
  connection: pg.PoolClient,
  jobs: readonly SuggestCaseData[],
): Promise<SuggestionInput[]> {
  const { rows } = await connection.query<SuggestionInput>({
    name: 'lock-for-suggestion',
    text: `
      WITH locked AS MATERIALIZED (
        SELECT * FROM messages WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE
      )
      SELECT m.id, m.kind, d.sender_id AS "senderId",
        (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', r.kind, 'value', r.value) ORDER BY r.position), '[]')
         FROM reply_references r WHERE r.message_id = m.id) AS references,
        CASE WHEN m.suggested_case_id IS NOT NULL THEN jsonb_build_object('caseId', m.suggested_case_id,
          'basis', m.suggestion_basis, 'sender', m.suggestion_sender) END AS "suggestedBefore"
      FROM unnest($1::uuid[], $2::int[]) AS job (id, round)
      JOIN locked m ON m.id = job.id AND m.suggestion_run = job.round AND m.suggestion_run_at IS NULL AND m.status = 'pending'
      JOIN message_details d ON d.message_id = m.id`,
    values: [jobs.map(({ messageId }) => messageId), jobs.map(({ round }) => round)],
  });
  return rows.map((message) => ({ ...message, references: evidenceOf(message) }));
}

/**
 * Only a reply gets a suggestion. What did not look like one at intake becomes one by naming a letter of ours, not by the
 * number of a case: other municipalities number theirs the same way.
 */
function evidenceOf({ kind, references }: SuggestionInput): readonly Reference[] {
  return kind === 'enquiry' ? references.filter((reference) => reference.kind !== 'case-id') : references;
}
