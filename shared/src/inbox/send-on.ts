import type { ChangeAnswer, OnwardBody } from '../api/index.js';
import { Problem } from '../errors/index.js';
import { type ChangeRequest, FILE_FETCH, maySendOn, ONWARD_STATUS, type OnwardStatus } from '../lifecycle/index.js';
import { type Connection, newId, Prisma, run, type Store } from '../store/index.js';
import { currentTrace } from '../tracing/index.js';
import { IS_TRAINING } from '../training/index.js';
import { type ChangeEffects, changeMessage } from './change-message.js';
import { fileHeld, hasFile, type Scanning, WITHOUT_TECHNICAL } from './may-open.js';

const { sql } = Prisma;

/**
 * Asks for a rejected message to be sent on to another authority through Fordelingskomponenten, which is what became of it: told as its
 * outcome, until it turns out that the recipient does not take it. A training municipality sends nothing.
 *
 * @throws Problem sent-on, wrong-deletion, file-on-its-way, file-held, file-unsafe, beside those of any change
 */
export function sendOn(
  { store, scanning }: { readonly store: Store; readonly scanning: Scanning },
  request: ChangeRequest,
  body: OnwardBody,
): Promise<ChangeAnswer> {
  const { at, principal } = request;
  const { recipient, kle, facet, receiver, title } = body;
  return changeMessage(store, request, 'distribution-asked', async (connection) => ({
    isPossible: isPossible(await lockFacts(connection, request, scanning)),
    set: sql`outcome_at = ${at}::timestamptz, outcome_by = ${principal.actor.id}, outcome_department_id = NULL`,
    details: { recipient, kle, ...(facet !== undefined && { facet }), ...(receiver !== undefined && { receiver }) },
    isRepeat: async () => (await titleOf(connection, request.id)) === (title ?? null),
    write: () => insert(connection, request, body),
  }));
}

interface Facts {
  readonly onward: OnwardStatus | null;
  readonly hasDeletion: boolean;
  readonly fileIsComing: boolean;
  readonly isHeld: boolean;
  readonly isUnsafe: boolean;
}

/** Locks the message, so that it is sent on once. Whether the caller sees it is asked with the change. */
async function lockFacts(
  connection: Connection,
  { id, principal }: ChangeRequest,
  scanning: Scanning,
): Promise<Facts | undefined> {
  const ofMessage = sql`FROM messages m WHERE m.id = ${id}::uuid AND m.municipality = ${principal.municipality}`;
  await run(connection, sql`SELECT ${ofMessage} FOR UPDATE`);
  // Another statement, since the first may have seen the rows as they were before it got the lock.
  const [facts] = await run<Facts>(
    connection,
    sql`SELECT ${ONWARD_STATUS} AS onward, m.deletion_requested_at IS NOT NULL AS "hasDeletion",
      coalesce(${FILE_FETCH} = 'waiting', false) AS "fileIsComing",
      ${hasFile(scanning, WITHOUT_TECHNICAL, 'held')} AS "isHeld",
      ${hasFile(scanning, WITHOUT_TECHNICAL, 'unsafe')} AS "isUnsafe" ${ofMessage}`,
  );
  return facts;
}

function isPossible(facts: Facts | undefined): NonNullable<ChangeEffects['isPossible']> {
  const refused = (problem: (allowed: string) => Problem) => ({ condition: sql`false`, otherwise: problem });
  if (facts && !maySendOn(facts.onward)) {
    const what =
      facts.onward === 'accepted' ? 'The recipient has the message already' : 'The message is sent on already';
    return refused((allowed) => new Problem('sent-on', `${what}; ${allowed}`));
  }
  if (facts?.hasDeletion) {
    return refused((allowed) => new Problem('wrong-deletion', `A deletion of the message waits or runs; ${allowed}`));
  }
  if (facts?.fileIsComing) {
    return refused((allowed) => new Problem('file-on-its-way', `A file of the document is on its way; ${allowed}`));
  }
  if (facts?.isUnsafe) {
    const why = 'A file of the message has malware, or cannot be scanned, so it is not sent on.';
    return refused(() => new Problem('file-unsafe', why));
  }
  if (facts?.isHeld) return refused(() => fileHeld());
  return { condition: sql`true`, otherwise: () => new Problem('internal', 'It was possible.') };
}

async function titleOf(connection: Connection, messageId: string): Promise<string | null | undefined> {
  const [row] = await run<{ title: string | null }>(
    connection,
    sql`SELECT t.title FROM onward_distributions o JOIN onward_distribution_texts t ON t.distribution_id = o.id
      WHERE o.message_id = ${messageId}::uuid ORDER BY o.at DESC, o.id DESC LIMIT 1`,
  );
  return row?.title;
}

async function insert(connection: Connection, request: ChangeRequest, body: OnwardBody): Promise<void> {
  const { id: messageId, at, principal } = request;
  const { municipality, actor } = principal;
  const { recipient, kle, facet = null, receiver = null, title = null } = body;
  const id = newId();
  await run(
    connection,
    sql`INSERT INTO onward_distributions
        (id, message_id, municipality, recipient, kle, facet, receiver, status, at, asked_by, next_enqueue_at, trace)
      VALUES (${id}::uuid, ${messageId}::uuid, ${municipality}, ${recipient}, ${kle}, ${facet}::text, ${receiver}::uuid,
        CASE WHEN ${IS_TRAINING} THEN 'sent' ELSE 'waiting' END, ${at}::timestamptz, ${actor.id}, ${at}::timestamptz,
        ${currentTrace() ?? null}::text)`,
  );
  await run(
    connection,
    sql`INSERT INTO onward_distribution_texts (distribution_id, message_id, municipality, title)
      VALUES (${id}::uuid, ${messageId}::uuid, ${municipality}, ${title}::text)`,
  );
  await run(
    connection,
    sql`UPDATE message_details SET forwarded_to = ${`CVR ${recipient}`}, sender_informed = coalesce(sender_informed, false)
      WHERE message_id = ${messageId}::uuid`,
  );
}
