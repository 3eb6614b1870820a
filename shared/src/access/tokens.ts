import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  decodeJwt,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import { z } from 'zod';
import type { Actor } from '../audit/index.js';
import { Problem } from '../errors/index.js';
import { combine, dataConstraintsOf, type Limits } from './data-constraints.js';
import { rememberVerified } from './remember-verified.js';
import { parseRole, type Role } from './roles.js';

/** Who signed in, with which roles. Without a municipality: an operator, who sees no messages. */
export interface Caller {
  readonly actor: Actor;
  readonly roles: ReadonlySet<Role>;
}

/** The caller, its municipality and its roles. */
export interface Principal extends Caller {
  /** CVR number. A token is for one municipality; one for operations is for INSTALLATION (shared/src/audit). */
  readonly municipality: string;
  readonly teams: readonly string[];
  /** Which contact points’ messages a role is limited to; absent = none is limited. */
  readonly limits?: Limits | undefined;
  /** Of the present call: the role that allowed it, and the address that it came from (Doer). */
  readonly role?: Role | undefined;
  readonly origin?: string | undefined;
}

export interface TokenVerifier {
  /** @throws Problem not-signed-in (the token is invalid) or unavailable (the issuer’s keys are unreachable) */
  verify(token: string): Promise<Principal>;
  /** Fetches the issuer’s keys if they are due. @throws when they are unreachable */
  check(): Promise<void>;
}

export interface OperatorVerifier {
  /**
   * @throws Problem as TokenVerifier does, or role-missing when the token names a municipality: the queues hold jobs of all
   */
  verify(token: string): Promise<Caller>;
}

export interface TokenOptions {
  readonly issuer: string;
  readonly audience: string;
  /** URL of the issuer’s public keys: https://…, or file:///… for the local issuer. */
  readonly jwks: string;
}

// Ids go into rows and answers. PostgreSQL takes no NUL, stores half a surrogate pair as U+FFFD, and that is what is left of
// text in another encoding: two callers must not become one.
const Id = z
  .string()
  .max(256)
  .refine((id) => !/[\p{Cc}\p{Surrogate}\uFFFD]/u.test(id))
  .trim()
  .min(1);

const isEmpty = (value: unknown) => value == null || (typeof value === 'string' && value.trim() === '');

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

// Our own claim names; an issuer with other names must be set up to map them. What is null or empty counts as absent.
const OperatorClaims = z.object({
  sub: Id.describe('an id of 1 to 256 characters, none of them a control character'),
  roles: listOf(z.string().trim()).describe('a list of at most 500 roles'),
  system: z
    .union([z.boolean(), z.stringbool({ truthy: ['true'], falsy: ['false'] })])
    .default(false)
    .describe('true or false'),
  on_behalf_of: Id.optional().describe('an id of 1 to 256 characters, none of them a control character'),
});

const Claims = OperatorClaims.extend({
  municipality: Municipality.describe('the CVR number of one municipality'),
  teams: listOf(Id).describe('a list of at most 500 ids of 1 to 256 characters, none of them a control character'),
  kle: limitOf.describe('a list of at most 500 KLE numbers, such as 27.24, none of them empty'),
  org_unit: limitOf.describe('a list of at most 500 ids of org units, none of them empty'),
  sensitivity: limitOf.describe('a list of at most 500 words, none of them empty'),
});

// Never none, never a shared secret. Ed25519 is the newer name of what EdDSA mostly is (RFC 9864).
const ALGORITHMS = ['EdDSA', 'Ed25519', 'ES256', 'PS256', 'PS384', 'PS512', 'RS256'];
const CLOCK_SKEW_SECONDS = 30;
// A later expiry is none at all, mostly because it was written in milliseconds.
const MAX_LIFE_SECONDS = 366 * 24 * 3_600;

// The key set did not arrive, or is not one: that says nothing about the token. The general code is jose's for an HTTP status
// other than 200.
const ISSUER_FAULTS: ReadonlySet<string> = new Set([
  errors.JOSEError.code,
  errors.JWKSTimeout.code,
  errors.JWKSInvalid.code,
]);

