import { Prisma } from '../store/index.js';
import type { Principal } from './tokens.js';

/** What the caller owns, as a condition on a table with these columns. */
export function ownedBy({ municipality, actor }: Principal): Prisma.Sql {
  return Prisma.sql`municipality = ${municipality} AND owner_kind = ${actor.kind} AND owner = ${actor.id}`;
}
