import type { JWTPayload } from 'jose';
import { z } from 'zod';
import { INSTALLATION } from '../audit/index.js';
import { currentTime } from '../clock/index.js';
import { DAY, SECOND } from '../config/index.js';
import { type KeyRing, REVOCATION } from '../keys/index.js';
import { Prisma, type Store } from '../store/index.js';

/** By what a token, or a sign-in at a page, can be revoked before it expires. */
export const Revocable = z.object({
  issuer: z.string(),
  /** The user, as the issuer calls it (sub). */
  user: z.string(),
  /** Of the sign-in at the issuer (sid), which may have several tokens. */
  session: z.string().optional(),
  /** Of this token alone (jti). */
  token: z.string().optional(),
  /** In seconds (iat). What does not say it counts as issued before whatever revokes the user. */
  issuedAt: z.number().default(0),
});
export type Revocable = Readonly<z.infer<typeof Revocable>>;

/** What is revoked: one token, all of one sign-in, or all that the user has by now. */
export interface Revoked {
  readonly issuer: string;
  readonly kind: 'token' | 'session' | 'user';
  readonly id: string;
}

export type IsRevoked = (revocable: Revocable) => Promise<boolean>;

interface RevocationParts {
  readonly store: Store;
  readonly keys: KeyRing;
}

const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined);

/** Of verified claims. RFC 7519 (iss, sub, jti, iat), OpenID Connect Back-Channel Logout 1.0 (sid). */
export function revocableOf({ iss, sub, sid, jti, iat }: JWTPayload): Revocable {
  return { issuer: iss ?? '', user: sub ?? '', session: text(sid), token: text(jti), issuedAt: secondsOf(iat) };
}

// Later is mostly written in milliseconds; whatever revokes the user would come before it for ever.
const secondsOf = (iat = 0) => (iat >= 0 && iat * SECOND < currentTime().getTime() + DAY ? iat : 0);

/** Whether any of its names is revoked. */
export async function isRevoked(
  { store, keys }: RevocationParts,
  { issuer, user, session, token, issuedAt }: Revocable,
): Promise<boolean> {
  const one = [
    ...(session === undefined ? [] : [digestOf(keys, { issuer, kind: 'session', id: session })]),
    ...(token === undefined ? [] : [digestOf(keys, { issuer, kind: 'token', id: token })]),
  ];
  const all = digestOf(keys, { issuer, kind: 'user', id: user });
  const statement = Prisma.sql`
    SELECT FROM revocations
    WHERE digest = ANY (ARRAY(SELECT decode(unnest(${[...one, all]}::text[]), 'hex'))) AND expires_at > now()
      AND (encode(digest, 'hex') <> ${all} OR revoked_at >= to_timestamp(${issuedAt}::float8))
    LIMIT 1`;
  return (await store.query(INSTALLATION, statement, 'kept')).length > 0;
}

/** @param until when everything that it revokes has expired */
export async function revoke({ store, keys }: RevocationParts, revoked: Revoked, at: Date, until: Date): Promise<void> {
  await store.sweep(
    `INSERT INTO revocations AS known (digest, revoked_at, expires_at) VALUES (decode($1, 'hex'), $2, $3)
     ON CONFLICT (digest) DO UPDATE SET revoked_at = greatest(known.revoked_at, excluded.revoked_at),
       expires_at = greatest(known.expires_at, excluded.expires_at)`,
    [digestOf(keys, revoked), at, until],
  );
}

export async function sweepExpiredRevocations(store: Store): Promise<void> {
  await store.sweep('DELETE FROM revocations WHERE expires_at <= now()');
}

/** A hash, since the names of users may be personal. */
function digestOf(keys: KeyRing, { issuer, kind, id }: Revoked): string {
  return keys.digest(REVOCATION, JSON.stringify([issuer, kind, id])).toString('hex');
}