/** For the inbox API: tokens of municipalities. */
export async function createTokenVerifier(options: TokenOptions, now: () => number = Date.now): Promise<TokenVerifier> {
  const keys = await openKeySet(options.jwks);
  const remembering = rememberVerified(async (token) => {
    const payload = await verifySignature(token, keys, options, now());
    return { principal: userOf(payload), validUntil: (Number(payload.exp) + CLOCK_SKEW_SECONDS) * 1_000 };
  }, now);
  return {
    ...remembering,
    async check() {
      if ('fresh' in keys && !keys.fresh) await keys.reload();
    },
  };
}

/** For the pages of operations: tokens of those who run the installation. */
export async function createOperatorVerifier(options: TokenOptions): Promise<OperatorVerifier> {
  const keys = await openKeySet(options.jwks);
  return {
    async verify(token) {
      const payload = await verifySignature(token, keys, options);
      return operatorOf(payload);
    },
  };
}

/**
 * Whom verified claims of a municipality name.
 *
 * @throws Problem not-signed-in when they are not as they must be
 */
export function userOf(payload: JWTPayload): Principal {
  const claims = parseClaims(Claims, payload);
  const { municipality, teams, kle, org_unit: orgUnit, sensitivity } = claims;
  const { actor, roles } = toCaller(claims);
  const { limits } = combine([{ roles: [...roles], constraints: dataConstraintsOf({ kle, orgUnit, sensitivity }) }]);
  return { actor, roles, municipality, teams, limits };
}

/**
 * The operator whom verified claims name.
 *
 * @throws Problem role-missing when they name a municipality; not-signed-in when they are not as they must be
 */
export function operatorOf(claims: JWTPayload): Caller {
  if (!isEmpty(claims.municipality)) throw new Problem('role-missing', OPERATORS_ONLY);
  return toCaller(parseClaims(OperatorClaims, claims));
}

/** When a verified token expires, in ms of the clock. */
export const expiryOf = (token: string): number => Number(decodeJwt(token).exp) * 1_000;

/** What the pages of operations require. */
export const OPERATORS_ONLY =
  'The pages of operations require a token for operations: with its audience, the role Indbakke.Drift and no municipality.';

async function openKeySet(
  jwks: string,
): Promise<ReturnType<typeof createLocalJWKSet> | ReturnType<typeof createRemoteJWKSet>> {
  const url = new URL(jwks);
  if (url.protocol !== 'file:') return createRemoteJWKSet(url);
  return createLocalJWKSet(JSON.parse(await readFile(fileURLToPath(url), 'utf8')));
}

async function verifySignature(
  token: string,
  keys: JWTVerifyGetKey,
  { issuer, audience }: TokenOptions,
  now = Date.now(),
): Promise<JWTPayload> {
  const currentDate = new Date(now);
  const options = { issuer, audience, algorithms: ALGORITHMS, clockTolerance: CLOCK_SKEW_SECONDS, currentDate };
  try {
    const { payload } = await jwtVerify(token, keys, { ...options, requiredClaims: ['exp'] });
    if (Number(payload.exp) <= now / 1_000 + MAX_LIFE_SECONDS) return payload;
  } catch (cause) {
    if (cause instanceof errors.JWTExpired) {
      throw new Problem('not-signed-in', 'The token has expired. Sign in again.', { cause });
    }
    if (cause instanceof errors.JOSEError && !ISSUER_FAULTS.has(cause.code)) {
      throw new Problem('not-signed-in', 'The token was not signed by the issuer for this service.', { cause });
    }
    throw new Problem('unavailable', 'The token issuer’s keys are unreachable. Try again later.', { cause });
  }
  throw new Problem('not-signed-in', 'The token expires more than a year from now.');
}

function parseClaims<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  payload: JWTPayload,
): z.infer<z.ZodObject<Shape>> {
  const given = Object.entries(payload).filter(([, value]) => !isEmpty(value));
  const result = schema.safeParse(Object.fromEntries(given));
  if (result.success) return result.data;
  const claim = String(result.error.issues[0]?.path[0]);
  const { description } = schema.shape[claim] as z.ZodType;
  throw new Problem('not-signed-in', `The token’s claim ${claim} must be ${description}.`);
}

function toCaller(claims: z.infer<typeof OperatorClaims>): Caller {
  return {
    actor: { kind: claims.system ? 'system' : 'user', id: claims.sub, onBehalfOf: claims.on_behalf_of },
    roles: new Set(claims.roles.map(parseRole).filter((role) => role !== undefined)),
  };
}
