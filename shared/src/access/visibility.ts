import type { Status } from '../lifecycle/statuses.js';
import { Prisma } from '../store/index.js';
import type { Role } from './roles.js';
import type { Principal } from './tokens.js';

const { sql } = Prisma;

/**
 * Which messages the caller sees, as a condition on `messages AS m`: for every statement that reads or changes messages.
 *
 * - Only those of the municipality that the token is for.
 * - Læs: those assigned to the caller or the caller’s teams, or suggested for one of the caller’s cases; with SeAlle: all.
 * - Held messages are for Opsætning and Drift only, who see nothing else unless they have Læs too.
 * - Nobody sees a tombstone.
 */
export function visibleTo(principal: Principal): Prisma.Sql {
  const { reads, readsAll, setsUp } = rightsOf(principal);
  const seen: Prisma.Sql[] = [];
  if (reads) seen.push(readsAll ? INBOX : sql`(${INBOX} AND (${assignedTo(principal)} OR ${suggestedTo(principal)}))`);
  if (setsUp) seen.push(HELD);
  const any = seen.length === 0 ? sql`false` : Prisma.join(seen, ' OR ', '(', ')');
  return sql`m.municipality = ${principal.municipality} AND ${any}`;
}

/**
 * How much of a status `visibleTo` shows the caller, for a list that must not walk past what it hides: all of it (of the
 * rejected ones all but those that were held), only the caller’s own, an unknown part, or nothing.
 */
export function sightOf(principal: Principal, status: Status): 'all' | 'own' | 'part' | 'none' {
  const { reads, readsAll, setsUp } = rightsOf(principal);
  if (status === 'deleted') return 'none';
  if (status === 'held') return setsUp ? 'all' : 'none';
  if (readsAll) return 'all';
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

function rightsOf({ roles }: Principal) {
  const reads = roles.has('IndkomneDokumenter.Læs');
  return {
    reads,
    readsAll: reads && roles.has('IndkomneDokumenter.SeAlle'),
    setsUp: (['Indbakke.Opsætning', 'Indbakke.Drift'] as const).find((role) => roles.has(role)),
  };
}

const INBOX = sql`(m.status IN ('pending', 'journalized') OR (m.status = 'rejected' AND m.status_before = 'pending'))`;
const HELD = sql`(m.status = 'held' OR (m.status = 'rejected' AND m.status_before = 'held'))`;

/** Assigned to the caller or to one of the caller’s teams. */
export function assignedTo({ actor, teams }: Principal): Prisma.Sql {
  return sql`(
    (m.assignee_kind = 'user' AND m.assignee_id = ${actor.id})
    OR (m.assignee_kind = 'team' AND m.assignee_id = ANY (${[...teams]}::text[])))`;
}

/** Suggested for a case of the caller’s. */
export function suggestedTo({ actor }: Principal): Prisma.Sql {
  return sql`coalesce((
    SELECT caseworker FROM cases WHERE municipality = m.municipality AND case_id = m.suggested_case_id) = ${actor.id}, false)`;
}
