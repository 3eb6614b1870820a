import type { Principal } from '@indbakke/shared/access';
import type { DocumentIds, DocumentSummary, SearchBody } from '@indbakke/shared/api';
import { SUMMARY, SUMMARY_TABLES, type SummaryRow } from '@indbakke/shared/inbox';
import type { Parts } from '@indbakke/shared/service';
import { type Plan, Prisma } from '@indbakke/shared/store';
import type { z } from 'zod';
import { readCursor, writeCursor } from './cursor.js';
import { candidates, isUnfiltered, type Listing, type Position } from './filter.js';
import { searchIn } from './search.js';
import { summarize } from './shapes.js';

const { sql } = Prisma;

type ListParts = Pick<Parts, 'store' | 'keys'>;
/** A page of a list. */
export type PageQuery = Omit<SearchBody, 'sort'> & Pick<Listing, 'sort'>;
type Page<Item> = { items: Item[]; nextCursor: string | null };

/** What the rows of a page need to be sorted and continued. */
interface Row {
  readonly id: string;
  readonly key: Date;
}

/** One page of the messages that the caller may see. A cursor is a position, not an offset, so new messages shift no page. */
export async function listDocuments(
  parts: ListParts,
  principal: Principal,
  query: PageQuery,
): Promise<Page<DocumentSummary>> {
  const { rows, nextCursor } = await readPage<SummaryRow & Row>(parts, principal, query, SUMMARIES);
  const now = new Date();
  return { items: rows.map((row) => summarize(row, principal, now)), nextCursor };
}

/** The ids and versions of one page; for changes of many messages. */
export async function listIds(
  parts: ListParts,
  principal: Principal,
  query: PageQuery,
): Promise<z.infer<typeof DocumentIds>> {
  const { rows, nextCursor } = await readPage<Row & { version: number }>(parts, principal, query, VERSIONS);
  return { items: rows.map(({ id, version }) => ({ id, version })), nextCursor };
}

/** Columns of `messages AS m` and the tables that go with it. */
interface Columns {
  readonly columns: Prisma.Sql;
  readonly tables: Prisma.Sql;
}

const SUMMARIES: Columns = { columns: SUMMARY, tables: SUMMARY_TABLES };
const VERSIONS: Columns = { columns: sql`m.id, m.version`, tables: Prisma.empty };

async function readPage<R extends Row>(
  { store, keys }: ListParts,
  principal: Principal,
  query: PageQuery,
  columns: Columns,
): Promise<{ rows: R[]; nextCursor: string | null }> {
  const { cursor, limit } = query;
  const from = cursor === undefined ? undefined : readCursor(keys, { ...query, cursor });
  const read = (found?: readonly string[]) => {
    const { statement, plan } = statementOf(principal, query, { from, found }, columns);
    return store.query<R>(principal.municipality, statement, plan);
  };
  const rows = query.q === undefined ? await read() : await searchIn(store, principal, query, from, limit + 1, read);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const hasNext = rows.length > limit && last;
  return {
    rows: page,
    nextCursor: hasNext ? writeCursor(keys, query, { time: last.key.toISOString(), id: last.id }) : null,
  };
}

/** The statement of a page after a position. It reads one row more, which shows whether there is a next page. */
export function statementOf(
  principal: Principal,
  listing: Listing & { readonly limit: number },
  { from, found }: { from?: Position | undefined; found?: readonly string[] | undefined } = {},
  { columns, tables }: Columns = SUMMARIES,
): { statement: Prisma.Sql; plan: Plan } {
  const limit = listing.limit + 1;
  const direction = listing.sort.startsWith('-') ? sql`DESC` : sql`ASC`;
  // The page is cut before the other tables are read.
  const statement = sql`
    SELECT ${columns}, page.key
    FROM (SELECT * FROM ${candidates(principal, listing, { limit, from, found })} AS part LIMIT ${limit}::int) AS page
    CROSS JOIN LATERAL (SELECT * FROM messages WHERE id = page.id LIMIT 1) AS m
    ${tables} ORDER BY page.key ${direction}, page.id ${direction}`;
  return { statement, plan: found === undefined && isUnfiltered(principal, listing) ? 'kept' : 'fresh' };
}
