import type { SealedFile } from '@indbakke/shared/content';
import { FINGERPRINT, type KeyRing } from '@indbakke/shared/keys';
import { canonicalText, type XmlElement } from '@indbakke/shared/memo';

/**
 * What makes two messages the same: a keyed hash of the message as XML, whatever endpoint it came by, in which each content
 * stands as its SHA-256 (shared/src/memo: canonicalText).
 */
export function fingerprintOf(
  keys: KeyRing,
  message: XmlElement,
  files: readonly SealedFile[],
  token: (fileIndex: number) => string,
): Buffer {
  const sha256ByToken = new Map(files.map(({ index, sha256 }) => [token(index), sha256]));
  return keys.digest(
    FINGERPRINT,
    canonicalText(message, (text) => sha256ByToken.get(text)),
  );
}
