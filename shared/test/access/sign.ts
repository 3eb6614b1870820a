import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { importJWK, type JWK, type JWTHeaderParameters, SignJWT } from 'jose';
import { LOCAL_AUDIENCE } from '../../../infra/src/local/issuer.js';
import type { Env } from '../../src/config/index.js';
import { LOCAL_ISSUER } from '../../src/config/index.js';

/** Claims of any kind; the local issuer’s own command would refuse some. */
export type Claims = Record<string, unknown>;

export interface Signing {
  readonly issuer?: string;
  readonly audience?: string | string[];
  /** As jose takes it: a time from now, such as `1h` or `-1h`; null = no expiry at all. */
  readonly expires?: string | null;
  readonly header?: JWTHeaderParameters;
  readonly key?: Parameters<SignJWT['sign']>[0];
}

/** The private key of the local issuer that the services trust. */
async function issuerKey(env: Env): Promise<Exclude<Parameters<SignJWT['sign']>[0], JWK>> {
  const file = fileURLToPath(env.TOKEN_JWKS as string).replace('.jwks.json', '.private.json');
  const jwk = JSON.parse(await readFile(file, 'utf8')) as JWK;
  return importJWK(jwk, 'EdDSA');
}

/** A token with exactly these claims, by default signed with the issuer’s key. */
export async function signToken(env: Env, claims: Claims, signing: Signing = {}): Promise<string> {
  const { issuer = LOCAL_ISSUER, audience = LOCAL_AUDIENCE, expires = '1h', header, key } = signing;
  const token = new SignJWT(claims)
    .setProtectedHeader(header ?? { alg: 'EdDSA', kid: 'local' })
    .setIssuer(issuer)
    .setAudience(audience);
  if (expires !== null) token.setExpirationTime(expires);
  return token.sign(key ?? (await issuerKey(env)));
}
