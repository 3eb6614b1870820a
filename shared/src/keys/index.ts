/** Master keys: they wrap data keys. And keyed hashes. */
export {
  AUDIT_ANCHOR,
  AUDIT_CHAIN,
  CURSOR,
  chainedDigest,
  DELETION_LEDGER,
  digestOfParty,
  FILE_NAME,
  FINGERPRINT,
  IDEMPOTENCY,
  LEDGER,
  LIST,
  QUARANTINE,
  REVOCATION,
} from './digests.js';
export { addMasterKey, createKeyFile, makeMasterKeyCurrent, removeMasterKey } from './key-file.js';
export {
  dataKeyContext,
  type KeyRing,
  type KeySource,
  loadKeyRing,
  openKeyRing,
  type WrappedKey,
  webhookSecretContext,
} from './key-ring.js';
export { openText, sealText } from './seal-text.js';
