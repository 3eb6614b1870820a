import { inboxFor, type Principal } from '@indbakke/shared/access';
import { Problem } from '@indbakke/shared/errors';
import { CHANGES, type Delivery, type Status, writeChange } from '@indbakke/shared/lifecycle';
import { type Memo, readHeader } from '@indbakke/shared/memo';
import { type Connection, Prisma, run } from '@indbakke/shared/store';

const { sql } = Prisma;

interface By {
  readonly principal: Principal;
  readonly at: Date;
}

/** A message of the inbox that a letter answers. */
export interface Answered {
  readonly contactPointId: string | null;
  readonly header: Memo['header'];
}

/**
 * Reads the message that a letter answers. Its ReplyData names people, so the caller must be one of those who may see it.
 *
 * @throws Problem not-found; reply-not-wanted when its sender wants no answer
 */
export async function readAnswered(connection: Connection, principal: Principal, id: string): Promise<Answered> {
  const [row] = await run<{ contactPointId: string | null; original: Buffer }>(
    connection,
    sql`
      SELECT m.contact_point_id AS "contactPointId", d.original FROM messages m JOIN message_details d ON d.message_id = m.id
      WHERE m.id = ${id}::uuid AND ${inboxFor(principal)}`,
  );
  if (!row) throw noSuchMessage();
  const header = readHeader(row.original);
  // MeMo 1.2, reply. Many systems leave it out, so only a sender who says false wants no answer.
  if (header.reply === 'false' || header.reply === '0') {
    const detail = 'body.answers: the sender of this message does not want an answer to it. Send a letter of its own.';
    throw new Problem('reply-not-wanted', detail, { path: 'body.answers' });
  }
  return { contactPointId: row.contactPointId, header };
}

/** @throws Problem not-found when it was deleted meanwhile */
export async function recordAnswer(connection: Connection, { principal, at }: By, id: string, messageUuid: string) {
  const request = { principal, id, expectedVersion: undefined, at };
  await writeChange(connection, request, 'answered', { details: { messageUuid } });
}

/** Records whether the letter that answers a message was delivered, unless the message is out of sight now. */
export async function recordDelivery(
  connection: Connection,
  { principal, at }: By,
  id: string,
  { messageUuid, delivery }: { readonly messageUuid: string; readonly delivery: Delivery | null },
): Promise<void> {
  const [row] = await run<{ status: Status }>(
    connection,
    sql`SELECT status FROM messages WHERE id = ${id}::uuid FOR UPDATE`,
  );
  const from: readonly Status[] = CHANGES['answer-delivery-told'].from;
  if (!row || !from.includes(row.status)) return;
  const request = { principal, id, expectedVersion: undefined, at };
  const details = { messageUuid, delivery: delivery ?? 'not-told' };
  await writeChange(connection, request, 'answer-delivery-told', { details });
}

function noSuchMessage(): Problem {
  const detail = 'body.answers: there is no such message in the inbox, or the caller may not see it.';
  return new Problem('not-found', detail, { path: 'body.answers' });
}
