import { inboxFor, type Principal } from '@indbakke/shared/access';
import { Problem } from '@indbakke/shared/errors';
import { contentRemoved } from '@indbakke/shared/inbox';
import { CHANGES, type Delivery, writeChange } from '@indbakke/shared/lifecycle';
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
 * @throws Problem not-found; content-gone when retention has removed it; reply-not-wanted when its sender wants no answer
 */
export async function readAnswered(connection: Connection, principal: Principal, id: string): Promise<Answered> {
  const [row] = await run<{ contactPointId: string | null; original: Buffer | null }>(
    connection,
    sql`
      SELECT m.contact_point_id AS "contactPointId", d.original FROM messages m LEFT JOIN message_details d ON d.message_id = m.id
      WHERE m.id = ${id}::uuid AND ${inboxFor(principal)}`,
  );
  if (!row) throw noSuchMessage();
  if (!row.original) throw contentRemoved('What a letter must carry to answer it is not known any more.');
  const header = readHeader(row.original);
  // MeMo 1.2, reply. Many systems leave it out, so only a sender who says false wants no answer.
  if (header.reply === 'false' || header.reply === '0') {
    const detail = 'body.answers: the sender of this message does not want an answer to it. Send a letter of its own.';
    throw new Problem('reply-not-wanted', detail, { path: 'body.answers' });
  }
  return { contactPointId: row.contactPointId, header };
}

/**
 * Records that a letter answers another message than before, on both: null is none.
 *
 * @throws Problem not-found when the message that it answers now has left the inbox meanwhile
 */
export async function recordAnswer(
  connection: Connection,
  by: By,
  messageUuid: string,
  { before, now }: { readonly before: string | null; readonly now: string | null },
): Promise<void> {
  if (before === now) return;
  const withdraw = async (id: string) => {
    await recordIfInSight(connection, by, id, 'answer-withdrawn', { messageUuid });
  };
  const answer = async (id: string) => {
    if (!(await lock(connection, id, inboxFor(by.principal)))) throw noSuchMessage();
    await recordChange(connection, by, id, 'answered', { messageUuid });
  };
  // Locked in the order of ids: two letters may change places.
  if (before !== null && now !== null && now < before) {
    await answer(now);
    await withdraw(before);
  } else {
    if (before !== null) await withdraw(before);
    if (now !== null) await answer(now);
  }
}

/** Records whether the letter that answers a message was delivered, unless the message is out of sight now. */
export async function recordDelivery(
  connection: Connection,
  by: By,
  id: string,
  { messageUuid, delivery }: { readonly messageUuid: string; readonly delivery: Delivery | null },
): Promise<void> {
  await recordIfInSight(connection, by, id, 'answer-delivery-told', { messageUuid, delivery: delivery ?? 'not-told' });
}

type AnswerChange = 'answered' | 'answer-withdrawn' | 'answer-delivery-told';
type Details = Readonly<Record<string, string>>;

async function recordIfInSight(connection: Connection, by: By, id: string, change: AnswerChange, details: Details) {
  const inSight = sql`m.status = ANY (${[...CHANGES[change].from]}::text[])`;
  if (await lock(connection, id, inSight)) await recordChange(connection, by, id, change, details);
}

/** @returns whether there is a message that meets the condition */
async function lock(connection: Connection, id: string, condition: Prisma.Sql): Promise<boolean> {
  const found = await run(
    connection,
    sql`SELECT FROM messages m WHERE m.id = ${id}::uuid AND ${condition} FOR UPDATE OF m`,
  );
  return found.length > 0;
}

async function recordChange(
  connection: Connection,
  { principal, at }: By,
  id: string,
  change: AnswerChange,
  details: Details,
) {
  await writeChange(connection, { principal, id, expectedVersion: undefined, at }, change, { details });
}

function noSuchMessage(): Problem {
  const detail = 'body.answers: there is no such message in the inbox, or the caller may not see it.';
  return new Problem('not-found', detail, { path: 'body.answers' });
}
