import { type Principal, rolesBeyond } from '@indbakke/shared/access';
import type { DocumentIds, DocumentSummary, SearchBody } from '@indbakke/shared/api';
import { type AuditEntry, insertAudit, recordAudit } from '@indbakke/shared/audit';
import { currentTime } from '@indbakke/shared/clock';
import {
  documentGoesOut,
  isFile,
  type Scanning,
  SUMMARY,
  SUMMARY_TABLES,
  WITHOUT_TECHNICAL,
} from '@indbakke/shared/inbox';
import type { Parts } from '@indbakke/shared/service';
import { type Plan, Prisma } from '@indbakke/shared/store';
import { auditOfList, type Listing } from './audit-list.js';
import { type ListQuery, readCursor, writeCursor } from './cursor.js';
import { cutPage, type PageRow, pageOf } from './page.js';
import { readFound, startsWithWords } from './search.js';
import { type AnsweredRow, type AssigneeRow, assigneeOf, summarize } from './shapes.js';

const { sql } = Prisma;

type ListParts = Pick<Parts, 'store' | 'keys'>;

type DocumentId = DocumentIds['items'][number];

interface Items<Item> {
  items: Item[];
  nextCursor: string | null;
}

/** What a page is read for. */
interface Purpose {
  /** For the audit log, which then has a row of it; undefined when that is written elsewhere. */
  readonly listing?: Listing;
  /** What the scan keeps from being done is not in `allowed` then. Without it, nobody looks. */
  readonly scanning?: Scanning;
  /** Path of the cursor in the call, for the problem when it is invalid. */
  readonly path: string;
}

/** One page of the messages that the caller may see. A cursor is a position, not an offset, so new messages shift no page. */
export async function listDocuments(
  parts: ListParts,
  principal: Principal,
  query: SearchBody,
  purpose: Purpose,
): Promise<Items<DocumentSummary>> {
  const now = currentTime();
  const columns = columnsOf(principal, purpose.scanning);
  const { items, nextCursor } = await readPage<AnsweredRow>(parts, principal, query, { ...columns, ...purpose, now });
  return { items: items.map((row) => summarize(row, principal, now)), nextCursor };
}

function columnsOf(principal: Principal, scanning: Scanning | undefined): Pick<Columns, 'select' | 'tables'> {
  const select = sql`${SUMMARY}, ${rolesBeyond(principal)} AS beyond`;
  if (!scanning?.isOn) return { select, tables: SUMMARY_TABLES };
  return { select: sql`${select}, scanned.scans`, tables: sql`${SUMMARY_TABLES} ${scansOf(scanning)}` };
}

/** As a table of one row, which is looked up for each message of the page. */
const scansOf = (scanning: Scanning) => sql`
  CROSS JOIN LATERAL (
    SELECT json_build_object(
      'isAnyHeld', coalesce(bool_or(${isFile(scanning, 'held')}), false),
      'isSendable', coalesce(bool_and(${isFile(scanning, 'open')} OR NOT ${documentGoesOut(WITHOUT_TECHNICAL)}), true)) AS scans
    FROM files f JOIN documents t ON t.message_id = f.message_id AND t.position = f.document_position
    WHERE f.message_id = m.id AND f.status = 'stored') AS scanned`;

/** One page of the ids, versions and assignees of the messages that the caller may see. */
export async function listIds(
  parts: ListParts,
  principal: Principal,
  query: SearchBody,
  purpose: Purpose,
): Promise<Items<DocumentId>> {
  const columns = {
    select: sql`m.id, m.version, m.assignee_kind AS "assigneeKind", m.assignee_id AS "assigneeId"`,
    tables: Prisma.empty,
  };
  const given = { ...columns, ...purpose, now: currentTime() };
  const { items, nextCursor } = await readPage<DocumentId & AssigneeRow>(parts, principal, query, given);
  return { items: items.map((row) => ({ id: row.id, version: row.version, assignee: assigneeOf(row) })), nextCursor };
}

