import { numberOf } from '../ids/index.js';
import { digestOfParty, type KeyRing } from '../keys/index.js';
import { Prisma } from '../store/index.js';

// `message_subjects`: whom and which case a message is about, so that the log answers for a citizen after its deletion too. A
// row stays when the suggestion changes or a journalization is taken back: the letter was read as one of that case.

const { sql } = Prisma;

/** The keys of the citizens among these CPR and CVR numbers: keyed hashes in hexadecimal, each once. */
export function citizensOf(keys: KeyRing, numbers: readonly (string | undefined)[]): string[] {
  const known = numbers.flatMap((number) => numberOf(number ?? '') ?? []);
  return [...new Set(known)].map((number) => digestOfParty(keys, number).toString('hex'));
}

/**
 * Until the transaction ends, either messages are put on these cases (`shared`), or the parties of one are registered
 * (`alone`). So each finds what the other wrote. Taken before any row of the cases, and before insertCaseSubjects.
 */
export function lockCases(municipality: string, caseIds: readonly string[], how: 'alone' | 'shared'): Prisma.Sql {
  const lock = how === 'alone' ? sql`pg_advisory_xact_lock` : sql`pg_advisory_xact_lock_shared`;
  return sql`
    SELECT ${lock}(key) FROM (
      SELECT DISTINCT hashtextextended(${municipality} || ' ' || case_id, 0) AS key
      FROM unnest(${[...caseIds]}::text[]) AS case_id ORDER BY key) AS keys`;
}

/**
 * Inserts that messages are about a case and its parties, as registered now.
 *
 * @param filed selects message_id and case_id
 */
export function insertCaseSubjects(municipality: string, filed: Prisma.Sql): Prisma.Sql {
  // In a fixed order, since two cases may have one message and a party in common.
  return sql`
    INSERT INTO message_subjects (municipality, kind, key, message_id)
    SELECT DISTINCT ${municipality}, s.kind, s.key, f.message_id
    FROM (${filed}) AS f (message_id, case_id)
    LEFT JOIN LATERAL (
      SELECT party_digests FROM cases WHERE municipality = ${municipality} AND case_id = f.case_id LIMIT 1) AS c ON true
    CROSS JOIN LATERAL (
      SELECT 'case', f.case_id UNION ALL SELECT 'citizen', encode(party, 'hex') FROM unnest(c.party_digests) AS party
    ) AS s (kind, key)
    ORDER BY s.kind, s.key, f.message_id
    ON CONFLICT DO NOTHING`;
}
