import { Problem } from '@indbakke/shared/errors';
import { digestOfParty, type KeyRing } from '@indbakke/shared/keys';
import type { Delivery } from '@indbakke/shared/lifecycle';
import { type Connection, newId, Prisma, run } from '@indbakke/shared/store';
import { requestDueSuggestions } from '../suggestion/request-due-suggestions.js';
import { requestSuggestions } from '../suggestion/request-suggestions.js';
import type { CoreParts } from './register.js';

const { sql } = Prisma;

/** What is told of a sent message. A field that is undefined stays as it is. */
export interface GivenSentMessage {
  readonly messageUuid: string;
  readonly caseId?: string | undefined;
  readonly messageId?: string | null | undefined;
  /** CPR or CVR number. */
  readonly recipientId?: string | null | undefined;
  readonly contactPointId?: string | null | undefined;
  readonly setUpAt?: Date | undefined;
  readonly answeredMessageId?: string | null | undefined;
  readonly delivery?: Delivery | null | undefined;
}

/** How a sent message is registered. */
interface SentMessageRow {
  readonly messageId: string | null;
  readonly answeredMessageId: string | null;
  readonly delivery: Delivery | null;
}

export interface StoredSentMessage {
  /** undefined: it is new. */
  readonly before: SentMessageRow | undefined;
  /** A case that it is the first to name. */
  readonly newCase: string | undefined;
}

/**
 * Registers a sent message, or changes the given fields of one, in the transaction of this connection. Once it has committed,
 * suggestions are to be requested (requestSuggestionsOfSent).
 *
 * @throws Problem bad-request for a new one without a case
 */
export async function storeSentMessage(
  connection: Connection,
  keys: KeyRing,
  municipality: string,
  given: GivenSentMessage,
): Promise<StoredSentMessage> {
  const { messageUuid, caseId } = given;
  const columns = columnsOf(given, keys);
  let newCase: string | undefined;
  if (caseId !== undefined) {
    // The message may be registered before its case, or at the same time; neither call may fail because of the other.
    const inserted = await run(
      connection,
      sql`
        INSERT INTO cases (municipality, case_id, suggestions_due) VALUES (${municipality}, ${caseId}, ${newId()}::uuid)
        ON CONFLICT DO NOTHING RETURNING 1`,
    );
    newCase = inserted.length > 0 ? caseId : undefined;
    // First, since of two calls for a new message one waits here, and then finds what the other registered.
    const isNew = await run(
      connection,
      sql`
        INSERT INTO sent_messages (municipality, message_uuid, ${Prisma.join(columns.map(({ name }) => Prisma.raw(name)))})
        VALUES (${municipality}, ${messageUuid}, ${Prisma.join(columns.map(({ value }) => value))})
        ON CONFLICT DO NOTHING RETURNING 1`,
    );
    if (isNew.length > 0) return { before: undefined, newCase };
  }
  const isOne = sql`municipality = ${municipality} AND message_uuid = ${messageUuid}`;
  const [before] = await run<SentMessageRow>(
    connection,
    sql`
      SELECT message_id AS "messageId", answered_message_id AS "answeredMessageId", delivery FROM sent_messages
      WHERE ${isOne} FOR UPDATE`,
  );
  if (!before) throw new Problem('bad-request', 'body.caseId: is required the first time.', { path: 'body.caseId' });
  if (columns.length > 0) {
    const assignments = columns.map(({ name, value }) => {
      const column = Prisma.raw(name);
      // The first time stays: what a message shows of the letter does not change because its set-up is asked for again.
      return name === 'set_up_at' ? sql`${column} = coalesce(${column}, ${value})` : sql`${column} = ${value}`;
    });
    await run(connection, sql`UPDATE sent_messages SET ${Prisma.join(assignments)} WHERE ${isOne}`);
  }
  return { before, newCase };
}

/** The columns of the fields that are given. */
function columnsOf(given: GivenSentMessage, keys: KeyRing): { readonly name: string; readonly value: Prisma.Sql }[] {
  const { caseId, messageId, recipientId, contactPointId, setUpAt, answeredMessageId, delivery } = given;
  // Only ever compared, so it is stored as a keyed hash.
  const digest = recipientId ? digestOfParty(keys, recipientId).toString('hex') : null;
  return [
    { name: 'case_id', given: caseId, value: sql`${caseId}::text` },
    { name: 'message_id', given: messageId, value: sql`${messageId}::text` },
    { name: 'recipient_digest', given: recipientId, value: sql`decode(${digest}::text, 'hex')` },
    { name: 'contact_point_id', given: contactPointId, value: sql`${contactPointId}::text` },
    { name: 'set_up_at', given: setUpAt, value: sql`${setUpAt}::timestamptz` },
    { name: 'answered_message_id', given: answeredMessageId, value: sql`${answeredMessageId}::uuid` },
    { name: 'delivery', given: delivery, value: sql`${delivery}::text` },
  ].filter((column) => column.given !== undefined);
}

/**
 * Requests suggestions for the pending messages that refer to a sent message.
 *
 * @throws Problem unknown-outcome: it is stored, but they may not be requested
 */
export async function requestSuggestionsOfSent(
  { store, queues }: CoreParts,
  municipality: string,
  { messageUuid, messageId }: GivenSentMessage,
  { before, newCase }: StoredSentMessage,
): Promise<void> {
  // Also by the former id: what was suggested through it may be wrong now.
  const ids = [...new Set([before?.messageId, messageId])].flatMap((id) => id ?? []);
  try {
    await requestSuggestions({ store, queues }, municipality, [
      { kind: 'message-uuid', value: messageUuid },
      ...ids.map((value) => ({ kind: 'message-id' as const, value })),
    ]);
    // A reply may name the case only.
    if (newCase !== undefined) await requestDueSuggestions({ store, queues }, municipality, [newCase]);
  } catch (error) {
    tellThatItIsStored(error);
  }
}

export function tellThatItIsStored(cause: unknown): never {
  const detail = 'The registration is stored, but pending replies may not get their suggestion. Send it again.';
  throw new Problem('unknown-outcome', detail, { cause });
}
