import { FINGERPRINT, type KeyRing } from '@indbakke/shared/content';
import type { Memo } from '@indbakke/shared/memo';

/**
 * What makes two messages the same: a keyed hash of the parsed message, in which each content stands as its SHA-256. The
 * mouth, prefixes, white space between elements and the line breaks of the base64 make no difference.
 */
export function fingerprintOf(keys: KeyRing, memo: Memo): Buffer {
  return keys.digest(FINGERPRINT, JSON.stringify(memo));
}
