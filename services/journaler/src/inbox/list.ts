import { assignedTo, type Principal, suggestedTo, visibleTo } from '@indbakke/shared/access';
import type { DocumentQuery, DocumentSummary } from '@indbakke/shared/api';
import { SUMMARY, SUMMARY_TABLES, type SummaryRow } from '@indbakke/shared/inbox';
import type { Parts } from '@indbakke/shared/service';
import { Prisma } from '@indbakke/shared/store';
import { type Position, readCursor, writeCursor } from './cursor.js';
import { summarize } from './shapes.js';

const { sql } = Prisma;

type Page = { items: DocumentSummary[]; nextCursor: string | null };

/** One page of the messages that the caller may see. A cursor is a position, not an offset, so new messages shift no page. */
export async function listDocuments(
  { store, keys }: Pick<Parts, 'store' | 'keys'>,
  principal: Principal,
  query: DocumentQuery,
): Promise<Page> {
  const order = orderOf(query.sort);
  const { cursor } = query;
  const conditions = [visibleTo(principal), ...filtersOf(query, principal)];
  if (cursor !== undefined) conditions.push(order.after(readCursor(keys, { ...query, cursor })));
  const rows = await store.query<SummaryRow>(
    principal.municipality,
    // The page is cut before the other tables are read; one more row shows whether there is a next page.
    sql`
      SELECT ${SUMMARY} FROM (
        SELECT m.* FROM messages m WHERE ${Prisma.join(conditions, ' AND ')}
        ORDER BY ${order.by} LIMIT ${query.limit + 1}
      ) AS m ${SUMMARY_TABLES} ORDER BY ${order.by}`,
    'fresh',
  );
  const page = rows.slice(0, query.limit);
  const last = page.at(-1);
  return {
    items: page.map(summarize),
    nextCursor: rows.length > page.length && last ? writeCursor(keys, query, order.positionOf(last)) : null,
  };
}

/** Conditions on `messages AS m`. Each can use an index: none has a subquery within an OR but as an array. */
function filtersOf(query: DocumentQuery, principal: Principal): Prisma.Sql[] {
  const { municipality } = principal;
  const conditions = [sql`m.status = ${query.status}`];
  if (query.kind) conditions.push(sql`m.kind = ${query.kind}`);
  if (query.channel) conditions.push(sql`m.channel = ${query.channel}`);
  if (query.contactPoint) conditions.push(sql`m.contact_point_id = ${query.contactPoint}`);
  if (query.case !== undefined) {
    conditions.push(sql`(m.suggested_case_id = ${query.case} OR m.id = ANY (ARRAY(
      SELECT message_id FROM journalizations WHERE municipality = ${municipality} AND case_id = ${query.case})))`);
  }
  if (query.hasSuggestion === true) conditions.push(sql`m.suggested_case_id IS NOT NULL`);
  if (query.hasSuggestion === false) conditions.push(sql`m.suggested_case_id IS NULL`);
  if (query.assignee === 'none') conditions.push(sql`m.assignee_id IS NULL`);
  else if (query.assignee === 'me') conditions.push(assignedTo(principal));
  else if (query.assignee) conditions.push(sql`m.assignee_id = ${query.assignee}`);
  if (query.owner) conditions.push(suggestedTo(principal));
  if (query.receivedFrom) conditions.push(sql`m.received_at >= ${query.receivedFrom}::timestamptz`);
  if (query.receivedTo) conditions.push(sql`m.received_at < ${query.receivedTo}::timestamptz`);
  if (query.olderThan) conditions.push(sql`m.letter_at < ${query.olderThan}::timestamptz`);
  return conditions;
}

const COLUMNS = { letterAt: sql`m.letter_at`, receivedAt: sql`m.received_at` };

/** How the list is sorted. The id decides between equal times, so that each message has one position. */
function orderOf(sort: DocumentQuery['sort']) {
  const isDescending = sort.startsWith('-');
  const name = sort.replace('-', '') as keyof typeof COLUMNS;
  const column = COLUMNS[name];
  const direction = isDescending ? sql`DESC` : sql`ASC`;
  const beyond = isDescending ? sql`<` : sql`>`;
  return {
    by: sql`${column} ${direction}, m.id ${direction}`,
    after: ({ time, id }: Position) => sql`(${column}, m.id) ${beyond} (${time}::timestamptz, ${id}::uuid)`,
    positionOf: (row: SummaryRow): Position => ({ time: row[name].toISOString(), id: row.id }),
  };
}
