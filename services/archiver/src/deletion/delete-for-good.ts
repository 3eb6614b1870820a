import type { ChangeAnswer } from '@indbakke/shared/api';
import { announce } from '@indbakke/shared/crash-points';
import { changeMessage } from '@indbakke/shared/inbox';
import type { ChangeRequest } from '@indbakke/shared/lifecycle';
import type { Parts } from '@indbakke/shared/service';
import type { Tx } from '@indbakke/shared/store';
import { removeContent } from './remove-content.js';

/**
 * Deletes a rejected message for good. One transaction destroys the key and every personal row and requests the removal of the
 * content, which is unreadable from then on. The content is removed right after, or by the next sweep.
 */
export async function deleteForGood(parts: Parts, request: ChangeRequest): Promise<ChangeAnswer> {
  let orphan: string | undefined;
  const result = await changeMessage(parts.store, request, 'deleted', {
    set: TOMBSTONE,
    async write(tx) {
      orphan = await requestRemoval(tx, request);
      await deleteRows(tx, request.id);
    },
  });
  announce('deletion-committed');
  if (orphan !== undefined) await removeContent(parts, orphan);
  return result;
}

/** Detaches the content from the message and requests its removal. @returns its blob name, if there is any */
async function requestRemoval(tx: Tx, { id, principal, at }: ChangeRequest): Promise<string | undefined> {
  const { blobName } = await tx.message.findUniqueOrThrow({ where: { id }, select: { blobName: true } });
  if (blobName === null) return undefined;
  await tx.contentRemoval.create({ data: { blobName, municipality: principal.municipality, requestedAt: at } });
  await tx.message.update({ where: { id }, data: { blobName: null } });
  return blobName;
}

// What stays: ids, municipality, times, actor, fingerprint, the fields of the receipt, the code of the reason.
const TOMBSTONE = {
  contactPointId: null,
  documentCount: 0,
  fileCount: 0,
  contentSize: 0n,
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
  await tx.messageContent.deleteMany(ofMessage);
  await tx.file.deleteMany(ofMessage);
  await tx.document.deleteMany(ofMessage);
  await tx.replyReference.deleteMany(ofMessage);
  await tx.journalization.deleteMany(ofMessage);
  await tx.messageDetails.deleteMany(ofMessage);
}
