/** Master keys: they wrap data keys. And keyed hashes. */
export { FINGERPRINT, LIST, PARTY } from './digest-purposes.js';
export { createKeyFile, dataKeyContext, type KeyRing, loadKeyRing, type WrappedKey } from './key-ring.js';
