import type { DataConstraints, Limits } from './data-constraints.js';
import type { Principal } from './principal.js';
import { parseRole, type Role } from './roles.js';
import { SEEING_ROLES } from './visibility.js';

/** The rights that a caller was last seen with, as they are kept for what is made later, when the caller does not call. */
export interface Rights {
  readonly roles: readonly string[];
  readonly teams: readonly string[];
  /** Those of all its roles; by role where they differ. */
  readonly constraints: DataConstraints | Limits;
}

/** Of all rights, those that decide what is visible. */
export function rightsOf({ roles, teams, limits = {} }: Principal): Rights {
  const seeing = SEEING_ROLES.filter((role) => roles.has(role));
  return {
    roles: seeing,
    teams: [...new Set(teams)].sort(),
    constraints: constraintsOf(
      limits,
      READING.filter((role) => roles.has(role)),
    ),
  };
}

/** The roles that data constraints limit in what they show. */
const READING = ['IndkomneDokumenter.Læs', 'IndkomneDokumenter.SeAlle'] as const satisfies readonly Role[];

function constraintsOf(limits: Limits, reading: readonly Role[]): Rights['constraints'] {
  const each = reading.map((role) => limits[role]);
  const [first, ...others] = each;
  const isOfAll = first?.length === 1 && others.every((sets) => JSON.stringify(sets) === JSON.stringify(first));
  if (isOfAll) return first[0] as DataConstraints;
  return Object.fromEntries(reading.map((role, at) => [role, each[at]]).filter(([, sets]) => sets !== undefined));
}

function limitsOf(constraints: Rights['constraints']): Limits {
  const names = Object.keys(constraints);
  if (names.length === 0) return {};
  if (names.some((name) => READING.some((role) => role === name))) return constraints as Limits;
  return Object.fromEntries(READING.map((role) => [role, [constraints as DataConstraints]]));
}

/** A row that has an owner with rights. */
export interface OwnerRow extends Rights {
  readonly municipality: string;
  readonly ownerKind: Principal['actor']['kind'];
  readonly owner: string;
  /** The user whom a system made it for. */
  readonly onBehalfOf?: string | null;
}

/** The owner as a caller with the rights last seen. */
export function principalOf({
  municipality,
  ownerKind,
  owner,
  onBehalfOf,
  roles,
  teams,
  constraints,
}: OwnerRow): Principal {
  return {
    municipality,
    actor: { kind: ownerKind, id: owner, onBehalfOf: onBehalfOf ?? undefined },
    roles: new Set(roles.map(parseRole).filter((role) => role !== undefined)),
    teams,
    limits: limitsOf(constraints),
  };
}
