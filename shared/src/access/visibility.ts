import type { Status } from '../lifecycle/statuses.js';
import { ATTRIBUTE_CHANGES } from '../lifecycle/transitions.js';
import { Prisma, withLimits } from '../store/index.js';
import { isWithin } from './data-constraints.js';
import { ownIdOf } from './person.js';
import type { Principal } from './principal.js';
import type { Role } from './roles.js';

const { sql } = Prisma;

/**
 * Which messages the caller sees, as a condition on `messages AS m`: for every statement that reads or changes messages.
 *
 * - Only those of the municipality that the token is for.
 * - Læs: those assigned to the caller or the caller’s teams, or suggested for one of the caller’s cases, and the same of colleagues
 *   whom the caller stands in for now, without their teams; with SeAlle: all. None of a case that is restricted to others, and, with
 *   data constraints, only those of contact points that meet them.
 * - Held messages are for Opsætning and Drift only, who see nothing else unless they have Læs too.
 * - While a deletion delay runs, the message is for those of them only who may cancel it.
 * - Nobody sees a tombstone.
 */
export function visibleTo(principal: Principal): Prisma.Sql {
  const { reads, setsUp } = rightsOf(principal);
  const seen: Prisma.Sql[] = [];
  if (reads) seen.push(inboxOf(principal, 'IndkomneDokumenter.Læs', ownTo(principal)));
  if (setsUp) seen.push(HELD);
  const any = seen.length === 0 ? sql`false` : Prisma.join(seen, ' OR ', '(', ')');
  return sql`m.municipality = ${principal.municipality} AND ${any} AND ${isNotScheduledFor(principal)}`;
}

/**
 * Which messages of the inbox a caller may know of at all, also as a system that does not read for a user, as a condition on
 * `messages AS m`: of the municipality, none of a case that is restricted to others, none beyond the data constraints, and
 * none whose deletion delay runs, unless the caller may cancel it.
 */
export function inboxFor(principal: Principal): Prisma.Sql {
  const inSight = inboxOf(principal, principal.role, sql`true`);
  return sql`m.municipality = ${principal.municipality} AND ${inSight} AND ${isNotScheduledFor(principal)}`;
}

/**
 * Runs the reading and changing of messages for the caller so that the database itself hides what is beyond the data constraints of
 * its role Læs, whatever a statement asks for.
 */
export function withinLimitsOf<T>({ limits = {} }: Principal, work: () => T): T {
  const sets = limits['IndkomneDokumenter.Læs'];
  return withLimits(sets && JSON.stringify(sets), work);
}

/** The same for a call, where the role that allowed it is one of the inbox. What others are for, these limits do not narrow. */
export function withinLimitsOfCall<T>(principal: Principal, work: () => T): T {
  return INBOX_ROLES.has(principal.role) ? withinLimitsOf(principal, work) : work();
}

/** Those for work on the messages that Læs shows. SeAlle alone allows figures only, which count the whole municipality. */
const INBOX_ROLES: ReadonlySet<Role | undefined> = new Set<Role>([
  'IndkomneDokumenter.Læs',
  'IndkomneDokumenter.Journaliser',
  'IndkomneDokumenter.Afvis',
  'IndkomneDokumenter.Tildel',
  'DigitalPost.Slet',
]);

/** What is the caller’s own; with SeAlle, also all that its data constraints let through. */
function ownTo(principal: Principal): Prisma.Sql {
  const { readsAll, limit, limitOfAll } = rightsOf(principal);
  const own = sql`(${assignedTo(principal)} OR ${suggestedTo(principal)})`;
  if (!readsAll) return own;
  // Mostly both have the same, which inboxOf applies.
  const isOfBoth = limitOfAll === undefined || JSON.stringify(limitOfAll) === JSON.stringify(limit);
  return isOfBoth ? sql`true` : sql`(${isWithin(principal.municipality, limitOfAll)} OR ${own})`;
}

