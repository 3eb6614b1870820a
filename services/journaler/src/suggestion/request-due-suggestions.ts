import type { Parts } from '@indbakke/shared/service';
import { Prisma } from '@indbakke/shared/store';
import { requestSuggestions } from './request-suggestions.js';

const { sql } = Prisma;

type RequestParts = Pick<Parts, 'store' | 'queues'>;

const MUNICIPALITIES = 100;
const BATCH = 500;

/**
 * Requests another suggestion run for the messages of those of these cases that were registered as new or with other parties,
 * unless it is requested already. What a crash leaves out the sweep requests.
 *
 * @param caseIds undefined: of all cases, as many as a batch has
 */
export async function requestDueSuggestions(
  parts: RequestParts,
  municipality: string,
  caseIds?: readonly string[],
): Promise<void> {
  const { store } = parts;
  const which = caseIds ? sql`AND case_id = ANY (${[...caseIds]}::text[])` : Prisma.empty;
  const due = await store.query<{ caseId: string; mark: string }>(
    municipality,
    sql`
      SELECT case_id AS "caseId", suggestions_due::text AS mark FROM cases
      WHERE municipality = ${municipality} AND suggestions_due IS NOT NULL ${which} ORDER BY case_id LIMIT ${BATCH}::int`,
    'kept',
  );
  if (due.length === 0) return;
  await requestSuggestions(
    parts,
    municipality,
    due.map(({ caseId }) => ({ kind: 'case-id', value: caseId })),
  );
  // By their marks: a case that was registered again meanwhile has another, and is due again.
  const [ids, marks] = [due.map(({ caseId }) => caseId), due.map(({ mark }) => mark)];
  await store.query(
    municipality,
    sql`
      UPDATE cases c SET suggestions_due = NULL
      FROM unnest(${ids}::text[], ${marks}::uuid[]) AS done (case_id, mark)
      WHERE c.municipality = ${municipality} AND c.case_id = ANY (${ids}::text[]) AND c.case_id = done.case_id
        AND c.suggestions_due = done.mark`,
    'kept',
  );
}

/** Requests what a process that ended after a registration did not. */
export async function sweepDueSuggestions(parts: RequestParts): Promise<void> {
  const due = await parts.store.sweep<{ municipality: string }>(
    'SELECT DISTINCT municipality FROM cases WHERE suggestions_due IS NOT NULL LIMIT $1',
    [MUNICIPALITIES],
  );
  for (const { municipality } of due) await requestDueSuggestions(parts, municipality);
}
