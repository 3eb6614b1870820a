import type { StepAnswer } from '@indbakke/shared/api';
import { requireVisible } from '@indbakke/shared/inbox';
import { type StepRequest, transition } from '@indbakke/shared/lifecycle';
import type { Store } from '@indbakke/shared/store';

/** The core has the content safely on these cases: the handover is confirmed. */
export async function journalize(
  store: Store,
  { principal, id, expectedVersion, at }: StepRequest,
  { caseIds, reference }: { caseIds: string[]; reference?: string | undefined },
): Promise<StepAnswer> {
  const { municipality, actor } = principal;
  return store.withTenant(municipality, async (tx) => {
    await requireVisible(tx, principal, id);
    const cases = [...new Set(caseIds)];
    const result = await transition(tx, {
      messageId: id,
      municipality,
      transition: 'journalized',
      expectedVersion,
      actor,
      at,
      details: { caseIds: cases.join(' ') },
    });
    await tx.journalization.createMany({
      data: cases.map((caseId) => ({
        messageId: id,
        caseId,
        municipality,
        reference: reference ?? null,
        at,
        by: actor.id,
      })),
    });
    return { id, ...result };
  });
}

/** The journalization was a mistake: the message is pending again, and stands on no case. */
export async function takeBack(
  store: Store,
  { principal, id, expectedVersion, at }: StepRequest,
  { reason }: { reason: string },
): Promise<StepAnswer> {
  const { municipality, actor } = principal;
  return store.withTenant(municipality, async (tx) => {
    await requireVisible(tx, principal, id);
    const result = await transition(tx, {
      messageId: id,
      municipality,
      transition: 'taken-back',
      expectedVersion,
      actor,
      at,
      details: { reason },
    });
    await tx.journalization.deleteMany({ where: { messageId: id } });
    return { id, ...result };
  });
}
