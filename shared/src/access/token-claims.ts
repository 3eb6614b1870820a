import type { JWTPayload } from 'jose';
import { z } from 'zod';
import { type Actor, OUR_SYSTEMS } from '../audit/index.js';
import { Problem } from '../errors/index.js';
import { type Assurance, assuranceOf, type RequiredAssurance } from './assurance.js';
import { type ConstraintName, type Grant, parseConstraints } from './data-constraints.js';
import type { Caller } from './principal.js';
import { readPrivileges, type Voided } from './privileges.js';
import { type Revocable, revocableOf } from './revocations.js';
import { parseRole, type Role } from './roles.js';

/** What is read of a token, by our names. */
const CLAIMS = [
  'user',
  'system',
  'actor',
  'onBehalfOf',
  'municipality',
  'roles',
  'teams',
  'kle',
  'orgUnit',
  'sensitivity',
  'itSystem',
  'privileges',
  'assurance',
  'authenticatorAssurance',
  'factors',
] as const;
export type Claim = (typeof CLAIMS)[number];

/** What issuers call them. A claim without a name is not read. */
export type ClaimNames = Readonly<Partial<Record<Claim, string>>>;

// RFC 7519 (sub), 8693 (act), 8176 (amr).
const REGISTERED = { user: 'sub', factors: 'amr' } as const;
// OIOSAML 3.0 and NSIS; that Context Handler’s OpenID Connect uses the names of the attributes is assumed.
const NSIS = {
  assurance: 'https://data.gov.dk/concept/core/nsis/loa',
  authenticatorAssurance: 'https://data.gov.dk/concept/core/nsis/aal',
} as const;

/** The names of claims by the kind of issuer. */
export const CLAIM_NAMES = {
  local: {
    ...REGISTERED,
    ...NSIS,
    system: 'system',
    actor: 'act',
    onBehalfOf: 'on_behalf_of',
    municipality: 'municipality',
    roles: 'roles',
    teams: 'teams',
    kle: 'kle',
    orgUnit: 'org_unit',
    sensitivity: 'sensitivity',
    itSystem: 'it_system',
  },
  'context-handler-2': {
    ...REGISTERED,
    ...NSIS,
    municipality: 'https://data.gov.dk/model/core/eid/professional/cvr',
    teams: 'teams',
    privileges: 'https://data.gov.dk/model/core/eid/privilegesIntermediate',
  },
} as const satisfies Record<string, ClaimNames>;

/** How the tokens of an issuer are read. */
export interface ClaimRules {
  readonly names: ClaimNames;
  /** Of privileges: which are roles of ours, and which constraints are known. */
  readonly roleOf: (privilege: string) => Role | undefined;
  readonly constraintOf: (name: string) => ConstraintName | undefined;
  readonly required: RequiredAssurance;
}

/** Those of our own names, without a level of assurance. */
export const LOCAL_RULES: ClaimRules = {
  names: CLAIM_NAMES.local,
  roleOf: () => undefined,
  constraintOf: () => undefined,
  required: { level: undefined, secondFactor: false },
};

/** Whom verified claims name, and what they grant. */
export interface Identity {
  readonly actor: Actor;
  readonly teams: readonly string[];
  /** CVR number of the user’s own authority, where rights may be in another one; else undefined. */
  readonly home: string | undefined;
  /** Roles by CVR number. */
  readonly grants: ReadonlyMap<string, readonly Grant[]>;
  /** Rights that count for nothing. */
  readonly voided: readonly Voided[];
  /** What the issuer’s users must have and this one lacks. */
  readonly lacks: Assurance | undefined;
  readonly revocable: Revocable;
}

// Ids go into rows and answers. PostgreSQL takes no NUL, stores half a surrogate pair as U+FFFD, and that is what is left of
// text in another encoding: two callers must not become one.
const Id = z
  .string()
  .max(256)
  .refine((id) => !/[\p{Cc}\p{Surrogate}\uFFFD]/u.test(id))
  .trim()
  .min(1);
const AN_ID = 'an id of 1 to 256 characters, none of them a control character';

export const isEmpty = (value: unknown) => value == null || (typeof value === 'string' && value.trim() === '');

/** AD FS and .NET write a list of one as a text, and an empty one as null. */
const listOf = (item: z.ZodString) =>
  z
    .union([z.array(z.unknown()), z.string().transform((text) => [text])])
    .default([])
    .transform((list) => list.filter((entry) => !isEmpty(entry)))
    .pipe(z.array(item).max(500));

/** The same, but of something unreadable nothing is left out: it limits, and less of it is more access. */
const limitOf = z
  .union([z.array(z.unknown()), z.string().transform((text) => [text])])
  .default([])
  .pipe(z.array(Id).max(500));

