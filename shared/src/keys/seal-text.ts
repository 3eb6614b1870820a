import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { KeyRing } from './key-ring.js';

const CIPHER = 'aes-256-gcm';
const [NONCE_BYTES, TAG_BYTES] = [12, 16];

/**
 * Encrypts a text that callers keep for us, such as a cursor. The nonce is a keyed hash of the text, so that different texts have
 * different ones.
 *
 * @param purpose has keys of its own
 */
export function sealText(keys: KeyRing, purpose: string, text: string): string {
  const nonce = keys.digest(purpose, text).subarray(0, NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, keys.digest(purpose, ''), nonce);
  return Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]).toString('base64url');
}

/** @throws Error when it was not sealed here for this purpose */
export function openText(keys: KeyRing, purpose: string, sealedText: string): string {
  const sealed = Buffer.from(sealedText, 'base64url');
  const decipher = createDecipheriv(CIPHER, keys.digest(purpose, ''), sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  return decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
}
