import { MINUTE, SECOND } from '@indbakke/shared/config';
import { announce } from '@indbakke/shared/crash-points';
import type { JobDefinition } from '@indbakke/shared/queue';
import type { Parts } from '@indbakke/shared/service';
import { z } from 'zod';
import type { DistributionClient } from '../service/client.js';
import type { FailureCode } from '../service/outcome.js';
import { sendBusinessReceipt } from '../service/send-business-receipt.js';
import { claimReceipt, noteFailure, noteSent, type Receipt } from './rows.js';

const SendReceiptData = z.object({
  receiptId: z.uuid(),
  municipality: z.string().regex(/^\d{8}$/),
  /** The n-th time that it is due, n of the job id. */
  run: z.int().min(1),
});
export type SendReceiptData = Readonly<z.infer<typeof SendReceiptData>>;

/**
 * Why it exists: the sender of a document is told what became of it (SF2900 2.4, Forretningskvittering). The row in
 * `business_receipts` is the outbox, which the decision itself writes (noteReceipt): it is due until Serviceplatformen has taken the
 * receipt, or the decision is undone before. The row has the time of the next attempt, so a job makes one.
 */
export const SEND_BUSINESS_RECEIPT: JobDefinition<SendReceiptData> = {
  name: 'send-business-receipt',
  data: SendReceiptData,
  idOf: ({ receiptId, run }) => `${receiptId}-${run}`,
  // 1 s + 2 s outlasts a lost connection to the database; after that the sweep takes over.
  attempts: 3,
  backoffMs: SECOND,
  // SF2900_SERVICE_SECONDS is 10 minutes at most, and there are two transactions.
  deadlineMs: 11 * MINUTE,
};

/** After so long, a job may be lost: longer than it may take. */
export const RECEIPT_OVERDUE_SECONDS = 15 * 60;

/** Nothing of the receipt was sent, for certain. */
const NOTHING_SENT: readonly FailureCode[] = ['cannot-connect', 'tls'];

interface SendParts extends Pick<Parts, 'store' | 'log'> {
  readonly client: DistributionClient;
}

/**
 * Sends the receipt once. Returns quietly when that is done already, or this job is of an older run. From the claim on it may have
 * been told, so it is told until that is certain: the call is the same each time, and its meaning does not change by repeating it.
 */
export function createSendReceiptHandler({ store, log, client }: SendParts) {
  return async (data: SendReceiptData): Promise<void> => {
    const receipt = await claimReceipt(store, data);
    if (!receipt) return;
    announce('receipt-claimed');
    const outcome = await sendBusinessReceipt(client, {
      municipality: receipt.municipality,
      callId: receipt.receiptId,
      code: receipt.code,
      context: receipt.context,
      ...wordsOf(receipt),
    });
    announce('receipt-answered');
    if (outcome.code === 'sent') return noteSent(store, receipt);
    const { code, status, faultCodes } = outcome;
    await noteFailure(store, receipt, code, { isInDoubt: receipt.wasInDoubt || !NOTHING_SENT.includes(code) });
    const { messageId, attempts } = receipt;
    log.info('receipt-not-sent', {
      messageId,
      code,
      status,
      faultCodes: faultCodes.join(' '),
      attempts: attempts + 1,
    });
  };
}

const NOT_RECEIVED = 'Filen er ikke modtaget.';

function wordsOf({ code, reason, fileFault }: Receipt) {
  if (code === 'AFVIST') return { reason: reason ?? undefined };
  if (code === 'FEJLET')
    return { reason: NOT_RECEIVED, faults: [{ code: fileFault ?? 'not-there', text: NOT_RECEIVED }] };
  return {};
}
