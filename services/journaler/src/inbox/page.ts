import { type Principal, sightOf, visibleTo } from '@indbakke/shared/access';
import type { View } from '@indbakke/shared/api';
import { isWaiting, type Status } from '@indbakke/shared/lifecycle';
import { type Plan, Prisma } from '@indbakke/shared/store';
import type { ListQuery, Position } from './cursor.js';
import { type Filter, filtersOf, ownedBy, rangeOf } from './filter.js';
import { directionOf, HAVING, type Order, type Range, restOfRange, type Step, type Time, walkWhere } from './walk.js';

const { sql } = Prisma;

/**
 * Where a page stops though it is not full: so many messages of a status were read in the order of the list, and few of them
 * met the filters. The next page goes on from there, so a list costs no more however long the history is. What waits is bounded
 * by the people who handle it, and is read to its end.
 */
const MOST_WAITING = 10_000;
export const MOST_DONE = 1_000;

/** A row of a page, beside the columns of the message. */
export interface PageRow {
  readonly id: string;
  readonly isTimeless: boolean;
  /** The time that the list is sorted by, or the receipt of a timeless one. */
  readonly at: Date;
  /** Whether it meets the filters; if not, it is only where the reading stopped. */
  readonly matches: boolean;
  /** Whether the reading stopped here: what comes after is not whole. */
  readonly stops: boolean;
}

export interface Page {
  /** Selects `messages.*` and the columns of PageRow, in order; at most `limit` and one more. */
  readonly rows: Prisma.Sql;
  /** For ORDER BY of what is selected from it. */
  readonly order: Prisma.Sql;
  readonly plan: Plan;
  /** Whether the reading may stop before the page is full; else all rows match. */
  readonly mayStop: boolean;
}

/**
 * The messages of a list that the caller may see, after a position.
 *
 * Each status is read by itself, in the order of the list and with a limit, by the walks of one filter; then they are merged.
 * PostgreSQL would sort all messages of several statuses.
 *
 * @param found ids that the words of the query have found; undefined without words
 */
export function pageOf(
  principal: Principal,
  query: ListQuery,
  {
    limit,
    from,
    found,
    now,
  }: {
    readonly limit: number;
    readonly from?: Position | undefined;
    readonly found?: readonly string[] | undefined;
    readonly now: Date;
  },
): Page {
  const filters = filtersOf(query, principal, { now, found });
  const reading = { principal, view: query.view, filters, received: rangeOf(query, now), most: limit + 1 };
  const parts = partsOf(query.sort, from).flatMap((part) =>
    query.status.flatMap((status) => readStatus({ ...reading, status }, part)),
  );
  const order = orderBy(query.sort);
  // Each walk has its index, whatever the values; but there are too many combinations of filters to keep the plans of all.
  const plan = filters.length === 0 ? 'kept' : 'fresh';
  const mayStop = parts.some((part) => part.mayStop);
  return { rows: merge(parts, order, reading.most), order, plan, mayStop };
}

/**
 * The messages of a query that the caller may see, for a count: of each status the first so many by receipt.
 *
 * @returns a statement that selects `messages.*`, whether it `counts`, and `isMore` of a row that shows that there are more
 */
export function someOf(
  principal: Principal,
  query: Omit<ListQuery, 'sort'>,
  firstOf: (status: Status) => { readonly sort: 'receivedAt' | '-receivedAt'; readonly most: number },
  now: Date,
): Prisma.Sql {
  const filters = filtersOf(query, principal, { now });
  const reading = { principal, view: query.view, filters, received: rangeOf(query, now) };
  const parts = query.status.map((status) => {
    const { sort, most } = firstOf(status);
    const order = orderBy(sort);
    const first = partsOf(sort, undefined).flatMap((part) => readStatus({ ...reading, status, most: most + 1 }, part));
    return sql`
      SELECT m.*, m.matches AND n <= ${most}::int AS counts, m.stops OR n > ${most}::int AS "isMore"
      FROM (SELECT m.*, row_number() OVER (ORDER BY ${order}) AS n FROM (${merge(first, order, most + 1)}) AS m) AS m`;
  });
  return Prisma.join(parts, ' UNION ALL ');
}

function orderBy(sort: ListQuery['sort']): Prisma.Sql {
  const direction = directionOf(parseSort(sort));
  return sql`"isTimeless", at ${direction}, id ${direction}`;
}

/** What is on a page, and where the next one goes on. */
export function cutPage<Row extends PageRow>(
  rows: readonly Row[],
  limit: number,
): { readonly items: readonly Row[]; readonly next: Position | undefined } {
  const stop = rows.findIndex(({ stops }) => stops);
  const end = stop >= 0 && stop < limit ? stop + 1 : limit;
  const last = rows[end - 1];
  const goesOn = last?.stops || rows.length > end;
  return {
    items: rows.slice(0, end).filter(({ matches }) => matches),
    next: last && goesOn ? { isTimeless: last.isTimeless, time: last.at.toISOString(), id: last.id } : undefined,
  };
}

