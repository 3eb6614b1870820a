import { Time } from '@indbakke/shared/api';
import { Problem } from '@indbakke/shared/errors';
import { type KeyRing, LIST } from '@indbakke/shared/keys';
import { z } from 'zod';
import type { Position } from './filter.js';
import type { PageQuery } from './list.js';

const Cursor = z.tuple([Time, z.uuid(), z.string()]);

export function writeCursor(keys: KeyRing, query: PageQuery, { time, id }: Position): string {
  return Buffer.from(JSON.stringify([time, id, listOf(keys, query)])).toString('base64url');
}

/** @throws Problem bad-request when it is not a cursor of this list */
export function readCursor(keys: KeyRing, query: PageQuery & { cursor: string }): Position {
  const [time, id, list] = parse(query.cursor);
  if (list !== listOf(keys, query)) {
    throw invalid('The cursor belongs to a list with another sort or other filters. Start again without it.');
  }
  return { time, id };
}

function parse(cursor: string): z.infer<typeof Cursor> {
  try {
    return Cursor.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch {
    throw invalid('The cursor is invalid. Start again without it.');
  }
}

const invalid = (detail: string) => new Problem('bad-request', detail, { path: 'query.cursor' });

const LIST_BYTES = 9;

/**
 * Which list it is: everything in the query but the page, as a short keyed hash. Keyed, because a filter may be a name or a
 * number, which a plain hash would reveal to anyone who tries them all.
 */
function listOf(keys: KeyRing, { limit: _limit, cursor: _cursor, ...list }: PageQuery): string {
  return keys.digest(LIST, JSON.stringify(list)).subarray(0, LIST_BYTES).toString('base64url');
}
