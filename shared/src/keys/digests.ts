import { partyIdOf } from '../ids/index.js';
import type { KeyRing } from './key-ring.js';

const PARTY = 'party';
/** Keyed hash of a whole message, to recognise a duplicate. */
export const FINGERPRINT = 'fingerprint';
/** Keyed hash of a delivery that could not be read, to recognise the same bytes. */
export const QUARANTINE = 'quarantine';
/** Of the name of a file on the SFTP server of Fordelingskomponenten, which may be personal. */
export const FILE_NAME = 'file-name';
/** Keyed hash of a list’s sort and filters, to know the cursors of another list. */
export const LIST = 'list';
/** Key that a cursor is encrypted with, and keyed hash of the cursor. */
export const CURSOR = 'cursor';
/** Keyed hash of an Idempotency-Key, and of a request that has one. */
export const IDEMPOTENCY = 'idempotency';
/** Keyed hash of an audit row, which is chained to the one before it; the number is that of its canonical form. */
export const AUDIT_CHAIN = 'audit-chain-1';
/** Keyed hash of an anchor: audit rows that went with their month. */
export const AUDIT_ANCHOR = 'audit-anchor-1';
/** Keyed hash of the id of what is revoked. */
export const REVOCATION = 'revocation';
/** Keyed hash of a line of the deletion ledger. */
export const DELETION_LEDGER = 'deletion-ledger-1';
/** Keyed hash of a line of the ledger, which is chained to the one before it. */
export const LEDGER = 'ledger-1';

const NOTHING = Buffer.alloc(0);

/**
 * A link of a chain: keyed hash of a text and of the hash before it, so that nothing between two can be altered, moved or removed.
 *
 * @param previous null for the first one
 */
export function chainedDigest(keys: KeyRing, purpose: string, previous: Buffer | null, text: string): Buffer {
  return keys.digest(purpose, Buffer.concat([previous ?? NOTHING, Buffer.from(text)]));
}

/** Keyed hash of a CPR or CVR number, however written, to compare parties without storing their numbers. */
export function digestOfParty(keys: KeyRing, id: string): Buffer {
  return keys.digest(PARTY, partyIdOf(id));
}
