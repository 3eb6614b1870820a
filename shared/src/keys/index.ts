/** The master keys of an installation: data keys wrapped under them, and keyed hashes. */
export { FINGERPRINT, PARTY } from './digest-purposes.js';
export { createKeyFile, dataKeyContext, type KeyRing, loadKeyRing, type WrappedKey } from './key-ring.js';
