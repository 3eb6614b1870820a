import { assignedTo, type Principal, suggestedTo, visibleTo } from '@indbakke/shared/access';
import type { DocumentQuery, DocumentSummary } from '@indbakke/shared/api';
import { SUMMARY, SUMMARY_TABLES, type SummaryRow } from '@indbakke/shared/inbox';
import type { Parts } from '@indbakke/shared/service';
import { type Plan, Prisma } from '@indbakke/shared/store';
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
  const { cursor, limit } = query;
  const from = cursor === undefined ? undefined : readCursor(keys, { ...query, cursor });
  const { statement, plan } = statementOf(principal, query, from);
  const rows = await store.query<SummaryRow>(principal.municipality, statement, plan);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.map((row) => summarize(row, principal, new Date())),
    nextCursor: rows.length > limit && last ? writeCursor(keys, query, positionOf(last, query.sort)) : null,
  };
}

/** The statement of a page after a position. It reads one row more, which shows whether there is a next page. */
export function statementOf(
  principal: Principal,
  query: Omit<DocumentQuery, 'cursor'>,
  from?: Position,
): { statement: Prisma.Sql; plan: Plan } {
  const { column, direction, beyond } = orderOf(query.sort);
  const order = sql`${column} ${direction}, m.id ${direction}`;
  const filters = filtersOf(query, principal);
  const conditions = [visibleTo(principal), sql`m.status = ANY (${query.status}::text[])`, ...filters];
  if (from) conditions.push(sql`(${column}, m.id) ${beyond} (${from.time}::timestamptz, ${from.id}::uuid)`);
  // The page is cut before the other tables are read.
  const statement = sql`
    SELECT ${SUMMARY} FROM (
      SELECT m.* FROM messages m WHERE ${Prisma.join(conditions, ' AND ')}
      ORDER BY ${order} LIMIT ${query.limit + 1}::int
    ) AS m ${SUMMARY_TABLES} ORDER BY ${order}`;
  // Unfiltered, it always walks the index of its order.
  return { statement, plan: filters.length === 0 ? 'kept' : 'fresh' };
}

/** Conditions on `messages AS m`. Each can use an index: none has a subquery within an OR but as an array. */
function filtersOf(query: Omit<DocumentQuery, 'cursor'>, principal: Principal): Prisma.Sql[] {
  const { municipality } = principal;
  const conditions: Prisma.Sql[] = [];
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
  if (query.olderThan) conditions.push(sql`m.received_at < now() - ${query.olderThan}::interval`);
  return conditions;
}

const COLUMNS = { letterAt: sql`m.letter_at`, receivedAt: sql`m.received_at` };

const columnOf = (sort: DocumentQuery['sort']) => sort.replace('-', '') as keyof typeof COLUMNS;

/** The id decides between equal times, so that each message has one position. */
function orderOf(sort: DocumentQuery['sort']) {
  const column = COLUMNS[columnOf(sort)];
  return sort.startsWith('-')
    ? { column, direction: sql`DESC`, beyond: sql`<` }
    : { column, direction: sql`ASC`, beyond: sql`>` };
}

function positionOf(row: SummaryRow, sort: DocumentQuery['sort']): Position {
  return { time: row[columnOf(sort)].toISOString(), id: row.id };
}
