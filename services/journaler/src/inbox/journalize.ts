import type { ChangeAnswer, JournalizationBody } from '@indbakke/shared/api';
import { Problem } from '@indbakke/shared/errors';
import { changeMessage } from '@indbakke/shared/inbox';
import type { ChangeRequest } from '@indbakke/shared/lifecycle';
import type { Store, Tx } from '@indbakke/shared/store';
import type { z } from 'zod';

type Journalization = z.infer<typeof JournalizationBody>;

/**
 * Confirms that the core has the content on these cases.
 *
 * @param allowsUnknown whether a case may be one that the core has not registered
 * @throws Problem unknown-case
 */
export function journalize(
  store: Store,
  request: ChangeRequest,
  { caseIds, reference: given }: Journalization,
  allowsUnknown: boolean,
): Promise<ChangeAnswer> {
  const { id: messageId, principal, at } = request;
  const { municipality, actor } = principal;
  const cases = [...new Set(caseIds)];
  const reference = given ?? null;
  const data = cases.map((caseId) => ({ messageId, caseId, municipality, reference, at, by: actor.id }));
  return changeMessage(store, request, 'journalized', {
    details: { caseIds: cases.join(' ') },
    isRepeat: async (tx) => {
      const rows = await tx.journalization.findMany({ where: { messageId } });
      return (
        rows.length === cases.length && rows.every((row) => cases.includes(row.caseId) && row.reference === reference)
      );
    },
    async write(tx) {
      if (!allowsUnknown) await requireRegistered(tx, municipality, caseIds);
      await tx.journalization.createMany({ data });
    },
  });
}

/** A case that only a sent message has named is registered too. */
async function requireRegistered(tx: Tx, municipality: string, caseIds: string[]): Promise<void> {
  const rows = await tx.case.findMany({ where: { municipality, caseId: { in: caseIds } }, select: { caseId: true } });
  const registered = new Set(rows.map(({ caseId }) => caseId));
  const unknown = caseIds.flatMap((caseId, at) => (registered.has(caseId) ? [] : [`body.caseIds.${at}`]));
  if (unknown.length === 0) return;
  const more = unknown.length > 1 ? ` (and ${unknown.length - 1} more)` : '';
  throw new Problem(
    'unknown-case',
    `The core has not registered the case at ${unknown[0]}${more}. Register it with PUT /api/v1/cases/{caseId} first.`,
    { path: unknown[0] as string },
  );
}

/** Undoes a journalization: the message is pending again, and on no case. */
export function takeBack(store: Store, request: ChangeRequest, { reason }: { reason: string }): Promise<ChangeAnswer> {
  return changeMessage(store, request, 'taken-back', {
    details: { reason },
    write: (tx) => tx.journalization.deleteMany({ where: { messageId: request.id } }),
  });
}
