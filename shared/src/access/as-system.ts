import type { Actor } from '../audit/index.js';
import type { Principal } from './principal.js';

/** A system as the one who makes a change, without a call. */
export function asSystem(municipality: string, actor: Actor): Principal {
  return { municipality, actor, roles: new Set(), teams: [] };
}
