import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** A secret that signs in once: of a link that is printed where only its reader sees it. */
export interface OneTimeSecret {
  readonly secret: string;
  /** True for the first one who has the secret. */
  redeem(secret: string): boolean;
}

export function makeOneTimeSecret(): OneTimeSecret {
  const secret = randomBytes(24).toString('base64url');
  const hashOf = (text: string) => createHash('sha256').update(text).digest();
  let isUsed = false;
  return {
    secret,
    redeem(given) {
      if (isUsed || !timingSafeEqual(hashOf(given), hashOf(secret))) return false;
      isUsed = true;
      return true;
    },
  };
}
