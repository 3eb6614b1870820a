import { type Principal, sightOf } from '@indbakke/shared/access';
import { DAY } from '@indbakke/shared/config';
import { searchMessages } from '@indbakke/shared/inbox';
import type { Store } from '@indbakke/shared/store';
import type { ListQuery, Position } from './cursor.js';
import { filtersOf } from './filter.js';

/** Found and then filtered at once; the second time only if that does not fill the page, which then ends, full or not. */
const AT_ONCE = [400, 1_600];
/** Of a search that is not sorted by receipt: so many of the newest are sorted. */
const MOST_SORTED = 10_000;

/**
 * Whether the words are searched for first. Not where other filters, or what the caller may see, leave so few messages that
 * each can be asked for its words.
 */
export function startsWithWords(principal: Principal, { q, ...others }: ListQuery): boolean {
  if (q === undefined || !others.status.some((status) => sightOf(principal, status) === 'all')) return false;
  return !filtersOf(others, principal, { now: new Date() }).some(({ isNarrow }) => isNarrow);
}

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
    const { ids } = await searchMessages(store, municipality, { ...search, wanted: MOST_SORTED });
    yield { ids, next: undefined };
    return;
  }
  let beyond = from?.time;
  for (const wanted of AT_ONCE) {
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
