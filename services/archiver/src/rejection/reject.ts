import type { StepAnswer } from '@indbakke/shared/api';
import { requireVisible } from '@indbakke/shared/inbox';
import { type RejectionReason, type StepRequest, transition } from '@indbakke/shared/lifecycle';
import type { Store, Tx } from '@indbakke/shared/store';

export interface Rejection {
  readonly reason: RejectionReason;
  readonly explanation?: string | undefined;
  readonly forwardedTo?: string | undefined;
  readonly senderInformed?: boolean | undefined;
}

/** Rejects a message. The words that go with the reason are personal and stand apart from its code. */
export async function reject(store: Store, step: StepRequest, rejection: Rejection): Promise<StepAnswer> {
  const { principal, id, expectedVersion, at } = step;
  const { municipality, actor } = principal;
  return store.withTenant(municipality, async (tx) => {
    await requireVisible(tx, principal, id);
    const result = await transition(tx, {
      messageId: id,
      municipality,
      transition: 'rejected',
      expectedVersion,
      actor,
      at,
      set: { rejectionReason: rejection.reason },
      details: { reason: rejection.reason },
    });
    await writeWords(tx, id, rejection);
    return { id, ...result };
  });
}

/** Undoes a rejection: the message is what it was before, and nothing of the rejection stays but its history. */
export async function reopen(store: Store, { principal, id, expectedVersion, at }: StepRequest): Promise<StepAnswer> {
  const { municipality, actor } = principal;
  return store.withTenant(municipality, async (tx) => {
    await requireVisible(tx, principal, id);
    const result = await transition(tx, {
      messageId: id,
      municipality,
      transition: 'reopened',
      expectedVersion,
      actor,
      at,
      set: { rejectionReason: null },
    });
    await writeWords(tx, id, undefined);
    return { id, ...result };
  });
}

function writeWords(tx: Tx, messageId: string, rejection: Rejection | undefined) {
  return tx.messageDetails.update({
    where: { messageId },
    data: {
      rejectionText: rejection?.explanation ?? null,
      forwardedTo: rejection?.forwardedTo ?? null,
      senderInformed: rejection?.senderInformed ?? null,
    },
  });
}
