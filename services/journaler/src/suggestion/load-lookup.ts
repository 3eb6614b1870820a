import type { Tx } from '@indbakke/shared/store';
import type { Lookup, Reference, SentLetter } from './suggest-case.js';

/**
 * Reads what the core has told of the things that these references name: three queries, however many references.
 *
 * @param senderDigest keyed hash of the sender’s CPR or CVR number
 */
export async function loadLookup(tx: Tx, references: readonly Reference[], senderDigest: Buffer): Promise<Lookup> {
  const named = (kind: Reference['kind']) => references.filter((ref) => ref.kind === kind).map((ref) => ref.value);
  const [byUuid, byId] = [
    await tx.sentMessage.findMany({ where: { messageUuid: { in: named('message-uuid') } } }),
    await tx.sentMessage.findMany({ where: { messageId: { in: named('message-id') } } }),
  ];
  const caseIds = [...byUuid, ...byId].map((sent) => sent.caseId);
  const cases = await tx.case.findMany({ where: { caseId: { in: [...caseIds, ...named('case-id')] } } });

  const isSender = (digest: Uint8Array | null) => digest !== null && senderDigest.equals(digest);
  const toLetter = (sent: { caseId: string; recipientDigest: Uint8Array | null }): SentLetter => ({
    caseId: sent.caseId,
    senderIsRecipient: isSender(sent.recipientDigest),
  });
  const caseById = new Map(cases.map((row) => [row.caseId, row]));
  const letterByUuid = new Map(byUuid.map((sent) => [sent.messageUuid, toLetter(sent)]));

  return {
    sentByUuid: (uuid) => letterByUuid.get(uuid),
    sentById: (id) => byId.filter((sent) => sent.messageId === id).map(toLetter),
    knowsCase: (caseId) => caseById.has(caseId),
    senderIsParty: (caseId) => caseById.get(caseId)?.partyDigests.some(isSender) ?? false,
  };
}