/** Also as a number, as a list of one, and as a VAT number (`DK22222222`). */
const Municipality = z
  .union([z.string(), z.number(), z.tuple([z.string()])])
  .transform((value) => String(value).replace(/^\s*DK|[\s-]/gi, ''))
  .pipe(z.string().regex(/^\d{8}$/));

const oneText = z.union([z.string(), z.tuple([z.string()]).transform(([text]) => text)]);

const Claims = z.object({
  user: Id.describe(AN_ID),
  system: z
    .union([z.boolean(), z.stringbool({ truthy: ['true'], falsy: ['false'] })])
    .default(false)
    .describe('true or false'),
  actor: z.object({ sub: Id }).optional().describe(`an object with sub, ${AN_ID}`),
  onBehalfOf: Id.optional().describe(AN_ID),
  municipality: Municipality.describe('the CVR number of one municipality'),
  roles: listOf(z.string().trim()).describe('a list of at most 500 roles'),
  teams: listOf(Id).describe('a list of at most 500 ids of 1 to 256 characters, none of them a control character'),
  kle: limitOf.describe('a list of at most 500 KLE numbers, such as 27.24, none of them empty'),
  orgUnit: limitOf.describe('a list of at most 500 ids of org units, none of them empty'),
  sensitivity: limitOf.describe('a list of at most 500 words, none of them empty'),
  itSystem: limitOf.describe('a list of at most 500 ids of IT systems, none of them empty'),
  privileges: oneText.default('').describe('an OIO Basic Privilege Profile in base64'),
  assurance: oneText.optional().describe('Low, Substantial or High'),
  authenticatorAssurance: oneText.optional().describe('Low, Substantial or High'),
  factors: listOf(z.string()).describe('a list of at most 500 authentication methods'),
});

/**
 * Whom verified claims name, and what they grant.
 *
 * @throws Problem not-signed-in when they are not as they must be
 */
export function readIdentity(rules: ClaimRules, payload: JWTPayload): Identity {
  const claims = parseClaims(Claims, rules.names, payload);
  const { teams, municipality } = claims;
  const lacks = assuranceOf(claims, rules.required);
  const common = { actor: actorOf(claims), teams, lacks, revocable: revocableOf(payload) };
  if (rules.names.privileges) {
    return { ...common, home: municipality, ...readPrivileges(claims.privileges, rules) };
  }
  const constraints = parseConstraints(claims);
  if (!constraints) {
    throw new Problem('not-signed-in', 'The token has a data constraint with a value that cannot be applied.');
  }
  const grant = { roles: rolesOf(claims), constraints };
  return { ...common, home: undefined, grants: new Map([[municipality, [grant]]]), voided: [] };
}

const OperatorClaims = Claims.pick({ user: true, roles: true, system: true, actor: true, onBehalfOf: true });

/**
 * The operator whom verified claims name, by our own names.
 *
 * @throws Problem not-signed-in when they are not as they must be
 */
export function readOperator(payload: JWTPayload): Caller {
  const claims = parseClaims(OperatorClaims, CLAIM_NAMES.local, payload);
  return { actor: actorOf(claims), roles: new Set(rolesOf(claims)), revocable: revocableOf(payload) };
}

type OperatorClaims = z.infer<typeof OperatorClaims>;

/** A token that was exchanged (RFC 8693, 4.1) is of the user, and names the system that acts. */
function actorOf({ user, system, actor, onBehalfOf }: OperatorClaims): Actor {
  const who: Actor = actor
    ? { kind: 'system', id: actor.sub, onBehalfOf: user }
    : { kind: system ? 'system' : 'user', id: user, onBehalfOf };
  if (who.kind === 'system' && OUR_SYSTEMS.has(who.id)) {
    throw new Problem('not-signed-in', 'The token names a system of ours. Let its issuer give the caller another id.');
  }
  return who;
}

const rolesOf = ({ roles }: OperatorClaims): Role[] => roles.map(parseRole).filter((role) => role !== undefined);

function parseClaims<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  names: ClaimNames,
  payload: JWTPayload,
): z.infer<z.ZodObject<Shape>> {
  const named = Object.entries(names).filter(([, name]) => Object.hasOwn(payload, name) && !isEmpty(payload[name]));
  const result = schema.safeParse(Object.fromEntries(named.map(([claim, name]) => [claim, payload[name]])));
  if (result.success) return result.data;
  const claim = String(result.error.issues[0]?.path[0]);
  const { description } = schema.shape[claim] as z.ZodType;
  throw new Problem('not-signed-in', `The token’s claim ${names[claim as Claim] ?? claim} must be ${description}.`);
}
