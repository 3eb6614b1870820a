import type { Principal } from '@indbakke/shared/access';
import type { DocumentSummary, SearchBody } from '@indbakke/shared/api';
import { SUMMARY, SUMMARY_TABLES, type SummaryRow } from '@indbakke/shared/inbox';
import type { Parts } from '@indbakke/shared/service';
import { type Plan, Prisma } from '@indbakke/shared/store';
import { type ListQuery, readCursor, writeCursor } from './cursor.js';
import { cutPage, type PageRow, pageOf } from './page.js';
import { readFound, startsWithWords } from './search.js';
import { summarize } from './shapes.js';

const { sql } = Prisma;

type ListParts = Pick<Parts, 'store' | 'keys'>;

interface Items<Item> {
  items: Item[];
  nextCursor: string | null;
}

/**
 * One page of the messages that the caller may see. A cursor is a position, not an offset, so new messages shift no page.
 *
 * @param path of the cursor in the call, for the problem when it is invalid
 */
export async function listDocuments(
  parts: ListParts,
  principal: Principal,
  query: SearchBody,
  path = 'query.cursor',
): Promise<Items<DocumentSummary>> {
  const now = new Date();
  const columns = { select: SUMMARY, tables: SUMMARY_TABLES };
  const { items, nextCursor } = await readPage<SummaryRow>(parts, principal, query, { ...columns, now, path });
  return { items: items.map((row) => summarize(row, principal, now)), nextCursor };
}

/** One page of the ids and versions of the messages that the caller may see. */
export async function listIds(
  parts: ListParts,
  principal: Principal,
  query: SearchBody,
): Promise<Items<{ id: string; version: number }>> {
  const columns = { select: sql`m.id, m.version`, tables: Prisma.empty };
  const given = { ...columns, now: new Date(), path: 'body.cursor' };
  const { items, nextCursor } = await readPage<{ id: string; version: number }>(parts, principal, query, given);
  return { items: items.map(({ id, version }) => ({ id, version })), nextCursor };
}

interface Columns {
  /** Of `messages AS m` and `tables`. */
  readonly select: Prisma.Sql;
  readonly tables: Prisma.Sql;
  readonly now: Date;
  readonly path: string;
}

async function readPage<Row extends { readonly id: string }>(
  { store, keys }: ListParts,
  principal: Principal,
  { limit, cursor, ...query }: SearchBody,
  { path, ...columns }: Columns,
): Promise<Items<Row & PageRow>> {
  const { municipality } = principal;
  const from = cursor === undefined ? undefined : readCursor(keys, query, cursor, path);
  const read = async (found?: readonly string[]) => {
    const { statement, plan } = statementOf(principal, query, { ...columns, limit, from, found });
    return store.query<Row & PageRow>(municipality, statement, plan);
  };
  const { rows, next: unread } = startsWithWords(principal, query)
    ? await readFound(store, principal, { ...query, limit }, { from, now: columns.now }, read)
    : { rows: await read(), next: undefined };
  const { items, next = unread } = cutPage(rows, limit);
  return { items: [...items], nextCursor: next ? writeCursor(keys, query, next) : null };
}

/** The statement of a page; the page is cut before the other tables are read. */
export function statementOf(
  principal: Principal,
  query: ListQuery,
  page: Pick<Columns, 'select' | 'tables'> & Parameters<typeof pageOf>[2],
): { readonly statement: Prisma.Sql; readonly plan: Plan } {
  const { rows, order, plan } = pageOf(principal, query, page);
  const statement = sql`
    SELECT ${page.select}, m."isTimeless", m.at, m.matches, m.stops FROM (${rows}) AS m ${page.tables} ORDER BY ${order}`;
  return { statement, plan };
}
