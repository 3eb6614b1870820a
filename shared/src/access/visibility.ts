import { Prisma } from '../store/index.js';
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
  const { municipality, roles } = principal;
  const seen: Prisma.Sql[] = [];
  if (roles.has('IndkomneDokumenter.Læs')) {
    seen.push(roles.has('IndkomneDokumenter.SeAlle') ? INBOX : sql`(${INBOX} AND ${ownedBy(principal)})`);
  }
  if (roles.has('Indbakke.Opsætning') || roles.has('Indbakke.Drift')) seen.push(HELD);
  const any = seen.length === 0 ? sql`false` : Prisma.join(seen, ' OR ', '(', ')');
  return sql`m.municipality = ${municipality} AND ${any}`;
}

const INBOX = sql`(m.status IN ('pending', 'journalized') OR (m.status = 'rejected' AND m.status_before = 'pending'))`;
const HELD = sql`(m.status = 'held' OR (m.status = 'rejected' AND m.status_before = 'held'))`;

function ownedBy(principal: Principal): Prisma.Sql {
  return sql`(${assignedTo(principal)} OR ${suggestedTo(principal)})`;
}

/** Assigned to the caller or to one of the caller’s teams. */
export function assignedTo({ actor, teams }: Principal): Prisma.Sql {
  return sql`(
    (m.assignee_kind = 'user' AND m.assignee_id = ${actor.id})
    OR (m.assignee_kind = 'team' AND m.assignee_id = ANY (${[...teams]}::text[])))`;
}

/**
 * Suggested for a case of the caller’s. The cases are read first, into an array: an OR with a subquery uses no index, and
 * reads every message of the status.
 */
export function suggestedTo({ actor, municipality }: Principal): Prisma.Sql {
  return sql`m.suggested_case_id = ANY (ARRAY(
    SELECT case_id FROM cases WHERE municipality = ${municipality} AND caseworker = ${actor.id}))`;
}
