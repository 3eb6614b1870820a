import type { StepAnswer } from '@indbakke/shared/api';
import { takeStep } from '@indbakke/shared/inbox';
import type { StepRequest } from '@indbakke/shared/lifecycle';
import type { Store } from '@indbakke/shared/store';

/** The core has the content safely on these cases: the handover is confirmed. */
export function journalize(
  store: Store,
  step: StepRequest,
  { caseIds, reference }: { caseIds: string[]; reference?: string | undefined },
): Promise<StepAnswer> {
  const { id: messageId, principal, at } = step;
  const { municipality, actor } = principal;
  const cases = [...new Set(caseIds)];
  const data = cases.map((caseId) => ({
    messageId,
    caseId,
    municipality,
    reference: reference ?? null,
    at,
    by: actor.id,
  }));
  return takeStep(store, step, 'journalized', {
    details: { caseIds: cases.join(' ') },
    write: (tx) => tx.journalization.createMany({ data }),
  });
}

/** The journalization was a mistake: the message is pending again, and stands on no case. */
export function takeBack(store: Store, step: StepRequest, { reason }: { reason: string }): Promise<StepAnswer> {
  return takeStep(store, step, 'taken-back', {
    details: { reason },
    write: (tx) => tx.journalization.deleteMany({ where: { messageId: step.id } }),
  });
}
