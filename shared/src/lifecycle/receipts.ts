import { type Connection, newId, Prisma, run } from '../store/index.js';
import { currentTrace } from '../tracing/index.js';
import type { ReceiptCode } from './distribution.js';
import type { Status } from './statuses.js';
import type { Change } from './transitions.js';
import type { ChangeRequest } from './write-change.js';

const { sql } = Prisma;

/** The changes whose meaning the sender of a document is told, and in which statuses of it that meaning holds. */
const TELLS: Partial<Record<Change, ReceiptCode>> = {
  journalized: 'ACCEPTERET',
  rejected: 'AFVIST',
  'file-missing': 'FEJLET',
};
const HOLDS_IN: Record<ReceiptCode, readonly Status[]> = {
  ACCEPTERET: ['journalized'],
  AFVIST: ['rejected', 'deleted'],
  FEJLET: ['pending', 'held'],
};

/** What a receipt that still waits was to tell is undone by these. A FEJLET in doubt is not told again: another receipt follows it. */
const UNDO: Partial<Record<Change, ReceiptCode>> = {
  reopened: 'AFVIST',
  'taken-back': 'ACCEPTERET',
  'file-asked': 'FEJLET',
};

/** Whether what a receipt tells holds for a message of this status. */
export function receiptHolds(code: ReceiptCode, status: Status): boolean {
  return HOLDS_IN[code].includes(status);
}

/**
 * Writes, in the transaction of a change of a document from Fordelingskomponenten, what its sender is to be told, and withdraws what
 * still waits. What was told last, or may have been, is not told again. A training municipality tells nobody.
 *
 * @param status the one after the change
 */
export async function noteReceipt(
  connection: Connection,
  { id, at, principal: { municipality } }: ChangeRequest,
  change: Change,
  status: Status,
): Promise<void> {
  const code = TELLS[change];
  const tells = code !== undefined && receiptHolds(code, status);
  const undone = UNDO[change];
  if (!tells && !undone) return;
  await run(
    connection,
    sql`UPDATE business_receipts SET status = CASE status WHEN 'waiting' THEN 'withdrawn' ELSE 'in-doubt' END
      WHERE message_id = ${id}::uuid AND code = coalesce(${undone ?? null}::text, code)
        AND (status = 'waiting' OR status = 'sending' AND ${undone === 'FEJLET'}::bool)`,
  );
  if (!tells) return;
  await run(
    connection,
    sql`
      INSERT INTO business_receipts (id, message_id, municipality, code, at, next_enqueue_at, trace)
      SELECT ${newId()}::uuid, message_id, municipality, ${code}, ${at}::timestamptz, ${at}::timestamptz, ${currentTrace() ?? null}::text
      FROM distributions
      WHERE message_id = ${id}::uuid AND NOT (SELECT is_training FROM municipalities WHERE cvr = ${municipality})
        AND ${code} IS DISTINCT FROM (
          SELECT code FROM business_receipts WHERE message_id = ${id}::uuid AND ${MAY_BE_TOLD} ORDER BY at DESC, id DESC LIMIT 1)`,
  );
}

/** Of `business_receipts`: the sender knows, or may. */
const MAY_BE_TOLD = sql`status IN ('sending', 'sent', 'in-doubt')`;

// Digital Post costs no look-up. With LIMIT, since PostgreSQL may answer EXISTS of a list by reading the whole table.

/** Of `messages AS m`: whether its sender has been told that it was rejected, or may have been. */
export const REJECTION_TOLD = sql`
  CASE WHEN m.channel = 'sf2900' THEN
    (SELECT true FROM business_receipts WHERE message_id = m.id AND code = 'AFVIST' AND ${MAY_BE_TOLD} LIMIT 1) IS NOT NULL
  ELSE false END`;

/** Of `messages AS m`: how far the file of a document is; null of one without, and of Digital Post. */
export const FILE_FETCH = sql`
  CASE WHEN m.channel = 'sf2900' THEN (SELECT status FROM file_fetches WHERE message_id = m.id LIMIT 1) END`;

/**
 * What the sender of a document has been told, or may have been. Locks the message, so that no receipt begins to be sent before the
 * end of the transaction.
 */
export async function lockTold(
  connection: Connection,
  { id, principal: { municipality } }: ChangeRequest,
): Promise<ReadonlySet<ReceiptCode>> {
  const [message] = await run<{ channel: string }>(
    connection,
    sql`SELECT channel FROM messages WHERE id = ${id}::uuid AND municipality = ${municipality} FOR UPDATE`,
  );
  if (message?.channel !== 'sf2900') return new Set();
  // Another statement, since the first may have seen the receipts as they were before it got the lock.
  const told = await run<{ code: ReceiptCode }>(
    connection,
    sql`SELECT code FROM business_receipts WHERE message_id = ${id}::uuid AND ${MAY_BE_TOLD}`,
  );
  return new Set(told.map(({ code }) => code));
}
