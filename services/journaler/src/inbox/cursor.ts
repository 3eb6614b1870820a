import { createCipheriv, createDecipheriv } from 'node:crypto';
import { type SearchBody, Time } from '@indbakke/shared/api';
import { Problem } from '@indbakke/shared/errors';
import { CURSOR, type KeyRing, LIST } from '@indbakke/shared/keys';
import { z } from 'zod';

/** Where a page ended. */
export interface Position {
  /** Those without the time that the list is sorted by come last, in the order of receipt. */
  readonly isTimeless: boolean;
  /** That the list is sorted by; of a timeless one, its receipt. */
  readonly time: string;
  readonly id: string;
}

/** What a list is: its filters and sort. */
export type ListQuery = Omit<SearchBody, 'limit' | 'cursor'>;

const Cursor = z.tuple([z.boolean(), Time, z.uuid(), z.string()]);

/** Sealed, since a page may end at a message that the caller may not see. */
export function writeCursor(keys: KeyRing, query: object, { isTimeless, time, id }: Position): string {
  return seal(keys, JSON.stringify([isTimeless, time, id, listOf(keys, query)])).toString('base64url');
}

/**
 * @param path of the cursor in the call, for the problem
 * @throws Problem bad-request when it is not a cursor of this list
 */
export function readCursor(keys: KeyRing, query: object, cursor: string, path: string): Position {
  const fault = (detail: string) => new Problem('bad-request', detail, { path });
  const found = parse(keys, cursor);
  if (found === undefined) throw fault('The cursor is invalid. Start again without it.');
  const [isTimeless, time, id, list] = found;
  if (list !== listOf(keys, query)) {
    throw fault('The cursor belongs to a list with another sort or other filters. Start again without it.');
  }
  return { isTimeless, time, id };
}

function parse(keys: KeyRing, cursor: string): z.infer<typeof Cursor> | undefined {
  try {
    return Cursor.parse(JSON.parse(open(keys, Buffer.from(cursor, 'base64url'))));
  } catch {
    return undefined;
  }
}

const CIPHER = 'aes-256-gcm';
const [NONCE_BYTES, TAG_BYTES] = [12, 16];

/** The nonce is a keyed hash of the text, so that different texts have different ones. */
function seal(keys: KeyRing, text: string): Buffer {
  const nonce = keys.digest(CURSOR, text).subarray(0, NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, keys.digest(CURSOR, ''), nonce);
  return Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
}

/** @throws Error when it was not sealed here */
function open(keys: KeyRing, sealed: Buffer): string {
  const decipher = createDecipheriv(CIPHER, keys.digest(CURSOR, ''), sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  return decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
}

const LIST_BYTES = 9;

/**
 * Which list it is: all of the query but the page, as a short keyed hash. Keyed, because a filter may be a name or a number,
 * which a plain hash would reveal to anyone who tries them all.
 */
function listOf(keys: KeyRing, list: object): string {
  const fields = Object.entries(list).filter(([, value]) => value !== undefined);
  return keys.digest(LIST, JSON.stringify(fields.sort())).subarray(0, LIST_BYTES).toString('base64url');
}
