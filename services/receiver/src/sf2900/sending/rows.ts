import { currentTime } from '@indbakke/shared/clock';
import { HOUR } from '@indbakke/shared/config';
import { DOCUMENTS, type DocumentsRow, SEALED, SEALED_TABLES, type SealedRow } from '@indbakke/shared/inbox';
import { type Change, type OnwardCode, type OnwardStatus, writeChange } from '@indbakke/shared/lifecycle';
import { type Connection, Prisma, run, type Store } from '@indbakke/shared/store';
import { ownChange } from '../own-change.js';
import { retrySeconds } from '../retry.js';
import { DISTRIBUTION_OVERDUE_SECONDS, type DistributeData } from './distribute-message.js';

const { sql } = Prisma;

/** A message that is to be sent on. */
export interface Distribution extends DistributeData, DistributionRow {
  readonly message: MessageRow;
}

interface DistributionRow {
  readonly status: Extract<OnwardStatus, 'waiting' | 'uploaded'>;
  readonly recipient: string;
  readonly kle: string;
  readonly facet: string | null;
  readonly receiver: string | null;
  readonly at: Date;
  readonly attempts: number;
}

interface MessageRow extends SealedRow, DocumentsRow {
  readonly receivedAt: Date;
  readonly letterAt: Date;
  readonly title: string;
  readonly concerningId: string | null;
  readonly senderId: string | null;
}

/**
 * The row is not due while this job may run: two at once would write the same file.
 *
 * @returns undefined when it is sent or given up, or due anew
 */
export async function takeDistribution(store: Store, data: DistributeData): Promise<Distribution | undefined> {
  const [row] = await store.query<DistributionRow & MessageRow & Record<string, unknown>>(
    data.municipality,
    sql`
      WITH taken AS (
        UPDATE onward_distributions SET next_enqueue_at = now() + make_interval(secs => ${DISTRIBUTION_OVERDUE_SECONDS}::int)
        WHERE id = ${data.distributionId}::uuid AND run = ${data.run}::int AND status IN ('waiting', 'uploaded') RETURNING *
      )
      SELECT ${SEALED}, ${DOCUMENTS}, m.received_at AS "receivedAt", m.letter_at AS "letterAt",
        coalesce(t.title, d.subject, '') AS title, d.concerning_id AS "concerningId", d.sender_id AS "senderId",
        o.status, o.recipient, o.kle, o.facet, o.receiver, o.at, o.attempts
      FROM taken o JOIN messages m ON m.id = o.message_id ${SEALED_TABLES}
        LEFT JOIN message_details d ON d.message_id = m.id
        LEFT JOIN onward_distribution_texts t ON t.distribution_id = o.id`,
    'kept',
  );
  return row && { ...data, ...row, message: row };
}

/** The file is on the SFTP server. From now on Fordelingskomponenten may have been told. */
export async function noteUploaded(store: Store, { municipality, distributionId }: DistributeData): Promise<void> {
  await store.query(
    municipality,
    sql`UPDATE onward_distributions SET status = 'uploaded', fault = NULL
      WHERE id = ${distributionId}::uuid AND status = 'waiting' RETURNING 1`,
    'kept',
  );
}

/** A receipt of what was sent on: whether it can be read and routed, or what the recipient says. */
export interface OnwardReceipt {
  readonly kind: 'technical' | 'business';
  readonly code: OnwardCode;
  /** In words, which may be personal. */
  readonly reason: string | undefined;
}

/** To what a receipt belongs. */
interface ReceiptOf {
  readonly municipality: string;
  readonly distributionId: string;
  readonly recipient: string;
}

interface ReceiptState {
  readonly status: OnwardStatus;
  readonly technicalCode: OnwardCode | null;
  readonly businessCode: OnwardCode | null;
}

/**
 * Records a receipt, and tells it in the history of the message, once: the same one again changes nothing.
 *
 * @returns false when nothing of this id was sent to this recipient
 */