/** Messages that have the time that a list is sorted by, or those that have not. */
interface Part {
  readonly isTimeless: boolean;
  readonly order: Order;
  readonly from: Position | undefined;
  /** What the index of the order has. */
  readonly has: readonly Prisma.Sql[];
  readonly lacks: readonly Prisma.Sql[];
}

function parseSort(sort: ListQuery['sort']): Order {
  return { time: sort.replace('-', '') as Time, isDescending: sort.startsWith('-') };
}

function partsOf(sort: ListQuery['sort'], from: Position | undefined): Part[] {
  const order = parseSort(sort);
  const has = HAVING[order.time];
  if (has === undefined) return [{ isTimeless: false, order, from, has: [], lacks: [] }];
  const timed = { isTimeless: false, order, from, has: [has], lacks: [] };
  const timeless = {
    isTimeless: true,
    order: { ...order, time: 'receivedAt' as const },
    from: from?.isTimeless ? from : undefined,
    has: [],
    lacks: [sql`(${has}) IS NOT TRUE`],
  };
  return from?.isTimeless ? [timeless] : [timed, timeless];
}

interface Reading {
  readonly principal: Principal;
  readonly status: Status;
  readonly view: View | undefined;
  readonly filters: readonly Filter[];
  readonly received: Range;
  readonly most: number;
}

/** A statement that reads messages in the order of the list. */
interface Read extends Pick<Page, 'mayStop'> {
  readonly rows: Prisma.Sql;
}

/** The statements that read one status. */
function readStatus({ principal, status, view, filters, received, most }: Reading, part: Part): Read[] {
  const sight = sightOf(principal, status);
  if (sight === 'none' || (view === 'unhandled' && !isWaiting(status))) return [];
  const { order, from, has, lacks, isTimeless } = part;
  const own = sight === 'own' ? [ownedBy(principal)] : [];
  // Unless a filter is narrow, the caller's own messages are fewer than those that it leaves.
  const candidates = [...filters.filter(({ isNarrow }) => isNarrow), ...own, ...filters];
  const walked = candidates.find(({ times }) => times?.includes(order.time));
  const isVisible = visibleTo(principal);
  const isInSight = sight === 'all' || walked?.isOwn;
  const checked = [
    ...filters.filter((filter) => filter !== walked).map(({ condition }) => condition),
    ...(isInSight ? [] : [isVisible]),
    ...restOfRange(order, received),
    ...lacks,
  ];
  const mostRead = checked.length === 0 ? most : Math.max(most, isWaiting(status) ? MOST_WAITING : MOST_DONE);
  const step: Step = {
    municipality: principal.municipality,
    status,
    order,
    from,
    received,
    most: mostRead,
    conditions: [...has, ...(isInSight ? [isVisible] : [])],
  };
  const mayStop = checked.length > 0;
  return (walked?.walks ?? [walkWhere()]).map((walk) => ({
    mayStop,
    rows: mayStop
      ? check(walk(step), checked, { order, isTimeless, most, mostRead })
      : sql`SELECT m.*, ${isTimeless}::bool AS "isTimeless", true AS matches, false AS stops FROM (${walk(step)}) AS m`,
  }));
}

/** Of the messages that are read, those that meet the conditions, and the last one if there may be more. */
function check(
  read: Prisma.Sql,
  conditions: readonly Prisma.Sql[],
  {
    order,
    isTimeless,
    most,
    mostRead,
  }: { readonly order: Order; readonly isTimeless: boolean; readonly most: number; readonly mostRead: number },
): Prisma.Sql {
  const direction = directionOf(order);
  const by = sql`at ${direction}, tie ${direction}`;
  return sql`
    SELECT * FROM (
      SELECT m.*, ${isTimeless}::bool AS "isTimeless", (${Prisma.join([...conditions], ' AND ')}) IS TRUE AS matches,
        row_number() OVER (ORDER BY ${by}) = ${mostRead}::int AS stops
      FROM (${read}) AS m) AS checked
    WHERE matches OR stops ORDER BY ${by} LIMIT ${most}::int`;
}

/** In order; once what several have. */
function merge(parts: readonly Read[], order: Prisma.Sql, most: number): Prisma.Sql {
  const [first, second] = parts;
  if (!first)
    return sql`SELECT m.*, m.received_at AS at, m.id AS tie, false AS "isTimeless", false AS matches, false AS stops FROM messages m WHERE false`;
  if (!second) return first.rows;
  return sql`
    SELECT DISTINCT ON ("isTimeless", at, id) * FROM (
      ${Prisma.join(
        parts.map(({ rows }) => sql`(${rows})`),
        ' UNION ALL ',
      )}) AS parts
    ORDER BY ${order}, stops DESC LIMIT ${most}::int`;
}
