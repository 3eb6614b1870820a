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
import { currentTime } from '../clock/index.js';
import { Problem } from '../errors/index.js';
import type { Caller } from './principal.js';
import { rememberVerified } from './remember-verified.js';
import type { IsRevoked } from './revocations.js';
import { type ClaimRules, type Identity, isEmpty, readIdentity, readOperator } from './token-claims.js';

export interface TokenVerifier {
  /** @throws Problem not-signed-in (the token is invalid) or unavailable (the issuer’s keys are unreachable) */
  verify(token: string): Promise<Identity>;
  /** Fetches the issuers’ keys if they are due. @throws when they are unreachable */
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
  /** Media type that the header of a token must name, such as at+jwt (RFC 9068); undefined = any or none. */
  readonly type?: string | undefined;
}

/** An issuer of callers’ tokens. */
export interface TokenIssuer extends TokenOptions {
  readonly rules: ClaimRules;
  /** It vouches for no user: how one signed in is not in its tokens. */
  readonly isForSystemsOnly?: boolean;
}

/** The issuer of users’ tokens, and how it calls what is in them. */
export type UsersIssuer = Pick<TokenIssuer, 'issuer'> & { readonly rules: Pick<ClaimRules, 'names'> };

// Never none, never a shared secret. Ed25519 is the newer name of what EdDSA mostly is (RFC 9864).
export const ALGORITHMS = ['EdDSA', 'Ed25519', 'ES256', 'PS256', 'PS384', 'PS512', 'RS256'];
export const CLOCK_SKEW_SECONDS = 30;
// A later expiry is none at all, mostly because it was written in milliseconds.
export const MAX_LIFE_SECONDS = 366 * 24 * 3_600;

// The key set did not arrive, or is not one: that says nothing about the token. The general code is jose's for an HTTP status
// other than 200.
const ISSUER_FAULTS: ReadonlySet<string> = new Set([
  errors.JOSEError.code,
  errors.JWKSTimeout.code,
  errors.JWKSInvalid.code,
]);

/** Whether a token could not be verified because of itself, and not because its issuer’s keys did not arrive. */
export const isFaultOfToken = (error: unknown): boolean =>
  error instanceof errors.JOSEError && !ISSUER_FAULTS.has(error.code);

// A key that is not known may be a new one, so the keys are fetched again, but not for every token that somebody makes up.
const JWKS_COOLDOWN_MS = 30_000;
const JWKS_TIMEOUT_MS = 5_000;

/** For the inbox API: tokens of municipalities, by any of these issuers. */
export async function createTokenVerifier(
  issuers: readonly TokenIssuer[],
  isRevoked: IsRevoked,
  now: () => number = clockOfInstallation,
): Promise<TokenVerifier> {
  const opened = await Promise.all(issuers.map(async (issuer) => ({ ...issuer, keys: await openKeySet(issuer.jwks) })));
  const remembering = rememberVerified(async (token) => {
    const named = issuerOf(token);
    const issuer = opened.find((each) => each.issuer === named);
    if (!issuer) throw notForUs();
    const payload = await verifySignature(token, issuer.keys, issuer, now());
    const identity = readIdentity(issuer.rules, payload);
    if (issuer.isForSystemsOnly && identity.actor.kind !== 'system') throw new Problem('not-signed-in', SYSTEMS_ONLY);
    await requireUnrevoked(isRevoked, identity);
    return {
      identity,
      validUntil: (Number(payload.exp) + CLOCK_SKEW_SECONDS) * 1_000,
    };
  }, now);
  return {
    ...remembering,
    async check() {
      await Promise.all(opened.map(async ({ keys }) => 'fresh' in keys && !keys.fresh && keys.reload()));
    },
  };
}

/** For the pages of operations: tokens of those who run the installation. Whether one is revoked is asked by who lets them in. */
export async function createOperatorVerifier(options: TokenOptions, users: UsersIssuer): Promise<OperatorVerifier> {
  const keys = await openKeySet(options.jwks);
  return {
    async verify(token) {
      const payload = await verifySignature(token, keys, options);
      return operatorOf(payload, users);
    },
  };
}

/** @throws Problem not-signed-in when the token, or the sign-in that a page remembers, was revoked */
export async function requireUnrevoked(isRevoked: IsRevoked, { revocable }: Pick<Caller, 'revocable'>): Promise<void> {
  if (!revocable || !(await isRevoked(revocable))) return;
  throw new Problem('not-signed-in', 'The sign-in was ended. Sign in again.');
}

/**
 * The operator whom verified claims name.
 *
 * @param users whose tokens may call the municipality otherwise: Indbakke.Drift in one of them is a role in that municipality only
 * @throws Problem role-missing when they name a municipality; not-signed-in when they are not as they must be
 */
export function operatorOf(claims: JWTPayload, users: UsersIssuer): Caller {
  const names = ['municipality', ...(claims.iss === users.issuer ? [users.rules.names.municipality ?? ''] : [])];
  if (!names.every((name) => isEmpty(claims[name]))) throw new Problem('role-missing', OPERATORS_ONLY);
  return readOperator(claims);
}

// A token is then as valid at one copy as at another, whatever their own clocks say.
const clockOfInstallation = () => currentTime().getTime();

/** When a verified token expires, in ms of the clock. */
export const expiryOf = (token: string): number => Number(decodeJwt(token).exp) * 1_000;

/** What the pages of operations require. */
export const OPERATORS_ONLY =
  'The pages of operations require a token for operations: with its audience, the role Indbakke.Drift and no municipality.';

const SYSTEMS_ONLY = 'The token is of the issuer of systems, and names a user.';

async function openKeySet(
  jwks: string,
): Promise<ReturnType<typeof createLocalJWKSet> | ReturnType<typeof createRemoteJWKSet>> {
  const url = new URL(jwks);
  if (url.protocol !== 'file:') {
    return createRemoteJWKSet(url, { cooldownDuration: JWKS_COOLDOWN_MS, timeoutDuration: JWKS_TIMEOUT_MS });
  }
  return createLocalJWKSet(JSON.parse(await readFile(fileURLToPath(url), 'utf8')));
}

async function verifySignature(
  token: string,
  keys: JWTVerifyGetKey,
  { issuer, audience, type }: TokenOptions,
  now = clockOfInstallation(),
): Promise<JWTPayload> {
  const currentDate = new Date(now);
  const options = { issuer, audience, algorithms: ALGORITHMS, clockTolerance: CLOCK_SKEW_SECONDS, currentDate };
  try {
    const { payload } = await jwtVerify(token, keys, {
      ...options,
      ...(type && { typ: type }),
      requiredClaims: ['exp'],
    });
    if (Number(payload.exp) <= now / 1_000 + MAX_LIFE_SECONDS) return payload;
  } catch (cause) {
    if (cause instanceof errors.JWTExpired) {
      throw new Problem('not-signed-in', 'The token has expired. Sign in again.', { cause });
    }
    if (isFaultOfToken(cause)) throw notForUs(cause);
    throw new Problem('unavailable', 'The token issuer’s keys are unreachable. Try again later.', { cause });
  }
  throw new Problem('not-signed-in', 'The token expires more than a year from now.');
}

/** As an unverified token says: it only tells which keys to try. */
function issuerOf(token: string): unknown {
  try {
    return decodeJwt(token).iss;
  } catch (cause) {
    throw notForUs(cause);
  }
}

function notForUs(cause?: unknown): Problem {
  return new Problem('not-signed-in', 'The token was not signed by the issuer for this service.', { cause });
}