export function recordReceipt(store: Store, of: ReceiptOf, receipt: OnwardReceipt): Promise<boolean> {
  const { municipality, distributionId } = of;
  const { kind, code } = receipt;
  return store.withTenantConnection(municipality, async (connection) => {
    const messageId = await lockMessageOf(connection, of);
    if (messageId === undefined) return false;
    const [before] = await run<ReceiptState>(
      connection,
      sql`SELECT status, technical_code AS "technicalCode", business_code AS "businessCode"
        FROM onward_distributions WHERE id = ${distributionId}::uuid`,
    );
    if (!before || before.status === 'waiting') return false;
    if (before[`${kind}Code`] === code) return true;
    const status = statusAfter(receipt, before);
    await run(
      connection,
      sql`UPDATE onward_distributions SET status = ${status}, ${Prisma.raw(`${kind}_code`)} = ${code}, fault = NULL
        WHERE id = ${distributionId}::uuid`,
    );
    await run(
      connection,
      sql`UPDATE onward_distribution_texts SET ${Prisma.raw(`${kind}_reason`)} = ${receipt.reason ?? null}::text
        WHERE distribution_id = ${distributionId}::uuid`,
    );
    const isFirst = before.status === 'uploaded' && status === 'sent';
    const change = isFirst ? 'distribution-sent' : 'distribution-answered';
    await tell(connection, { ...of, messageId, change, status, details: { kind, code } });
    return true;
  });
}

/** What the recipient says outranks whether it was routed. */
function statusAfter({ kind, code }: OnwardReceipt, { status, businessCode }: ReceiptState): OnwardStatus {
  if (kind === 'technical' && businessCode !== null) return status;
  if (code === 'AFVIST') return 'rejected';
  if (code === 'FEJLET') return 'failed';
  if (kind === 'business' && code === 'ACCEPTERET') return 'accepted';
  // Given up here, it was taken nevertheless.
  return status === 'uploaded' || status === 'failed' ? 'sent' : status;
}

/** So long it is tried. */
const HOURS = 72;

/** Notes why an attempt failed, and when the next is due, or that there is none. */
export function noteFailure(
  store: Store,
  distribution: Distribution,
  { code: fault, again }: { readonly code: string; readonly again: boolean },
): Promise<'waiting' | 'given-up'> {
  const { municipality, distributionId, run: n, at, attempts } = distribution;
  const isOver = !again || currentTime().getTime() - at.getTime() >= HOURS * HOUR;
  return store.withTenantConnection(municipality, async (connection) => {
    const messageId = await lockMessageOf(connection, distribution);
    const noted = await run(
      connection,
      sql`UPDATE onward_distributions SET attempts = attempts + 1, fault = ${fault}, status = CASE WHEN ${isOver}::bool THEN 'failed' ELSE status END,
          next_enqueue_at = now() + make_interval(secs => ${retrySeconds(attempts)}::int)
        WHERE id = ${distributionId}::uuid AND run = ${n}::int AND status IN ('waiting', 'uploaded') RETURNING 1`,
    );
    if (!isOver || noted.length === 0 || messageId === undefined) return 'waiting';
    await tell(connection, {
      ...distribution,
      messageId,
      change: 'distribution-failed',
      status: 'failed',
      details: { fault },
    });
    return 'given-up';
  });
}

/** Locks the message, as every change of it does. @returns its id; undefined when nothing was sent on so */
async function lockMessageOf(
  connection: Connection,
  { distributionId, municipality, recipient }: ReceiptOf,
): Promise<string | undefined> {
  const [message] = await run<{ id: string }>(
    connection,
    sql`SELECT m.id FROM onward_distributions o JOIN messages m ON m.id = o.message_id
      WHERE o.id = ${distributionId}::uuid AND o.municipality = ${municipality} AND o.recipient = ${recipient} FOR UPDATE OF m`,
  );
  return message?.id;
}

interface Told extends ReceiptOf {
  readonly messageId: string;
  readonly change: Change;
  /** Of the distribution, after the change. */
  readonly status: OnwardStatus;
  readonly details: Readonly<Record<string, string>>;
}

/** Writes the change. Where the recipient does not have the message, its outcome is open again, unless another one was told. */
async function tell(
  connection: Connection,
  { municipality, distributionId, messageId, change, status, details }: Told,
): Promise<void> {
  const isBack = status === 'rejected' || status === 'failed';
  const isOutcome = sql`m.outcome_at = (SELECT at FROM onward_distributions WHERE id = ${distributionId}::uuid)`;
  if (isBack) {
    await run(
      connection,
      sql`UPDATE message_details d SET forwarded_to = NULL, sender_informed = NULL FROM messages m
        WHERE d.message_id = ${messageId}::uuid AND m.id = d.message_id AND m.status = 'rejected' AND ${isOutcome}`,
    );
  }
  await writeChange(connection, ownChange({ municipality, messageId }), change, {
    details: { distributionId, ...details },
    ...(isBack && {
      set: sql`outcome_by = CASE WHEN ${isOutcome} THEN NULL ELSE m.outcome_by END,
        outcome_at = CASE WHEN ${isOutcome} THEN NULL ELSE m.outcome_at END`,
    }),
  });
}
