import { enqueueDue, type Outbox } from '@indbakke/shared/queue';
import type { Parts } from '@indbakke/shared/service';
import type { ReceiverConfig } from '../../config.js';
import { RECEIPT_OVERDUE_SECONDS, SEND_BUSINESS_RECEIPT, type SendReceiptData } from './send-receipt.js';

/**
 * What is not sent. Not before the delay is over, in which the decision can be undone; and not before an earlier receipt of the same
 * message that may be on its way, since the last one that comes is the one that holds.
 */
const unsent = (delaySeconds: number): Outbox<SendReceiptData> => ({
  table: 'business_receipts',
  which: `status IN ('waiting', 'sending') AND at <= $1::timestamptz - interval '${delaySeconds} seconds'
    AND NOT EXISTS (SELECT FROM business_receipts earlier WHERE earlier.message_id = business_receipts.message_id
      AND earlier.status = 'sending' AND (earlier.at, earlier.id) < (business_receipts.at, business_receipts.id))`,
  overdueSeconds: RECEIPT_OVERDUE_SECONDS,
  trace: 'trace',
  job: SEND_BUSINESS_RECEIPT,
  dataOf: ({ id: receiptId, municipality, run }) => ({ receiptId, municipality, run }),
});

/** Enqueues the receipts whose next attempt is due, or whose job the queue may have lost. */
export async function sweepDueReceipts(
  parts: Pick<Parts, 'store' | 'queues'>,
  { SF2900_RECEIPT_DELAY_SECONDS: delaySeconds }: Pick<ReceiverConfig, 'SF2900_RECEIPT_DELAY_SECONDS'>,
  now: Date,
): Promise<void> {
  await enqueueDue(parts, unsent(delaySeconds), now);
}
