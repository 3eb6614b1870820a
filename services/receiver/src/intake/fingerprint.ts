import { FINGERPRINT, type KeyRing } from '@indbakke/shared/content';
import type { Memo } from '@indbakke/shared/memo';

/**
 * What makes two messages the same: a keyed hash of the parsed message, in which each content stands as its SHA-256. The
 * mouth, prefixes, white space between elements, the line breaks of the base64 and the case of the message’s id make no
 * difference.
 */
export function fingerprintOf(keys: KeyRing, memo: Memo): Buffer {
  // MeMo 1.2, Uuid: either case
  const header = { ...memo.header, messageUUID: memo.header.messageUUID.toLowerCase() };
  return keys.digest(FINGERPRINT, JSON.stringify({ ...memo, header }));
}
