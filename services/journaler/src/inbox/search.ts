import { DAY } from '@indbakke/shared/config';
import { searchMessages } from '@indbakke/shared/inbox';
import type { Store } from '@indbakke/shared/store';
import type { ListQuery, Position } from './cursor.js';

/** Found and then filtered at once. */
const AT_ONCE = 400;
/** Of a page; then it ends, full or not. Of a search that is not sorted by receipt: so many of the newest are sorted. */
const MOST_FOUND = 10_000;

/** What the words of a query have found, from the position of the page on. */
export interface Found {
  readonly ids: readonly string[];
  /** Where the next words are to be looked for; undefined when there are no more. */
  readonly next: Position | undefined;
}

/**
 * The messages that have the words, in steps that grow: each is then filtered like any list, and the next is read only if the
 * page is not full.
 */
export async function* findWords(
  store: Store,
  municipality: string,
  { q: query = '', status: statuses, sort }: ListQuery,
  from: Position | undefined,
): AsyncGenerator<Found> {
  const newestFirst = sort !== 'receivedAt';
  const search = { query, statuses, newestFirst };
  if (sort.replace('-', '') !== 'receivedAt') {
    const { ids } = await searchMessages(store, municipality, { ...search, wanted: MOST_FOUND });
    yield { ids, next: undefined };
    return;
  }
  let beyond = from?.time;
  for (let wanted = AT_ONCE; wanted <= MOST_FOUND; wanted *= 4) {
    const { ids, reached } = await searchMessages(store, municipality, { ...search, beyond, wanted });
    yield { ids, next: reached === null ? undefined : beforeWeek(reached, newestFirst) };
    if (reached === null) return;
    beyond = reached;
  }
}

/** The position before every message of a week. @param start of the week */
function beforeWeek(start: string, newestFirst: boolean): Position {
  if (!newestFirst) return { isTimeless: false, time: start, id: '00000000-0000-0000-0000-000000000000' };
  const end = new Date(Date.parse(start) + 7 * DAY - 1).toISOString();
  return { isTimeless: false, time: end, id: 'ffffffff-ffff-ffff-ffff-ffffffffffff' };
}
