import { type Principal, visibleTo } from '@indbakke/shared/access';
import { type DocumentQuery, type DocumentSummary, Time } from '@indbakke/shared/api';
import { Problem } from '@indbakke/shared/errors';
import type { Prisma, Store, Tx } from '@indbakke/shared/store';
import { z } from 'zod';
import { SUMMARY, summarize } from './shapes.js';

type Page = { items: DocumentSummary[]; nextCursor: string | null };

/** One page of the messages that the caller may see. A cursor is a position, not an offset, so new messages shift no page. */
export async function listDocuments(store: Store, principal: Principal, query: DocumentQuery): Promise<Page> {
  const order = orderOf(query.sort);
  const beyond = query.cursor ? [after(order, query.cursor)] : [];
  return store.withTenant(principal.municipality, async (tx) => {
    const ofCase = query.case === undefined ? [] : [await onCase(tx, query.case)];
    const where = { AND: [visibleTo(principal), filter(query, principal), ...ofCase, ...beyond] };
    const rows = await tx.message.findMany({
      where,
      orderBy: [{ [order.column]: order.direction }, { id: order.direction }],
      take: query.limit + 1, // one more shows whether there is a next page
      include: SUMMARY,
    });
    const contactPoints = await tx.contactPoint.findMany();
    const names = new Map(contactPoints.map((point) => [point.contactPointId, point.name]));
    const page = rows.slice(0, query.limit);
    const last = page.at(-1);
    return {
      items: page.map((row) => summarize(row, names)),
      nextCursor: rows.length > page.length && last ? cursorOf(order, last) : null,
    };
  });
}

function filter(query: DocumentQuery, { actor, teams }: Principal): Prisma.MessageWhereInput {
  const conditions: Prisma.MessageWhereInput[] = [{ status: query.status }];
  if (query.kind) conditions.push({ kind: query.kind });
  if (query.channel) conditions.push({ channel: query.channel });
  if (query.contactPoint) conditions.push({ contactPointId: query.contactPoint });
  if (query.hasSuggestion !== undefined) {
    conditions.push({ suggestedCaseId: query.hasSuggestion ? { not: null } : null });
  }
  if (query.assignee === 'none') conditions.push({ assigneeId: null });
  else if (query.assignee === 'me') {
    conditions.push({
      OR: [
        { assigneeKind: 'user', assigneeId: actor.id },
        { assigneeKind: 'team', assigneeId: { in: [...teams] } },
      ],
    });
  } else if (query.assignee) conditions.push({ assigneeId: query.assignee });
  if (query.owner) conditions.push({ suggestedCase: { is: { caseworker: actor.id } } });
  if (query.receivedFrom) conditions.push({ receivedAt: { gte: query.receivedFrom } });
  if (query.receivedTo) conditions.push({ receivedAt: { lt: query.receivedTo } });
  if (query.olderThan) conditions.push({ letterAt: { lt: query.olderThan } });
  return { AND: conditions };
}

/**
 * Suggested for the case, or journalized on it. The ids of the latter are read first: for an OR with a subquery PostgreSQL
 * uses no index, and reads every message of the status.
 */
async function onCase(tx: Tx, caseId: string): Promise<Prisma.MessageWhereInput> {
  const journalizations = await tx.journalization.findMany({ where: { caseId }, select: { messageId: true } });
  return { OR: [{ suggestedCaseId: caseId }, { id: { in: journalizations.map(({ messageId }) => messageId) } }] };
}

interface Order {
  readonly column: 'letterAt' | 'receivedAt';
  readonly direction: 'asc' | 'desc';
}

function orderOf(sort: DocumentQuery['sort']): Order {
  const descending = sort.startsWith('-');
  return { column: sort.replace('-', '') as Order['column'], direction: descending ? 'desc' : 'asc' };
}

const Cursor = z.tuple([Time, z.uuid()]);

function cursorOf({ column }: Order, row: { id: string; letterAt: Date; receivedAt: Date }): string {
  return Buffer.from(JSON.stringify([row[column].toISOString(), row.id])).toString('base64url');
}

function after({ column, direction }: Order, cursor: string): Prisma.MessageWhereInput {
  const [time, id] = readCursor(cursor);
  const beyond = direction === 'asc' ? 'gt' : 'lt';
  return { OR: [{ [column]: { [beyond]: time } }, { [column]: time, id: { [beyond]: id } }] };
}

function readCursor(cursor: string): z.infer<typeof Cursor> {
  try {
    return Cursor.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch {
    throw new Problem('bad-request', 'The cursor is invalid. Start again without it.', { path: 'query.cursor' });
  }
}
