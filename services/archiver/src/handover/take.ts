import type { Principal } from '@indbakke/shared/access';
import type { ChangeAnswer } from '@indbakke/shared/api';
import { INDBAKKE } from '@indbakke/shared/audit';
import { announce } from '@indbakke/shared/crash-points';
import { Problem } from '@indbakke/shared/errors';
import { lockId, shareSetUp } from '@indbakke/shared/lifecycle';
import { SUGGEST_CASE } from '@indbakke/shared/queue';
import type { Parts } from '@indbakke/shared/service';
import { asMunicipality, CommitInDoubt, type Connection, newId, Prisma, run } from '@indbakke/shared/store';
import { type CopiedContent, copyContent, insertCopy, type Original, readOriginal } from './copy-message.js';
import { changeOffered, ended, endOffer, isOpen, movedTo, type Offer, readOffer, requireSameKind } from './offers.js';

const { sql } = Prisma;

interface Taking {
  readonly principal: Principal;
  readonly handoverId: string;
  readonly at: Date;
}

/**
 * Takes an offered message: its content is sealed anew, and then one transaction writes all rows of the copy, rejects the original
 * and ends the offer. Nothing is locked while the content is copied, so of two who take it at once both copy, and one wins.
 *
 * @throws Problem not-found, handover-ended, handover-not-possible, message-known, content-damaged; nothing is changed then
 */
export async function takeHandover(parts: Parts, taking: Taking, smallBytes: number): Promise<ChangeAnswer> {
  const { principal, at } = taking;
  const offer = await readOfferOf(parts, taking);
  if (isTakenBy(offer, principal)) return answerOf(offer.takenMessageId as string);
  if (offer.status !== 'open') throw ended(`It is ${offer.status}.`);
  if (offer.expiresAt <= at) throw ended('It is expired.');
  try {
    return answerOf(await copyAndStore(parts, taking, offer, smallBytes));
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return answerOfFirst(parts, taking, offer, error);
  }
}

/** @returns the id of the copy */
async function copyAndStore(parts: Parts, taking: Taking, offer: Offer, smallBytes: number): Promise<string> {
  const { municipality } = taking.principal;
  const original = await readOriginal(parts, offer.from, offer.messageId);
  if (!original) throw handled();
  await parts.store.withTenantConnection(municipality, (connection) =>
    requireUnknown(connection, municipality, original),
  );
  const id = newId();
  const content = await copyContent(parts, original, { id, municipality }, smallBytes);
  announce('handover-copied');
  try {
    await storeCopy(parts, taking, offer, original, { id, content });
  } catch (error) {
    // If the rows may have been written, the content must stay; if they were not, the sweep of orphans removes it.
    if (!(error instanceof CommitInDoubt)) await removeCopy(parts, content);
    throw error;
  }
  announce('handover-committed');
  parts.queues.enqueue(SUGGEST_CASE, { messageId: id, municipality, run: 1 });
  return id;
}

function readOfferOf({ store }: Pick<Parts, 'store'>, { principal, handoverId }: Taking): Promise<Offer> {
  return store.withTenantConnection(principal.municipality, (connection) =>
    readOffer(connection, principal, handoverId),
  );
}

/** What was the matter, now that it failed: of two calls of one caller, the second gets the answer of the first. */
async function answerOfFirst(
  parts: Parts,
  taking: Taking,
  { from, messageId }: Offer,
  problem: Problem,
): Promise<ChangeAnswer> {
  const offer = await readOfferOf(parts, taking);
  if (isTakenBy(offer, taking.principal)) return answerOf(offer.takenMessageId as string);
  if (offer.status !== 'open') throw ended(`It is ${offer.status}.`);
  // Its content may have gone with it, while it was copied.
  if (!(await readOriginal(parts, from, messageId))) throw handled();
  throw problem;
}

const answerOf = (id: string): ChangeAnswer => ({ id, status: 'pending', version: 1 });

const isTakenBy = ({ status, endedBy }: Offer, { actor }: Principal) => status === 'taken' && endedBy === actor.id;

const handled = () => ended('The message was handled where it is.');

async function removeCopy({ blobs, log }: Parts, { container }: CopiedContent): Promise<void> {
  const place = container?.place;
  if (place && 'blobName' in place) await blobs.remove(place.blobName).catch(() => log.warn('orphan-left', {}));
}

/** One transaction: the copy where it is taken, the rejection where it came from, and the end of the offer. */
async function storeCopy(
  { store, keys }: Parts,
  { principal, handoverId, at: calledAt }: Taking,
  offer: Offer,
  original: Original,
  { id, content }: { readonly id: string; readonly content: CopiedContent },
): Promise<void> {
  const { municipality, actor, role, origin } = principal;
  await store.withTenantConnection(municipality, async (connection) => {
    // As intake does: the locks of the set-up and of the id, and then the time, by the clock of the database.
    const at = await lockAsIntake(connection, municipality, original);
    const { name } = await requireSameKind(connection, offer.from, municipality);
    await requireUnknown(connection, municipality, original);
    await asMunicipality(connection, offer.from, async () => {
      const details = { reason: 'handed-over', sentOn: true, handoverId, to: municipality, takenBy: actor.id };
      const set = sql`rejection_reason = 'handed-over', outcome_at = ${at}::timestamptz, outcome_by = ${INDBAKKE.id}`;
      await changeOffered(connection, offer, at, 'rejected', details, { set, condition: movedTo(municipality) });
      await run(
        connection,
        sql`UPDATE message_details SET forwarded_to = ${name}, sender_informed = false WHERE message_id = ${offer.messageId}::uuid`,
      );
      const end = { status: 'taken', at, by: actor.id, takenMessageId: id } as const;
      await endOffer(connection, isOpen(handoverId, calledAt), end);
    });
    const details = {
      handoverId,
      from: offer.from,
      offeredBy: offer.offeredBy,
      offeredAt: offer.offeredAt.toISOString(),
      receivedThereAt: new Date(String(original.message.received_at)).toISOString(),
    };
    await insertCopy(connection, { keys }, original, {
      id,
      municipality,
      caseId: offer.caseId,
      at,
      takenBy: actor,
      role,
      origin,
      details,
      content,
    });
  });
}

async function lockAsIntake(connection: Connection, municipality: string, { message }: Original): Promise<Date> {
  await run(connection, sql`SELECT ${Prisma.raw(shareSetUp(`'${municipality}'`))}`);
  const [row] = await run<{ at: Date }>(
    connection,
    lockId(municipality, String(message.channel), String(message.external_id)),
  );
  return (row as { at: Date }).at;
}

/**
 * That the municipality does not have the message, nor has had it: nothing deleted comes back (docs/decisions/0013). Ids that are no
 * UUIDs are not unique, so of these only the same content is the same message.
 *
 * @throws Problem message-known
 */
async function requireUnknown(connection: Connection, municipality: string, { message }: Original): Promise<void> {
  const externalId = String(message.external_id);
  const known = await run(
    connection,
    sql`
      SELECT FROM messages WHERE municipality = ${municipality} AND channel = ${message.channel} AND external_id = ${externalId}
        AND (${!externalId.startsWith('sha256:')}::bool OR fingerprint = decode(${String(message.fingerprint).slice(2)}, 'hex')) LIMIT 1`,
  );
  if (known.length > 0)
    throw new Problem(
      'message-known',
      'It was delivered, or handed over, to this municipality before. Refuse the offer.',
    );
}
