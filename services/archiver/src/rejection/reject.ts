import type { StepAnswer } from '@indbakke/shared/api';
import { takeStep } from '@indbakke/shared/inbox';
import type { RejectionReason, StepRequest } from '@indbakke/shared/lifecycle';
import type { Store, Tx } from '@indbakke/shared/store';

export interface Rejection {
  readonly reason: RejectionReason;
  readonly explanation?: string | undefined;
  readonly forwardedTo?: string | undefined;
  readonly senderInformed?: boolean | undefined;
}

/** Rejects a message. The words that go with the reason are personal and stand apart from its code. */
export function reject(store: Store, step: StepRequest, rejection: Rejection): Promise<StepAnswer> {
  const { reason } = rejection;
  return takeStep(store, step, 'rejected', {
    set: { rejectionReason: reason },
    details: { reason },
    write: (tx) => writeWords(tx, step.id, rejection),
  });
}

/** Undoes a rejection: the message is what it was before, and nothing of the rejection stays but its history. */
export function reopen(store: Store, step: StepRequest): Promise<StepAnswer> {
  return takeStep(store, step, 'reopened', {
    set: { rejectionReason: null },
    write: (tx) => writeWords(tx, step.id, undefined),
  });
}

function writeWords(tx: Tx, messageId: string, rejection: Rejection | undefined): Promise<unknown> {
  return tx.messageDetails.update({
    where: { messageId },
    data: {
      rejectionText: rejection?.explanation ?? null,
      forwardedTo: rejection?.forwardedTo ?? null,
      senderInformed: rejection?.senderInformed ?? null,
    },
  });
}
