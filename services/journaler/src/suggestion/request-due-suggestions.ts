import { lockCases } from '@indbakke/shared/audit';
import type { Parts } from '@indbakke/shared/service';
import { type Connection, Prisma, run } from '@indbakke/shared/store';
import { requestSuggestions } from './request-suggestions.js';

const { sql } = Prisma;

type RequestParts = Pick<Parts, 'store' | 'queues'>;

/** What names a case itself. */
const BASES_OF_CASES = ['case-id', 'sag-forslag'] as const;
const MUNICIPALITIES = 100;
/** Each is a lock until the transaction ends (lockCases). */
const BATCH = 200;

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
  const due = await store.query<Due>(
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
    due.flatMap(({ caseId }) => BASES_OF_CASES.map((kind) => ({ kind, value: caseId }))),
  );
  await store.withTenantConnection(municipality, (connection) => removeMarks(connection, municipality, due));
}

interface Due {
  readonly caseId: string;
  readonly mark: string;
}

/**
 * By their marks: a case that was registered again meanwhile has another, and is due again. Under the locks of a registration, so
 * that the two do not wait for each other’s rows.
 */
async function removeMarks(connection: Connection, municipality: string, due: readonly Due[]): Promise<void> {
  const [ids, marks] = [due.map(({ caseId }) => caseId), due.map(({ mark }) => mark)];
  await run(connection, lockCases(municipality, ids, 'alone'));
  await run(
    connection,
    sql`
      UPDATE cases c SET suggestions_due = NULL
      FROM unnest(${ids}::text[], ${marks}::uuid[]) AS done (case_id, mark)
      WHERE c.municipality = ${municipality} AND c.case_id = ANY (${ids}::text[]) AND c.case_id = done.case_id
        AND c.suggestions_due = done.mark`,
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
