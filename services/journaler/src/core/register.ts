import type { Principal } from '@indbakke/shared/access';
import type { CaseBody, SentMessageBody } from '@indbakke/shared/api';
import { Problem } from '@indbakke/shared/errors';
import { type KeyRing, PARTY } from '@indbakke/shared/keys';
import type { Parts } from '@indbakke/shared/service';
import type { Tx } from '@indbakke/shared/store';
import type { z } from 'zod';
import { requestSuggestions } from '../suggestion/request-suggestions.js';

export type CoreParts = Pick<Parts, 'store' | 'keys' | 'queues'>;

/** Registers a message that the core sent, and requests suggestions for the messages that refer to it. */
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
    // The message may be registered before its case, or at the same time; neither PUT may fail because of the other.
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
  ]).catch(tellThatItIsStored);
}

/** Creates or replaces a case, and requests suggestions for the messages that refer to it. */
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
  await requestSuggestions({ store, queues }, municipality, [{ kind: 'case-id', value: caseId }]).catch(
    tellThatItIsStored,
  );
}

function tellThatItIsStored(cause: unknown): never {
  const detail = 'The registration is stored, but pending replies may not get their suggestion. Send it again.';
  throw new Problem('unknown-outcome', detail, { cause });
}

/** @throws Problem not-found for a token of an unknown municipality */
async function requireMunicipality(tx: Tx): Promise<void> {
  const known = await tx.municipality.findFirst({ select: { cvr: true } });
  if (!known) throw new Problem('not-found', 'The municipality of the token is not set up here.');
}

/** CPR and CVR numbers are only ever compared, so they are stored as keyed hashes. */
function digestOf(keys: KeyRing, id: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(keys.digest(PARTY, id));
}
