import {
  type DistributionContext,
  type ReceiptCode,
  receiptHolds,
  type Status,
  writeChange,
} from '@indbakke/shared/lifecycle';
import { type Connection, Prisma, run, type Store } from '@indbakke/shared/store';
import { ownChange } from '../own-change.js';
import { retrySeconds } from '../retry.js';
import type { FailureCode } from '../service/outcome.js';
import { RECEIPT_OVERDUE_SECONDS, type SendReceiptData } from './send-receipt.js';

const { sql } = Prisma;

/** A receipt that is being sent. */
export interface Receipt extends SendReceiptData {
  readonly messageId: string;
  readonly code: ReceiptCode;
  /** Attempts that have ended. */
  readonly attempts: number;
  /** An earlier attempt may have told it. */
  readonly wasInDoubt: boolean;
  readonly context: DistributionContext;
  /** Of a rejection, in words for the sender; null: none, or they went with the message. */
  readonly reason: string | null;
  /** Why the file never came. */
  readonly fileFault: string | null;
}

interface ClaimedRow {
  readonly messageId: string;
  readonly code: ReceiptCode;
  readonly attempts: number;
  readonly wasInDoubt: boolean;
  readonly transactionId: string;
  readonly distributionId: string | null;
  readonly sender: string;
  readonly kle: string | null;
  readonly facet: string | null;
  readonly actor: string | null;
  readonly reason: string | null;
  readonly fileFault: string | null;
}

/**
 * Marks the receipt as being sent: the sender may know it from now on, so a rejection is not undone until it is known that he does not.
 * The row is not due while this job may run.
 *
 * @returns undefined when it is sent or withdrawn, or due anew
 */
export async function claimReceipt(store: Store, data: SendReceiptData): Promise<Receipt | undefined> {
  const { receiptId, municipality } = data;
  const row = await store.withTenantConnection(municipality, async (connection) => {
    await lockMessageOf(connection, receiptId);
    const [claimed] = await run<ClaimedRow>(
      connection,
      sql`
        UPDATE business_receipts r SET status = 'sending', next_enqueue_at = now() + make_interval(secs => ${RECEIPT_OVERDUE_SECONDS}::int)
        FROM business_receipts before JOIN distributions x ON x.message_id = before.message_id
          LEFT JOIN message_details d ON d.message_id = before.message_id
        WHERE r.id = ${receiptId}::uuid AND r.run = ${data.run}::int AND r.status IN ('waiting', 'sending') AND before.id = r.id
        RETURNING r.message_id AS "messageId", r.code, r.attempts, before.status = 'sending' AS "wasInDoubt",
          x.transaction_id AS "transactionId", x.distribution_id AS "distributionId", x.sender, x.routing_kle AS kle,
          x.routing_facet AS facet, x.routing_actor AS actor, d.reason_for_sender AS reason,
          (SELECT fault FROM file_fetches WHERE message_id = r.message_id LIMIT 1) AS "fileFault"`,
    );
    return claimed;
  });
  if (!row) return undefined;
  const { messageId, code, attempts, wasInDoubt, reason, fileFault } = row;
  return { ...data, messageId, code, attempts, wasInDoubt, reason, fileFault, context: contextOf(municipality, row) };
}

function contextOf(municipality: string, row: ClaimedRow): DistributionContext {
  const { transactionId, distributionId, sender, kle, facet, actor } = row;
  const routing = actor === null ? { kle: kle ?? '', facet: facet ?? undefined } : { actor };
  return { transactionId, distributionId: distributionId ?? undefined, sender, municipality, routing };
}

/** Locks the message, as every change of it does first. @returns its status */
async function lockMessageOf(connection: Connection, receiptId: string): Promise<Status | undefined> {
  const [message] = await run<{ status: Status }>(
    connection,
    sql`SELECT m.status FROM business_receipts r JOIN messages m ON m.id = r.message_id WHERE r.id = ${receiptId}::uuid FOR UPDATE OF m`,
  );
  return message?.status;
}

/** The receipt was taken; the history of the message says so, once. */
export async function noteSent(store: Store, receipt: Receipt): Promise<void> {
  const { municipality, receiptId, code } = receipt;
  await store.withTenantConnection(municipality, async (connection) => {
    await lockMessageOf(connection, receiptId);
    const [sent] = await run<{ attempts: number }>(
      connection,
      sql`UPDATE business_receipts SET status = 'sent', sent_at = now(), attempts = attempts + 1, fault = NULL
        WHERE id = ${receiptId}::uuid AND status = 'sending' RETURNING attempts`,
    );
    if (!sent) return;
    await writeChange(connection, ownChange(receipt), 'receipt-sent', { details: { code, attempts: sent.attempts } });
  });
}

/** With so many in vain, which takes about an hour, the history of the message says so. */
export const ATTEMPTS_TO_TELL = 10;

/**
 * Notes why an attempt failed, and when the next is due. What is not in doubt waits as before, unless the decision that it tells was
 * undone meanwhile.
 */
export async function noteFailure(
  store: Store,
  receipt: Receipt,
  fault: FailureCode,
  { isInDoubt }: { readonly isInDoubt: boolean },
): Promise<void> {
  const { municipality, receiptId, code, attempts, run: n } = receipt;
  await store.withTenantConnection(municipality, async (connection) => {
    const status = await lockMessageOf(connection, receiptId);
    const holds = status !== undefined && receiptHolds(code, status);
    const next = isInDoubt ? 'sending' : holds ? 'waiting' : 'withdrawn';
    const [noted] = await run<{ attempts: number }>(
      connection,
      sql`UPDATE business_receipts SET status = ${next}, attempts = attempts + 1, fault = ${fault},
          next_enqueue_at = now() + make_interval(secs => ${retrySeconds(attempts)}::int)
        WHERE id = ${receiptId}::uuid AND run = ${n}::int AND status = 'sending' RETURNING attempts`,
    );
    if (noted?.attempts !== ATTEMPTS_TO_TELL || next === 'withdrawn') return;
    await writeChange(connection, ownChange(receipt), 'receipt-failed', { details: { code, fault } });
  });
}
