import { type Principal, sightOf } from '@indbakke/shared/access';
import { type FoundMessages, searchMessages } from '@indbakke/shared/inbox';
import type { Store } from '@indbakke/shared/store';
import type { ListQuery, Position } from './cursor.js';
import { filtersOf, rangeOf } from './filter.js';

/** Found and then filtered at once; the second time only if that does not fill the page, which then ends, full or not. */
const AT_ONCE = [250, 2_000];
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
  query: ListQuery,
  from: Position | undefined,
  now: Date,
): AsyncGenerator<Found> {
  const { q = '', status: statuses, sort } = query;
  const { from: since, before: until } = rangeOf(query, now);
  const search = { query: q, statuses, newestFirst: sort !== 'receivedAt', since, until };
  if (sort.replace('-', '') !== 'receivedAt') {
    const { ids } = await searchMessages(store, municipality, { ...search, wanted: MOST_SORTED });
    yield { ids, next: undefined };
    return;
  }
  let beyond: { readonly time: string; readonly id: string } | undefined = from;
  for (const wanted of AT_ONCE) {
    const { ids, reached }: FoundMessages = await searchMessages(store, municipality, { ...search, beyond, wanted });
    yield { ids, next: reached && { ...reached, isTimeless: false } };
    if (!reached) return;
    beyond = reached;
  }
}
