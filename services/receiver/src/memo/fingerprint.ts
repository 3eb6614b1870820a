import type { SealedFile } from '@indbakke/shared/content';
import { FINGERPRINT, type KeyRing } from '@indbakke/shared/keys';
import { MEMO } from '@indbakke/shared/memo';
import { canonicalText, type XmlElement } from '@indbakke/shared/xml';

/**
 * A keyed hash of the canonical XML of a message, with each content replaced by its SHA-256 (shared/src/memo: canonicalText).
 * Two messages with the same one are the same message.
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
    canonicalText(MEMO, message, (text) => sha256ByToken.get(text)),
  );
}
