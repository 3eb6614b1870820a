import { Prisma } from '../store/index.js';
import type { Principal } from './tokens.js';

/** What the caller owns, as a condition on a table with these columns. */
export function ownedBy({ municipality, actor }: Principal): Prisma.Sql {
  return Prisma.sql`municipality = ${municipality} AND owner_kind = ${actor.kind} AND owner = ${actor.id}`;
}

/** The caller’s own: of a system that calls for a user, what it owns for that user. */
export function ofCaller(principal: Principal): Prisma.Sql {
  const { onBehalfOf = null } = principal.actor;
  return Prisma.sql`${ownedBy(principal)} AND on_behalf_of IS NOT DISTINCT FROM ${onBehalfOf}::text`;
}
