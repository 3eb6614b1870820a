import type { Actor } from '../audit/index.js';
import { type ErrorCode, Problem } from '../errors/index.js';
import { combine, intersect, type Limits } from './data-constraints.js';
import { VOID_REASONS, type Voided } from './privileges.js';
import type { Revocable } from './revocations.js';
import type { Role } from './roles.js';
import type { Identity } from './token-claims.js';

/** Who signed in, with which roles. Without a municipality: an operator, who sees no messages. */
export interface Caller {
  readonly actor: Actor;
  readonly roles: ReadonlySet<Role>;
  /** By what the token can be revoked; undefined where there was none. */
  readonly revocable?: Revocable | undefined;
}

/** The caller, its municipality and its roles. */
export interface Principal extends Caller {
  /** CVR number. A call is for one municipality; one of operations is for INSTALLATION (shared/src/audit). */
  readonly municipality: string;
  readonly teams: readonly string[];
  /** Which contact points’ messages a role is limited to; absent = none is limited. */
  readonly limits?: Limits | undefined;
  /** CVR number of the caller’s own authority, where it is another one. */
  readonly home?: string | undefined;
  /** Why rights in this municipality count for nothing. */
  readonly voided?: readonly Voided['reason'][] | undefined;
  /** Why the caller may do nothing at all (refusalOf). */
  readonly refusal?: keyof typeof REFUSALS | undefined;
  /** Of the present call: the role that allowed it, and the address that it came from (Doer). */
  readonly role?: Role | undefined;
  readonly origin?: string | undefined;
}

/**
 * The caller in one municipality.
 *
 * @param asked CVR number, where the call names one (Indbakke-Municipality)
 * @throws Problem municipality-required when the token grants rights in several and none is asked for
 */
export function principalIn(identity: Identity, asked?: string): Principal {
  const { actor, teams, home, grants, voided, lacks, revocable } = identity;
  const choices = [...grants.keys()];
  const without = voided.map((each) => each.municipality);
  const [first = without[0] ?? home ?? ''] = choices;
  if (asked === undefined && choices.length > 1) throw severalMunicipalities(choices);
  const municipality = asked !== undefined && [...choices, ...without, home].includes(asked) ? asked : first;
  const isElsewhere = asked !== undefined && asked !== municipality;
  return {
    actor,
    teams,
    municipality,
    revocable,
    ...combine(isElsewhere ? [] : (grants.get(municipality) ?? [])),
    ...(home !== undefined && home !== municipality && { home }),
    voided: voided.filter((each) => each.municipality === municipality).map(({ reason }) => reason),
    refusal: isElsewhere ? 'elsewhere' : lacks,
  };
}

/**
 * A system that acts for a user: it may do what both may, in the municipality of both, as the user.
 *
 * @throws Problem bad-request when the one is no system, or the other no user
 */
export function actingFor(system: Principal, user: Principal): Principal {
  if (system.actor.kind !== 'system' || system.actor.onBehalfOf !== undefined) {
    throw new Problem(
      'bad-request',
      'Only the token of a system that acts for nobody goes with Indbakke-On-Behalf-Of.',
    );
  }
  if (user.actor.kind !== 'user' || user.actor.onBehalfOf !== undefined) {
    throw new Problem('bad-request', 'The token in Indbakke-On-Behalf-Of must be a user’s own.');
  }
  return {
    ...user,
    ...intersect(system, user),
    actor: { kind: 'system', id: system.actor.id, onBehalfOf: user.actor.id },
    voided: [...(system.voided ?? []), ...(user.voided ?? [])],
    refusal: system.refusal ?? user.refusal,
  };
}

/** What a refused caller is told of rights that count for nothing; empty when there are none. */
export function tellVoided({ voided = [] }: Principal): string {
  const reasons = [...new Set(voided)].map((reason) => VOID_REASONS[reason]);
  return reasons.length === 0
    ? ''
    : ` Rights of the token do not count: a group of them ${reasons.join('; another ')}.`;
}

/** The problem of a caller who may do nothing at all. */
export function refusalOf({ refusal }: Principal): Problem | undefined {
  if (refusal === undefined) return undefined;
  const [code, detail] = REFUSALS[refusal];
  return new Problem(code, detail);
}

const REFUSALS = {
  elsewhere: ['role-missing', 'The token has no rights in the municipality that Indbakke-Municipality names.'],
  level: ['assurance-too-low', 'The level of assurance of the sign-in is too low. Sign in with a stronger means.'],
  'second-factor': [
    'second-factor-missing',
    'The sign-in had one factor. Sign in with two, such as a password and a code.',
  ],
} as const satisfies Record<string, readonly [ErrorCode, string]>;

function severalMunicipalities(choices: readonly string[]): Problem {
  const detail = `The token has rights in ${choices.join(', ')}. Name one of them with Indbakke-Municipality.`;
  return new Problem('municipality-required', detail, { choices });
}
