import { type Principal, sightOf } from '@indbakke/shared/access';
import { currentTime } from '@indbakke/shared/clock';
import { type FoundMessages, searchMessages } from '@indbakke/shared/inbox';
import type { Status } from '@indbakke/shared/lifecycle';
import type { Reader } from '@indbakke/shared/store';
import type { ListQuery, Position } from './cursor.js';
import { type Filter, filtersOf, rangeOf } from './filter.js';
import { MOST_DONE } from './page.js';

/** Found and then filtered at once, when there are other filters: enough to tell how many of them meet these. */
const AT_FIRST = 250;
/** The same, later; a page reads them to their end. */
const AT_ONCE = MOST_DONE - 1;
/** A page ends, full or not, where so many were found. */
const MOST_FOUND = 2_250;
/** Of a search that is not sorted by receipt: so many of the newest are sorted. */
const MOST_SORTED = 10_000;

/**
 * Whether the words are searched for first. Not where other filters, or what the caller may see, leave so few messages that
 * each can be asked for its words.
 */
export function startsWithWords(principal: Principal, query: ListQuery): boolean {
  const seesMany = (status: Status) => ['all', 'part'].includes(sightOf(principal, status));
  if (query.q === undefined || !query.status.some(seesMany)) return false;
  return !othersOf(query, principal).some(({ isNarrow }) => isNarrow);
}

/** The filters beside the words. */
function othersOf({ q: _, ...others }: ListQuery, principal: Principal): Filter[] {
  return filtersOf(others, principal, { now: currentTime() });
}

/**
 * The messages of a page that have the words: some are found and then filtered like any list, and more only if they do not fill
 * the page, as many as should.
 *
 * @param filter reads those of the messages that are on the page
 * @returns what `filter` has read, and where the next words are to be looked for; undefined when there are no more
 */
export async function readFound<Row>(
  reader: Reader,
  principal: Principal,
  query: ListQuery & { readonly limit: number },
  { from, now }: { readonly from: Position | undefined; readonly now: Date },
  filter: (ids: readonly string[]) => Promise<readonly Row[]>,
): Promise<{ readonly rows: readonly Row[]; readonly next: Position | undefined }> {
  const { municipality } = principal;
  const { q = '', status: statuses, sort, limit } = query;
  const { from: since, before: until } = rangeOf(query, now);
  const search = { query: q, statuses, newestFirst: sort !== 'receivedAt', since, until };
  if (sort.replace('-', '') !== 'receivedAt') {
    const { ids } = await searchMessages(reader, municipality, { ...search, wanted: MOST_SORTED });
    return { rows: ids.length > 0 ? await filter(ids) : [], next: undefined };
  }
  const rows: Row[] = [];
  let beyond: FoundMessages['reached'] = from;
  let wanted = othersOf(query, principal).length === 0 ? limit + 1 : AT_FIRST;
  for (let found = 0; ; ) {
    const { ids, reached }: FoundMessages = await searchMessages(reader, municipality, { ...search, beyond, wanted });
    if (ids.length > 0) rows.push(...(await filter(ids)));
    found += ids.length;
    if (!reached || rows.length > limit || found >= MOST_FOUND) {
      return { rows, next: reached && { ...reached, isTimeless: false } };
    }
    beyond = reached;
    // Half as many again as would do if as many of them met the filters.
    const missing = (1.5 * (limit + 1 - rows.length) * found) / Math.max(rows.length, 1);
    wanted = Math.ceil(Math.min(missing, AT_ONCE, MOST_FOUND - found));
  }
}
