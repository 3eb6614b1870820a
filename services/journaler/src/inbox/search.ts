import type { Principal } from '@indbakke/shared/access';
import type { SearchBody } from '@indbakke/shared/api';
import { searchMessages } from '@indbakke/shared/inbox';
import type { Store } from '@indbakke/shared/store';
import type { Position } from './filter.js';

/** Found and then filtered at once. */
const AT_ONCE = 400;
/** Of a search that is not sorted by receipt: so many of the newest are sorted. */
const MOST_SORTED = 10_000;

/**
 * The rows of a page of a search. Words are found week by week, from the end where the page begins, and then filtered like any
 * list, until the page is full.
 *
 * @param read the first rows of the list among these ids, in its order
 */
export async function searchIn<Row>(
  store: Store,
  principal: Principal,
  { q = '', status, sort }: Pick<SearchBody, 'q' | 'status' | 'sort'>,
  from: Position | undefined,
  wanted: number,
  read: (found: readonly string[]) => Promise<Row[]>,
): Promise<Row[]> {
  const isByReceipt = sort === 'receivedAt' || sort === '-receivedAt';
  const newestFirst = sort !== 'receivedAt';
  const search = { query: q, statuses: status, newestFirst };
  if (!isByReceipt) {
    const { ids } = await searchMessages(store, principal.municipality, { ...search, wanted: MOST_SORTED });
    return read(ids);
  }
  const rows: Row[] = [];
  let atOnce = AT_ONCE;
  let beyond = from?.time;
  for (;;) {
    const { ids, reached } = await searchMessages(store, principal.municipality, { ...search, beyond, wanted: atOnce });
    if (ids.length > 0) rows.push(...(await read(ids)));
    if (rows.length >= wanted || reached === null) return rows;
    beyond = reached;
    atOnce *= 4;
  }
}
