import type { Actor } from '../audit/index.js';

/** The person who acts: the user, or the one whom a system acts for; undefined of a system that acts by itself. */
export function personOf({ kind, id, onBehalfOf }: Actor): string | undefined {
  return kind === 'user' ? id : onBehalfOf;
}

/** Whose the caller’s own is: the person’s; of a system that acts by itself, the system’s. */
export function ownIdOf(actor: Actor): string {
  return personOf(actor) ?? actor.id;
}
