import type { StepAnswer } from '@indbakke/shared/api';
import { requireVisible } from '@indbakke/shared/inbox';
import { type StepRequest, transition } from '@indbakke/shared/lifecycle';
import type { Parts } from '@indbakke/shared/service';
import { announce } from '@indbakke/shared/steps';
import type { Tx } from '@indbakke/shared/store';
import { removeContent } from './remove-content.js';

/**
 * Deletes a rejected message for good. One transaction destroys the key and every personal row and asks for the removal of
 * the content; from then on nobody can read it. The content itself goes right after, or with the next sweep.
 */
export async function deleteForGood(parts: Parts, step: StepRequest): Promise<StepAnswer> {
  const { principal, id, expectedVersion, at } = step;
  const { municipality, actor } = principal;
  const { blobName, result } = await parts.store.withTenant(municipality, async (tx) => {
    await requireVisible(tx, principal, id);
    const message = await tx.message.findUniqueOrThrow({ where: { id }, select: { blobName: true } });
    const moved = await transition(tx, {
      messageId: id,
      municipality,
      transition: 'deleted',
      expectedVersion,
      actor,
      at,
      set: TOMBSTONE,
    });
    await deleteRows(tx, id);
    if (message.blobName !== null) {
      await tx.contentRemoval.create({ data: { blobName: message.blobName, municipality, requestedAt: at } });
    }
    return { blobName: message.blobName, result: moved };
  });
  announce('deletion-committed');
  if (blobName !== null) await removeContent(parts, blobName);
  return { id, ...result };
}

// What stays: ids, municipality, times, who, fingerprint, the fields of the receipt, the code of the reason.
const TOMBSTONE = {
  contactPointId: null,
  documentCount: 0,
  fileCount: 0,
  contentSize: 0n,
  blobName: null,
  remarks: [],
  assigneeKind: null,
  assigneeId: null,
  suggestedCaseId: null,
  suggestionBasis: null,
  suggestionSender: null,
};

async function deleteRows(tx: Tx, messageId: string): Promise<void> {
  const ofMessage = { where: { messageId } };
  await tx.messageKey.deleteMany(ofMessage);
  await tx.file.deleteMany(ofMessage);
  await tx.document.deleteMany(ofMessage);
  await tx.replyReference.deleteMany(ofMessage);
  await tx.journalization.deleteMany(ofMessage);
  await tx.messageDetails.deleteMany(ofMessage);
}
