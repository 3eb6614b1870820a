import type { Principal } from '@indbakke/shared/access';
import type { CaseBody } from '@indbakke/shared/api';
import { insertAudit, insertCaseSubjects, lockCases } from '@indbakke/shared/audit';
import { digestOfParty, type KeyRing } from '@indbakke/shared/keys';
import { type Connection, newId, Prisma, run } from '@indbakke/shared/store';

const { sql } = Prisma;

/** What the core tells of a case. A field that is undefined stays as it is. */
export interface GivenCase extends CaseBody {
  readonly caseId: string;
}

/** `unchanged`: it was registered like this already. `older`: a newer version of it is. */
export type CaseOutcome = 'stored' | 'unchanged' | 'older';

interface Found {
  readonly caseId: string;
  readonly outcome: CaseOutcome;
  readonly hasOtherParties: boolean;
}

/**
 * Registers cases, each once, in the transaction of this connection, with an audit row for each that is changed by it.
 *
 * Registrations of the same case wait for each other, in one order of the cases (lockCases); so do two of many cases. Once it has
 * committed, the suggestions are due (requestDueSuggestions).
 *
 * @returns the outcome of each
 */
export async function storeCases(
  connection: Connection,
  keys: KeyRing,
  { principal, at }: { readonly principal: Principal; readonly at: Date },
  cases: readonly GivenCase[],
): Promise<Map<string, CaseOutcome>> {
  const { municipality } = principal;
  const ids = cases.map(({ caseId }) => caseId);
  await run(connection, lockCases(municipality, ids, 'alone'));
  // In order, since a sent message may name, and so insert, a case at the same time.
  await run(
    connection,
    sql`
      INSERT INTO cases (municipality, case_id, suggestions_due)
      SELECT ${municipality}, id, gen_random_uuid() FROM unnest(${ids}::text[]) AS id ORDER BY id
      ON CONFLICT DO NOTHING`,
  );
  const found = await run<Found>(connection, update(municipality, ids, JSON.stringify(cases.map(rowOf)), audit()));
  const withOtherParties = found.flatMap(({ caseId, hasOtherParties }) => (hasOtherParties ? [caseId] : []));
  if (withOtherParties.length > 0) {
    const filed = sql`
      SELECT message_id, key FROM message_subjects
      WHERE municipality = ${municipality} AND kind = 'case' AND key = ANY (${withOtherParties}::text[])`;
    await run(connection, insertCaseSubjects(municipality, filed));
  }
  return new Map(found.map(({ caseId, outcome }) => [caseId, outcome]));

  function audit(): Prisma.Sql {
    const details = sql`jsonb_build_object('caseId', n.case_id, 'fields', array_to_string(n.fields, ' '))`;
    return insertAudit({ by: principal, at, action: 'case-registered' }, { id: sql`n.audit_id`, details });
  }

  /** CPR and CVR numbers are only ever compared, so they are stored as keyed hashes. */
  function rowOf({ caseId, ...given }: GivenCase) {
    const parties = (given.parties ?? []).map((party) => (typeof party === 'string' ? { id: party } : party));
    return {
      case_id: caseId,
      audit_id: newId(),
      fields: Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [name])),
      status: given.status,
      moved_to: given.movedTo,
      moved_from: given.movedFrom,
      caseworker: given.caseworker,
      team: given.team,
      digests: parties.map(({ id }) => digestOfParty(keys, id).toString('hex')),
      party_relations: parties.map(({ relation = null }) => relation),
      restricted_to: given.restrictedTo,
      version: given.version,
    };
  }
}

function update(municipality: string, ids: readonly string[], given: string, audit: Prisma.Sql): Prisma.Sql {
  return sql`
    WITH given AS (
      SELECT *, ARRAY(SELECT decode(hex, 'hex') FROM unnest(digests) WITH ORDINALITY AS d (hex, n) ORDER BY n) AS party_digests
      FROM jsonb_to_recordset(${given}::jsonb) AS g (case_id text, audit_id uuid, fields text[], status text, moved_to text,
        moved_from text, caseworker text, team text, digests text[], party_relations text[], restricted_to text[],
        version bigint)
    ), merged AS (
      SELECT g.case_id, g.audit_id, g.fields, coalesce(g.version, c.version) AS version,
        CASE WHEN 'status' = ANY (g.fields) THEN g.status ELSE coalesce(c.status, 'open') END AS status,
        CASE WHEN 'movedTo' = ANY (g.fields) THEN g.moved_to ELSE c.moved_to END AS moved_to,
        CASE WHEN 'movedFrom' = ANY (g.fields) THEN g.moved_from ELSE c.moved_from END AS moved_from,
        CASE WHEN 'caseworker' = ANY (g.fields) THEN g.caseworker ELSE c.caseworker END AS caseworker,
        CASE WHEN 'team' = ANY (g.fields) THEN g.team ELSE c.team END AS team,
        CASE WHEN 'parties' = ANY (g.fields) THEN g.party_digests ELSE c.party_digests END AS party_digests,
        CASE WHEN 'parties' = ANY (g.fields) THEN g.party_relations ELSE c.party_relations END AS party_relations,
        CASE WHEN 'restrictedTo' = ANY (g.fields) THEN g.restricted_to ELSE c.restricted_to END AS restricted_to,
        c AS before, coalesce(c.version > g.version, false) AS is_older
      FROM given g JOIN cases c ON c.municipality = ${municipality} AND c.case_id = g.case_id
    ), next AS MATERIALIZED (
      SELECT *, NOT is_older AND
          (status, CASE WHEN status = 'moved' THEN moved_to END, moved_from, caseworker, team, restricted_to, party_digests, party_relations)
          IS DISTINCT FROM ((before).status, (before).moved_to, (before).moved_from, (before).caseworker, (before).team,
            (before).restricted_to, (before).party_digests, (before).party_relations) AS is_changed,
        NOT is_older AND ((before).party_digests, (before).party_relations) IS DISTINCT FROM (party_digests, party_relations) AS "hasOtherParties"
      FROM merged
    ), stored AS (
      UPDATE cases c SET status = n.status, moved_to = CASE WHEN n.status = 'moved' THEN n.moved_to END, moved_from = n.moved_from,
        caseworker = n.caseworker, team = n.team, party_digests = n.party_digests, party_relations = n.party_relations,
        restricted_to = n.restricted_to, version = n.version,
        suggestions_due = CASE WHEN n."hasOtherParties" THEN n.audit_id ELSE c.suggestions_due END
      FROM next n
      WHERE c.municipality = ${municipality} AND c.case_id = ANY (${[...ids]}::text[]) AND c.case_id = n.case_id
        AND NOT n.is_older AND (n.is_changed OR n.version IS DISTINCT FROM c.version)
    ), audited AS (
      ${audit} FROM next n WHERE n.is_changed
    )
    SELECT case_id AS "caseId", "hasOtherParties",
      CASE WHEN is_older THEN 'older' WHEN is_changed THEN 'stored' ELSE 'unchanged' END AS outcome
    FROM next`;
}
