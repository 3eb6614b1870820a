import type { Principal } from '@indbakke/shared/access';
import type { CaseBody, SentMessageBody } from '@indbakke/shared/api';
import { Problem } from '@indbakke/shared/errors';
import { type KeyRing, PARTY } from '@indbakke/shared/keys';
import type { Parts } from '@indbakke/shared/service';
import type { Tx } from '@indbakke/shared/store';
import type { z } from 'zod';
import { requestSuggestions } from '../suggestion/request-suggestions.js';

/** What the core registers. The numbers of people are kept as keyed hashes: they are only ever compared. */

export type CoreParts = Pick<Parts, 'store' | 'keys' | 'queues'>;

/** Registers a message that the core sent, then looks again at the messages that refer to it. */
export async function registerSentMessage(
  { store, keys, queues }: CoreParts,
  { municipality }: Principal,
  messageUuid: string,
  { caseId, messageId, recipientId }: z.infer<typeof SentMessageBody>,
): Promise<void> {
  const row = {
    messageId: messageId ?? null,
    caseId,
    recipientDigest: recipientId === undefined ? null : digestOf(keys, recipientId),
  };
  await store.withTenant(municipality, async (tx) => {
    await requireMunicipality(tx);
    // The message may be registered before its case. Both PUTs may run at once; neither may fail for it.
    await tx.case.createMany({ data: { municipality, caseId }, skipDuplicates: true });
    await tx.sentMessage.upsert({
      where: { municipality_messageUuid: { municipality, messageUuid } },
      create: { municipality, messageUuid, ...row },
      update: row,
    });
  });
  await requestSuggestions({ store, queues }, municipality, [
    { kind: 'message-uuid', value: messageUuid },
    ...(messageId === undefined ? [] : [{ kind: 'message-id' as const, value: messageId }]),
  ]);
}

/** Creates or replaces a case, then looks again at the messages that refer to it. */
export async function upsertCase(
  { store, keys, queues }: CoreParts,
  { municipality }: Principal,
  caseId: string,
  { status, caseworker, parties }: z.infer<typeof CaseBody>,
): Promise<void> {
  const row = { status, caseworker, partyDigests: parties.map((id) => digestOf(keys, id)) };
  await store.withTenant(municipality, async (tx) => {
    await requireMunicipality(tx);
    await tx.case.upsert({
      where: { municipality_caseId: { municipality, caseId } },
      create: { municipality, caseId, ...row },
      update: row,
    });
  });
  await requestSuggestions({ store, queues }, municipality, [{ kind: 'case-id', value: caseId }]);
}

/** @throws Problem not-found for a token of a municipality whose mail is not taken in here */
async function requireMunicipality(tx: Tx): Promise<void> {
  const known = await tx.municipality.findFirst({ select: { cvr: true } });
  if (!known) throw new Problem('not-found', 'The municipality of the token is not set up here.');
}

function digestOf(keys: KeyRing, id: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(keys.digest(PARTY, id));
}
