import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createLocalJWKSet, createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { z } from 'zod';
import type { Actor } from '../audit/index.js';
import { Problem } from '../errors/index.js';
import { parseRole, type Role } from './roles.js';

/** The caller, its municipality and its roles. */
export interface Principal {
  readonly actor: Actor;
  /** CVR number. A token is for one municipality. */
  readonly municipality: string;
  readonly roles: ReadonlySet<Role>;
  readonly teams: readonly string[];
}

export interface TokenVerifier {
  /** @throws Problem not-signed-in (the token is invalid) or unavailable (the issuer’s keys are unreachable) */
  verify(token: string): Promise<Principal>;
  /** Fetches the issuer’s keys if they are due. @throws when they are unreachable */
  check(): Promise<void>;
}

export interface TokenOptions {
  readonly issuer: string;
  readonly audience: string;
  /** URL of the issuer’s public keys: https://…, or file:///… for the local issuer. */
  readonly jwks: string;
}

// Our own claim names; an issuer with other names must be set up to map them.
const Claims = z.object({
  sub: z.string().min(1),
  municipality: z.string().regex(/^\d{8}$/),
  roles: z.array(z.string()).default([]),
  teams: z.array(z.string()).default([]),
  system: z.boolean().default(false),
  on_behalf_of: z.string().optional(),
});

const ALGORITHMS = ['EdDSA', 'ES256', 'PS256', 'RS256']; // never none, never a shared secret
const CLOCK_SKEW_SECONDS = 30;

// The key set did not arrive, or is not one: that says nothing about the token. The general code is jose's for an HTTP status
// other than 200.
const ISSUER_FAULTS: ReadonlySet<string> = new Set([
  errors.JOSEError.code,
  errors.JWKSTimeout.code,
  errors.JWKSInvalid.code,
]);

export async function createTokenVerifier({ issuer, audience, jwks }: TokenOptions): Promise<TokenVerifier> {
  const keys = await openKeySet(jwks);
  return {
    async verify(token) {
      const payload = await verifySignature(token, keys, { issuer, audience });
      const claims = Claims.safeParse(payload);
      if (!claims.success) {
        throw new Problem('not-signed-in', 'The token lacks a valid sub, municipality or roles.');
      }
      return toPrincipal(claims.data);
    },
    async check() {
      if ('fresh' in keys && !keys.fresh) await keys.reload();
    },
  };
}

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
  expected: { issuer: string; audience: string },
): Promise<JWTPayload> {
  try {
    const options = {
      ...expected,
      algorithms: ALGORITHMS,
      clockTolerance: CLOCK_SKEW_SECONDS,
      requiredClaims: ['exp'],
    };
    return (await jwtVerify(token, keys, options)).payload;
  } catch (cause) {
    if (cause instanceof errors.JWTExpired) {
      throw new Problem('not-signed-in', 'The token has expired. Sign in again.', { cause });
    }
    if (cause instanceof errors.JOSEError && !ISSUER_FAULTS.has(cause.code)) {
      throw new Problem('not-signed-in', 'The token was not signed by the issuer for this service.', { cause });
    }
    throw new Problem('unavailable', 'The token issuer’s keys are unreachable. Try again later.', { cause });
  }
}

function toPrincipal(claims: z.infer<typeof Claims>): Principal {
  return {
    actor: { kind: claims.system ? 'system' : 'user', id: claims.sub, onBehalfOf: claims.on_behalf_of },
    municipality: claims.municipality,
    roles: new Set(claims.roles.map(parseRole).filter((role) => role !== undefined)),
    teams: claims.teams,
  };
}
