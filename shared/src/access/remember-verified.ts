import type { Identity } from './token-claims.js';
import type { TokenVerifier } from './tokens.js';

/** A verified token: whom it names, and until when it is valid, in ms of the clock. */
export interface Verified {
  readonly identity: Identity;
  readonly validUntil: number;
}

// A key that the issuer withdraws, or a token that is revoked, is trusted for as long.
const REMEMBERED_MS = 30_000;
// More callers than a municipality has at once; a thousand tokens are a few MB.
const MAX_REMEMBERED = 1_000;

/**
 * Verifies each token once and remembers it for some seconds, never beyond its expiry: a caseworker’s program calls many
 * times with one token, and a signature takes as long to verify as a message to read. What is refused is not remembered.
 */
export function rememberVerified(
  verify: (token: string) => Promise<Verified>,
  now: () => number,
): Pick<TokenVerifier, 'verify'> {
  const remembered = new Map<string, Verified>();
  return {
    async verify(token) {
      const known = remembered.get(token);
      if (known && now() < known.validUntil) return known.identity;
      const { identity, validUntil } = await verify(token);
      remembered.delete(token); // a Map keeps the order in which keys came
      remembered.set(token, { identity, validUntil: Math.min(validUntil, now() + REMEMBERED_MS) });
      const [oldest] = remembered.keys();
      if (remembered.size > MAX_REMEMBERED) remembered.delete(oldest as string);
      return identity;
    },
  };
}
