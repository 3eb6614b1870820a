import type { Principal } from '@indbakke/shared/access';
import { type KeyRing, PARTY } from '@indbakke/shared/content';
import { Problem } from '@indbakke/shared/errors';
import type { Store, Tx } from '@indbakke/shared/store';

/** What the core told, kept. The numbers of people are kept as keyed hashes: they are only ever compared. */

type Keeper = { store: Store; keys: KeyRing };

export async function keepSentMessage(
  { store, keys }: Keeper,
  { municipality }: Principal,
  messageUuid: string,
  sent: { caseId: string; messageId?: string | undefined; recipientId?: string | undefined },
): Promise<void> {
  const row = {
    messageId: sent.messageId ?? null,
    caseId: sent.caseId,
    recipientDigest: sent.recipientId === undefined ? null : digestOf(keys, sent.recipientId),
  };
  await store.withTenant(municipality, async (tx) => {
    await requireMunicipality(tx);
    // The core may tell of the letter before it tells of the case. Both PUTs may run at once; neither may fail for it.
    await tx.case.createMany({ data: { municipality, caseId: sent.caseId }, skipDuplicates: true });
    await tx.sentMessage.upsert({
      where: { municipality_messageUuid: { municipality, messageUuid } },
      create: { municipality, messageUuid, ...row },
      update: row,
    });
  });
}

export async function keepCase(
  { store, keys }: Keeper,
  { municipality }: Principal,
  caseId: string,
  told: { status: string; caseworker: string | null; parties: string[] },
): Promise<void> {
  const row = {
    status: told.status,
    caseworker: told.caseworker,
    partyDigests: told.parties.map((id) => digestOf(keys, id)),
  };
  await store.withTenant(municipality, async (tx) => {
    await requireMunicipality(tx);
    await tx.case.upsert({
      where: { municipality_caseId: { municipality, caseId } },
      create: { municipality, caseId, ...row },
      update: row,
    });
  });
}

/** @throws Problem not-found for a token of a municipality whose mail is not taken in here */
async function requireMunicipality(tx: Tx): Promise<void> {
  const known = await tx.municipality.findFirst({ select: { cvr: true } });
  if (!known) throw new Problem('not-found', 'The municipality of the token is not set up here.');
}

function digestOf(keys: KeyRing, id: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(keys.digest(PARTY, id));
}
