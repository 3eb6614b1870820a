import { type SearchBody, Time } from '@indbakke/shared/api';
import { Problem } from '@indbakke/shared/errors';
import { CURSOR, type KeyRing, LIST, openText, sealText } from '@indbakke/shared/keys';
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
  return sealText(keys, CURSOR, JSON.stringify([isTimeless, time, id, listOf(keys, query)]));
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
    return Cursor.parse(JSON.parse(openText(keys, CURSOR, cursor)));
  } catch {
    return undefined;
  }
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