/** No deletion delay of the message runs, unless the caller may cancel it. */
function isNotScheduledFor({ roles }: Principal): Prisma.Sql {
  const mayCancel = ATTRIBUTE_CHANGES['deletion-cancelled'].roles.some((role) => roles.has(role));
  return mayCancel ? sql`true` : sql`m.deletion_due_at IS NULL`;
}

function inboxOf(principal: Principal, role: Role | undefined, own: Prisma.Sql): Prisma.Sql {
  const { municipality, limits = {} } = principal;
  return sql`(${INBOX} AND ${own} AND ${isOpenTo(principal)} AND ${isWithin(municipality, role && limits[role])})`;
}

/**
 * Which of the caller’s limited roles do not reach the message, of those that may change it, as an array column of `messages AS m`:
 * their data constraints are others than those by which it is seen. Held messages have none.
 */
export function rolesBeyond({ municipality, limits = {} }: Principal): Prisma.Sql {
  const { 'IndkomneDokumenter.Læs': ofSight, ...others } = limits;
  const changing = Object.entries(others).filter(
    ([role, sets]) =>
      !SEEING_ROLES.some((seeing) => seeing === role) && JSON.stringify(sets) !== JSON.stringify(ofSight),
  );
  if (changing.length === 0) return sql`'{}'::text[]`;
  const cases = changing.map(
    ([role, sets]) => sql`CASE WHEN ${isWithin(municipality, sets)} THEN NULL ELSE ${role}::text END`,
  );
  return sql`CASE WHEN ${HELD} THEN '{}' ELSE array_remove(ARRAY[${Prisma.join(cases)}]::text[], NULL) END`;
}

/**
 * How much of a status `visibleTo` shows the caller, for a list that must not walk past what it hides: all of it (but for the few
 * of restricted cases, and of the rejected ones those that were held or whose deletion delay runs), only the caller’s own, an unknown part, or nothing.
 */
export function sightOf(principal: Principal, status: Status): 'all' | 'own' | 'part' | 'none' {
  const { reads, readsAll, setsUp, limit, limitOfAll } = rightsOf(principal);
  if (status === 'deleted') return 'none';
  if (status === 'held') return setsUp ? 'all' : 'none';
  if (readsAll) return limit || limitOfAll ? 'part' : 'all';
  if (status === 'rejected' && setsUp) return 'part';
  return reads ? 'own' : 'none';
}

/** The role by which the caller sees a list of these statuses: SeAlle where it shows more than the caller’s own. */
export function seeingRole(principal: Principal, statuses: readonly Status[]): Role | undefined {
  const { reads, readsAll, setsUp } = rightsOf(principal);
  if (reads && statuses.some((status) => status !== 'held'))
    return readsAll ? 'IndkomneDokumenter.SeAlle' : 'IndkomneDokumenter.Læs';
  return setsUp;
}

/** The role by which the caller sees a message of `messages AS m`: SeAlle where it is not the caller’s own. */
export function seeingRoleOf(principal: Principal): Prisma.Sql {
  const { reads, readsAll, setsUp } = rightsOf(principal);
  const ofInbox = readsAll
    ? sql`CASE WHEN ${assignedTo(principal)} OR ${suggestedTo(principal)}
        THEN 'IndkomneDokumenter.Læs' ELSE 'IndkomneDokumenter.SeAlle' END`
    : sql`${reads ? 'IndkomneDokumenter.Læs' : null}::text`;
  return sql`CASE WHEN ${HELD} THEN ${setsUp ?? null}::text ELSE ${ofInbox} END`;
}

/** The roles that decide what a caller sees. */
export const SEEING_ROLES = [
  'IndkomneDokumenter.Læs',
  'IndkomneDokumenter.SeAlle',
  'Indbakke.Opsætning',
  'Indbakke.Drift',
] as const satisfies readonly Role[];

function rightsOf({ roles, limits = {} }: Principal) {
  const reads = roles.has('IndkomneDokumenter.Læs');
  return {
    reads,
    readsAll: reads && roles.has('IndkomneDokumenter.SeAlle'),
    limit: limits['IndkomneDokumenter.Læs'],
    limitOfAll: limits['IndkomneDokumenter.SeAlle'],
    setsUp: (['Indbakke.Opsætning', 'Indbakke.Drift'] as const).find((role) => roles.has(role)),
  };
}

