import type { ChangeAnswer } from '@indbakke/shared/api';
import { changeMessage } from '@indbakke/shared/inbox';
import type { ChangeRequest, RejectionReason } from '@indbakke/shared/lifecycle';
import type { Store, Tx } from '@indbakke/shared/store';

export interface Rejection {
  readonly reason: RejectionReason;
  readonly explanation?: string | undefined;
  readonly forwardedTo?: string | undefined;
  readonly senderInformed?: boolean | undefined;
}

/** Rejects a message. The texts that go with the reason are personal, so they are stored apart from its code. */
export function reject(store: Store, request: ChangeRequest, rejection: Rejection): Promise<ChangeAnswer> {
  const { reason } = rejection;
  return changeMessage(store, request, 'rejected', {
    set: { rejectionReason: reason },
    details: { reason },
    isRepeat: async (tx) => {
      const row = await tx.messageDetails.findFirst({ where: { messageId: request.id, ...textsOf(rejection) } });
      return row !== null;
    },
    write: (tx) => writeTexts(tx, request.id, textsOf(rejection)),
  });
}

/** Undoes a rejection: the message gets its former status, and only the history shows the rejection. */
export function reopen(store: Store, request: ChangeRequest): Promise<ChangeAnswer> {
  return changeMessage(store, request, 'reopened', {
    set: { rejectionReason: null },
    write: (tx) => writeTexts(tx, request.id, textsOf({})),
  });
}

function textsOf({ explanation, forwardedTo, senderInformed }: Partial<Rejection>) {
  return {
    rejectionText: explanation ?? null,
    forwardedTo: forwardedTo ?? null,
    senderInformed: senderInformed ?? null,
  };
}

function writeTexts(tx: Tx, messageId: string, data: ReturnType<typeof textsOf>): Promise<unknown> {
  return tx.messageDetails.update({ where: { messageId }, data });
}
