import type { DataConstraints } from './data-constraints.js';
import { parseRole } from './roles.js';
import type { Principal } from './tokens.js';
import { SEEING_ROLES } from './visibility.js';

/** The rights that a caller was last seen with, as they are kept for what is made later, when the caller does not call. */
export interface Rights {
  readonly roles: readonly string[];
  readonly teams: readonly string[];
  readonly constraints: DataConstraints;
}

/** Of all rights, those that decide what is visible. */
export function rightsOf({ roles, teams, constraints = {} }: Principal): Rights {
  return { roles: SEEING_ROLES.filter((role) => roles.has(role)), teams: [...new Set(teams)].sort(), constraints };
}

/** A row that has an owner with rights. */
export interface OwnerRow extends Rights {
  readonly municipality: string;
  readonly ownerKind: Principal['actor']['kind'];
  readonly owner: string;
}

/** The owner as a caller with the rights last seen. */
export function principalOf({ municipality, ownerKind, owner, roles, teams, constraints }: OwnerRow): Principal {
  return {
    municipality,
    actor: { kind: ownerKind, id: owner },
    roles: new Set(roles.map(parseRole).filter((role) => role !== undefined)),
    teams,
    constraints,
  };
}