const INBOX = sql`(m.status IN ('pending', 'journalized') OR (m.status = 'rejected' AND m.status_before = 'pending'))`;
const HELD = sql`(m.status = 'held' OR (m.status = 'rejected' AND m.status_before = 'held'))`;

/** Who reads: of a system that acts for a user, the user. */
type Reader = Pick<Principal, 'municipality' | 'actor'>;

/**
 * Neither suggested for a case that is restricted to others nor journalized on one, nor waiting for a suggestion that may be one,
 * as a condition on `messages AS m`. The few restricted cases are read once a statement, so that it costs the other messages next to
 * nothing. The journalizations are looked up by an aggregate, since with EXISTS PostgreSQL may read those of all messages.
 */
export function isOpenTo(reader: Reader): Prisma.Sql {
  const closed = casesClosedTo(reader);
  return sql`(
    (m.suggested_case_id IN (SELECT unnest(${closed}))) IS NOT TRUE
    AND NOT (m.suggestion_run_at IS NULL AND (SELECT ${closed}) <> '{}' AND may_be_on(m.id, m.municipality, (SELECT ${closed})))
    AND NOT (m.status = 'journalized' AND (SELECT ${closed}) <> '{}' AND coalesce((
      SELECT bool_or(j.case_id = ANY ((SELECT ${closed})::text[])) FROM journalizations j WHERE j.message_id = m.id), false)))`;
}

/**
 * Whether all of some messages are open to the reader; one that row-level security hides is not.
 *
 * @param ids a statement that selects their ids
 */
export function areAllOpenTo(reader: Reader, ids: Prisma.Sql): Prisma.Sql {
  return sql`NOT EXISTS (
    SELECT FROM unnest(ARRAY(${ids})) AS asked (id)
    LEFT JOIN messages m ON m.id = asked.id AND m.municipality = ${reader.municipality}
    WHERE (m.id IS NOT NULL AND ${isOpenTo(reader)}) IS NOT TRUE)`;
}

/**
 * Whether the details of a change name a case that is restricted to others: the history of a message has cases that it is no
 * longer suggested for or journalized on.
 *
 * @param details jsonb, as the audit log has them
 */
export function namesClosedCase(reader: Reader, details: Prisma.Sql): Prisma.Sql {
  return sql`EXISTS (
    SELECT FROM unnest(${casesClosedTo(reader)}) AS closed (case_id)
    WHERE closed.case_id = ${details}->>'caseId'
      OR strpos(' ' || (${details}->>'caseIds') || ' ', ' ' || closed.case_id || ' ') > 0)`;
}

/** The ids of the cases that are restricted to others: an array. */
export function casesClosedTo({ municipality, actor }: Reader): Prisma.Sql {
  return sql`cases_closed_to(${municipality}, ${ownIdOf(actor)})`;
}

/** The ids of the caller and of the colleagues whose substitute the caller is now: an array, which is read once. */
export function actsFor({ municipality, actor }: Principal): Prisma.Sql {
  return sql`(SELECT acts_for(${municipality}, ${ownIdOf(actor)}))::text[]`;
}

/** Assigned to the caller, to one of the caller’s teams, or to a colleague whom the caller stands in for. */
export function assignedTo(principal: Principal, users = actsFor(principal)): Prisma.Sql {
  return sql`(
    (m.assignee_kind = 'user' AND m.assignee_id = ANY (${users}))
    OR (m.assignee_kind = 'team' AND m.assignee_id = ANY (${[...principal.teams]}::text[])))`;
}

/** Suggested for a case of the caller’s, or of a colleague’s whom the caller stands in for. */
export function suggestedTo(principal: Principal): Prisma.Sql {
  return sql`coalesce((
    SELECT caseworker FROM cases WHERE municipality = m.municipality AND case_id = m.suggested_case_id) = ANY (${actsFor(principal)}), false)`;
}