interface Columns extends Purpose {
  /** Of `messages AS m` and `tables`. */
  readonly select: Prisma.Sql;
  readonly tables: Prisma.Sql;
  readonly now: Date;
}

async function readPage<Row extends { readonly id: string }>(
  { store, keys }: ListParts,
  principal: Principal,
  { limit, cursor, ...query }: SearchBody,
  { path, listing, ...columns }: Columns,
): Promise<Items<Row & PageRow>> {
  const { municipality } = principal;
  const from = cursor === undefined ? undefined : readCursor(keys, query, cursor, path);
  const entry = listing && auditOfList(keys, principal, listing, query);
  const inSteps = startsWithWords(principal, query);
  const { rows, unread, isAudited } = await store.reading(async (reader) => {
    const read = async (page: { found?: readonly string[]; audit?: AuditEntry | undefined }) => {
      const { statement, plan } = statementOf(principal, query, { ...columns, ...page, limit, from });
      return reader.query<Row & PageRow>(municipality, statement, plan);
    };
    if (inSteps) {
      const place = { from, now: columns.now };
      const found = await readFound(reader, principal, { ...query, limit }, place, (ids) => read({ found: ids }));
      return { rows: found.rows, unread: found.next, isAudited: false };
    }
    const isAudited = reader.from === 'primary';
    return { rows: await read({ audit: isAudited ? entry : undefined }), unread: undefined, isAudited };
  });
  const { items, next = unread } = cutPage(rows, limit);
  if (entry && !isAudited) {
    await recordAudit(store, { ...entry, details: { ...entry.details, shown: items.length } });
  }
  return { items: [...items], nextCursor: next ? writeCursor(keys, query, next) : null };
}

/**
 * The statement of a page; the page is cut before the other tables are read.
 *
 * @param page with `audit`, it writes this row too, and how many messages the page shows
 */
export function statementOf(
  principal: Principal,
  query: ListQuery,
  page: Pick<Columns, 'select' | 'tables'> & Parameters<typeof pageOf>[2] & { readonly audit?: AuditEntry | undefined },
): { readonly statement: Prisma.Sql; readonly plan: Plan } {
  const { rows, order, plan, mayStop } = pageOf(principal, query, page);
  const { select, tables, audit, limit } = page;
  const selectFrom = (source: Prisma.Sql) =>
    sql`SELECT ${select}, m."isTimeless", m.at, m.matches, m.stops FROM ${source} AS m ${tables} ORDER BY ${order}`;
  if (!audit) return { statement: selectFrom(sql`(${rows})`), plan };
  const record = (shown: Prisma.Sql) => insertAudit(audit, { details: sql`jsonb_build_object('shown', (${shown}))` });
  // To read the ids of so few rows twice costs less than to keep the rows.
  const counted = sql`SELECT count(*) FROM (SELECT m.id FROM (${rows}) AS m LIMIT ${limit}::int) AS shown`;
  if (!mayStop) return { statement: sql`WITH audit AS (${record(counted)}) ${selectFrom(sql`(${rows})`)}`, plan };
  // As cutPage cuts it; without a stop all rows match.
  const cut = sql`
    SELECT CASE WHEN bool_or(stops) THEN (
        SELECT count(*) FILTER (WHERE matches AND n <= ${limit}::int AND NOT is_beyond) FROM (
          SELECT matches, row_number() OVER page_order AS n,
            bool_or(stops) OVER (page_order ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) IS TRUE AS is_beyond
          FROM page WINDOW page_order AS (ORDER BY ${order})) AS numbered)
      ELSE least(count(*), ${limit}::int) END
    FROM page`;
  return {
    statement: sql`WITH page AS MATERIALIZED (${rows}), audit AS (${record(cut)}) ${selectFrom(sql`page`)}`,
    plan,
  };
}
