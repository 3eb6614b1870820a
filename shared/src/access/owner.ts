import type { Actor } from '../audit/index.js';
import { Prisma } from '../store/index.js';
import { ownIdOf, personOf } from './person.js';
import type { Principal } from './principal.js';

/** Who owns what the caller makes, to be made again and again: the person, whichever way that person calls. */
export function ownerOf({ actor }: Pick<Principal, 'actor'>): Pick<Actor, 'kind' | 'id'> {
  return { kind: personOf(actor) === undefined ? 'system' : 'user', id: ownIdOf(actor) };
}

/** What the caller owns so, as a condition on a table with these columns. */
export function ownedBy(principal: Principal): Prisma.Sql {
  const { kind, id } = ownerOf(principal);
  return Prisma.sql`municipality = ${principal.municipality} AND owner_kind = ${kind} AND owner = ${id}`;
}

/** The caller’s own, made once: of a system that calls for a user, what it made for that user. */
export function ofCaller({ municipality, actor: { kind, id, onBehalfOf } }: Principal): Prisma.Sql {
  return Prisma.sql`municipality = ${municipality} AND owner_kind = ${kind} AND owner = ${id}
    AND on_behalf_of IS NOT DISTINCT FROM ${onBehalfOf ?? null}::text`;
}
