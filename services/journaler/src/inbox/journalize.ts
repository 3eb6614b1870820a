import type { ChangeAnswer } from '@indbakke/shared/api';
import { changeMessage } from '@indbakke/shared/inbox';
import type { ChangeRequest } from '@indbakke/shared/lifecycle';
import type { Store } from '@indbakke/shared/store';

/** Confirms that the core has the content on these cases. */
export function journalize(
  store: Store,
  request: ChangeRequest,
  { caseIds, reference }: { caseIds: string[]; reference?: string | undefined },
): Promise<ChangeAnswer> {
  const { id: messageId, principal, at } = request;
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
  return changeMessage(store, request, 'journalized', {
    details: { caseIds: cases.join(' ') },
    write: (tx) => tx.journalization.createMany({ data }),
  });
}

/** Undoes a journalization: the message is pending again, and on no case. */
export function takeBack(store: Store, request: ChangeRequest, { reason }: { reason: string }): Promise<ChangeAnswer> {
  return changeMessage(store, request, 'taken-back', {
    details: { reason },
    write: (tx) => tx.journalization.deleteMany({ where: { messageId: request.id } }),
  });
}
