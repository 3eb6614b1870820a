import { createRemoteJWKSet, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type Configuration,
  calculatePKCECodeChallenge,
  discovery,
  enableNonRepudiationChecks,
  None,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client';
import { z } from 'zod';
import { ALGORITHMS, CLOCK_SKEW_SECONDS, isFaultOfToken, type Revoked } from '../access/index.js';
import { currentTime } from '../clock/index.js';
import { isOnLoopback, SECOND } from '../config/index.js';
import { Problem } from '../errors/index.js';

export interface OidcOptions {
  readonly issuer: string;
  readonly clientId: string;
  /** Undefined for a public client, which has none. */
  readonly clientSecret: string | undefined;
  readonly scope: string;
  /** What the issuer is asked to make sure of, such as a level of assurance; undefined = nothing. */
  readonly acrValues?: string | undefined;
}

/** What must be remembered between the way to the issuer and the way back. */
export const Pending = z.object({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  redirectUri: z.string(),
  /** Where the person wanted to go. */
  to: z.string(),
  /** CVR number of the municipality that the person chose, of several. */
  municipality: z.string().optional(),
});
export type Pending = Readonly<z.infer<typeof Pending>>;

const TIMEOUT_SECONDS = 10;

const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const LOGOUT_WITHIN_SECONDS = 300;
const LogoutClaims = z.object({
  sid: z.string().min(1).optional(),
  sub: z.string().min(1).optional(),
  events: z.record(z.string(), z.unknown()),
  nonce: z.unknown().optional(),
  iat: z.number(),
});

/** Signs people in at an OpenID Connect issuer: authorization code flow with PKCE, and a signed id token. */
export class OidcSignIn {
  readonly #options: OidcOptions;
  #discovered: Promise<Configuration> | undefined;
  #keys: JWTVerifyGetKey | undefined;

  constructor(options: OidcOptions) {
    this.#options = options;
  }

  /** @throws Problem unavailable when the issuer does not answer */
  async begin(
    redirectUri: string,
    wish: Pick<Pending, 'to' | 'municipality'>,
  ): Promise<{ readonly url: string; readonly pending: Pending }> {
    const pending = {
      state: randomState(),
      nonce: randomNonce(),
      verifier: randomPKCECodeVerifier(),
      redirectUri,
      ...wish,
    };
    const { scope, acrValues } = this.#options;
    const url = buildAuthorizationUrl(await this.#configuration(), {
      redirect_uri: redirectUri,
      scope,
      ...(acrValues !== undefined && { acr_values: acrValues }),
      code_challenge: await calculatePKCECodeChallenge(pending.verifier),
      code_challenge_method: 'S256',
      state: pending.state,
      nonce: pending.nonce,
    });
    return { url: url.href, pending };
  }

  /**
   * @param query of the URL that the issuer has sent the browser to
   * @returns the claims of the id token
   * @throws Problem not-signed-in when the issuer refused, or the answer is not to what was begun
   */
  async end(query: string, { state, nonce, verifier, redirectUri }: Pending): Promise<JWTPayload> {
    const configuration = await this.#configuration();
    try {
      const tokens = await authorizationCodeGrant(configuration, new URL(`${redirectUri}?${query}`), {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      });
      return tokens.claims() as JWTPayload;
    } catch (cause) {
      throw new Problem('not-signed-in', 'The issuer did not sign you in. Try again.', { cause });
    }
  }

  /**
   * What a logout token ends, as of when it was issued: sent again, it ends nothing that began since (OpenID Connect Back-Channel
   * Logout 1.0, 2.6).
   *
   * @throws Problem bad-request when it is not one of the issuer for us; unavailable when the issuer does not answer
   */
  async readLogout(logoutToken: string): Promise<{ readonly revoked: Revoked; readonly at: Date }> {
    const { issuer, jwks_uri: jwks = '' } = (await this.#configuration()).serverMetadata();
    this.#keys ??= createRemoteJWKSet(new URL(jwks), { timeoutDuration: TIMEOUT_SECONDS * SECOND });
    const { payload } = await jwtVerify(logoutToken, this.#keys, {
      issuer,
      audience: this.#options.clientId,
      algorithms: ALGORITHMS,
      requiredClaims: ['iat', 'jti', 'events'],
      maxTokenAge: LOGOUT_WITHIN_SECONDS,
      clockTolerance: CLOCK_SKEW_SECONDS,
      currentDate: currentTime(),
    }).catch((cause: unknown) => {
      throw isFaultOfToken(cause) ? noLogoutToken(cause) : issuerAway(cause);
    });
    const { data } = LogoutClaims.safeParse(payload);
    // An id token has a nonce, and no such event.
    if (!data || data.nonce !== undefined || !Object.hasOwn(data.events, LOGOUT_EVENT)) throw noLogoutToken();
    const { sid, sub, iat } = data;
    const at = new Date(iat * SECOND);
    if (sid !== undefined) return { revoked: { issuer, kind: 'session', id: sid }, at };
    if (sub !== undefined) return { revoked: { issuer, kind: 'user', id: sub }, at };
    throw noLogoutToken();
  }

  // Anew after a failure: the issuer may have been away.
  #configuration(): Promise<Configuration> {
    this.#discovered ??= this.#discover().catch((cause: unknown) => {
      this.#discovered = undefined;
      throw issuerAway(cause);
    });
    return this.#discovered;
  }

  #discover(): Promise<Configuration> {
    const { issuer, clientId, clientSecret } = this.#options;
    const url = new URL(issuer);
    const isLocal = url.protocol === 'http:' && isOnLoopback(issuer);
    return discovery(url, clientId, clientSecret, clientSecret === undefined ? None() : undefined, {
      execute: [enableNonRepudiationChecks, ...(isLocal ? [allowInsecureRequests] : [])],
      timeout: TIMEOUT_SECONDS,
    });
  }
}

const noLogoutToken = (cause?: unknown) =>
  new Problem('bad-request', 'It is not a logout token of the issuer for this client.', { cause });

const issuerAway = (cause: unknown) =>
  new Problem('unavailable', 'The issuer that signs people in does not answer. Try again later.', { cause });
