import type { z } from 'zod';
import { ownIdOf, personOf } from '../access/index.js';
import type { ChangeAnswer, DeletionBody } from '../api/index.js';
import { DAY } from '../config/index.js';
import { announce } from '../crash-points/index.js';
import { Problem } from '../errors/index.js';
import {
  type Change,
  type ChangeRequest,
  type DeletionChange,
  type DeletionFacts,
  type DeletionRefusal,
  FILE_FETCH,
  ONWARD_STATUS,
  refusalOfDeletion,
  writeChange,
} from '../lifecycle/index.js';
import { type Connection, Prisma, run } from '../store/index.js';
import { type ChangeEffects, changeMessage } from './change-message.js';
import { removeFromMadeFiles } from './made-files.js';
import { type RemoverParts, removeContent } from './remove-content.js';

const { sql } = Prisma;

/** What the person answered who asked for the deletion; codes for the audit log. */
export type DeletionAnswers = z.infer<typeof DeletionBody>;

/**
 * Deletes a rejected message for good, or, as the municipality is set up: asks another person to confirm that, or has it destroyed
 * after a delay, during which nobody but who may cancel it can read it.
 *
 * Deleting is one transaction, which destroys the key and every personal row, also of files made of messages that have the
 * message, and requests the removal of the content, which is unreadable from then on. The content is removed right after, or by
 * the next sweep.
 */
export function deleteMessage(
  parts: RemoverParts,
  request: ChangeRequest,
  { sentOn, senderInformed }: DeletionAnswers,
): Promise<ChangeAnswer> {
  const { principal, at } = request;
  const by = ownIdOf(principal.actor);
  return decide(parts, request, 'deleted', ({ needsTwo, dueAt }) => ({
    becomes: needsTwo ? 'deletion-requested' : dueAt ? 'deletion-scheduled' : 'deleted',
    set: sql`deletion_requested_at = ${at}::timestamptz, deletion_requested_by = ${by}, deletion_sent_on = ${sentOn}::bool,
      deletion_sender_informed = ${senderInformed}::bool`,
    dueAt: needsTwo ? undefined : dueAt,
    details: { sentOn, senderInformed },
  }));
}

/** Confirms the deletion that another person asked for: then the message is deleted, or its delay begins. */
export function confirmDeletion(parts: RemoverParts, request: ChangeRequest): Promise<ChangeAnswer> {
  const by = personOf(request.principal.actor);
  return decide(parts, request, 'deletion-confirmed', ({ dueAt, deletionRequestedBy, sentOn, senderInformed }) => ({
    becomes: dueAt ? 'deletion-confirmed' : 'deleted',
    set: sql`deletion_confirmed_by = ${by ?? null}::text`,
    dueAt,
    // A tombstone no longer has them, so a repeat would not tell the same.
    ownDetails: { sentOn, senderInformed, requestedBy: deletionRequestedBy ?? '' },
  }));
}

/** Withdraws a deletion that waits for another person, or cancels one whose delay runs: the message is rejected as before. */
export function cancelDeletion({ store }: Pick<RemoverParts, 'store'>, request: ChangeRequest): Promise<ChangeAnswer> {
  return changeMessage(store, request, 'deletion-cancelled', async (connection) => ({
    isPossible: isPossible(request, 'deletion-cancelled', await lockFacts(connection, request)),
    set: NO_DELETION,
  }));
}

/** Assignments for SET: no deletion of the message waits or runs. */
export const NO_DELETION = sql`deletion_requested_at = NULL, deletion_requested_by = NULL, deletion_confirmed_by = NULL,
  deletion_sent_on = NULL, deletion_sender_informed = NULL, deletion_due_at = NULL`;

interface Facts extends DeletionFacts {
  readonly sentOn: boolean;
  readonly senderInformed: boolean;
  readonly needsTwo: boolean;
  readonly delayDays: number;
}

interface Decision {
  readonly becomes: Change;
  readonly set: Prisma.Sql;
  /** When it is destroyed; undefined: that is not decided, or it is destroyed now. */
  readonly dueAt: Date | undefined;
  readonly details?: Details;
  readonly ownDetails?: Details;
}

type Details = Readonly<Record<string, string | boolean>>;

/** @param of what is decided of a message, given when it would be destroyed as the municipality is set up now */
async function decide(
  parts: RemoverParts,
  request: ChangeRequest,
  change: 'deleted' | 'deletion-confirmed',
  of: (facts: Facts & { readonly dueAt: Date | undefined }) => Decision,
): Promise<ChangeAnswer> {
  const { principal, id, at } = request;
  let orphan: string | undefined;
  const answer = await changeMessage(parts.store, request, change, async (connection): Promise<ChangeEffects> => {
    const facts = await lockFacts(connection, request);
    const due = facts.delayDays > 0 ? new Date(at.getTime() + facts.delayDays * DAY) : undefined;
    const { becomes, set, dueAt, details = {}, ownDetails = {} } = of({ ...facts, dueAt: due });
    const common = { change: becomes, details, isPossible: isPossible(request, change, facts) };
    if (becomes === 'deleted') {
      const write = async () => {
        orphan = await leaveTombstone(connection, request);
      };
      return { ...common, set: TOMBSTONE, ownDetails, write };
    }
    if (!dueAt) return { ...common, set, ownDetails };
    return {
      ...common,
      set: sql`${set}, deletion_due_at = ${dueAt}::timestamptz`,
      ownDetails: { ...ownDetails, dueAt: dueAt.toISOString() },
      write: () => removeFromMadeFiles(connection, principal.municipality, id, at),
    };
  });
  announce(answer.status === 'deleted' ? 'deletion-committed' : 'deletion-decided');
  if (orphan !== undefined) await removeContent(parts, orphan);
  return answer;
}

/** Locks a message, with what decides about its deletion. Whether the caller sees it is asked with the change. */
export async function lockFacts(connection: Connection, { id, principal }: ChangeRequest): Promise<Facts> {
  const [found] = await run<Facts>(
    connection,
    sql`
      SELECT m.legal_hold AS "legalHold", m.deletion_requested_at AS "deletionRequestedAt",
        m.deletion_requested_by AS "deletionRequestedBy", m.deletion_due_at AS "deletionDueAt",
        ${FILE_FETCH} AS "fileFetch", ${ONWARD_STATUS} AS onward, coalesce(m.deletion_sent_on, false) AS "sentOn", coalesce(m.deletion_sender_informed, false) AS "senderInformed",
        c.deletion_needs_two AS "needsTwo", c.deletion_delay_days AS "delayDays"
      FROM messages m JOIN municipalities c ON c.cvr = m.municipality
      WHERE m.id = ${id}::uuid AND m.municipality = ${principal.municipality} FOR UPDATE OF m`,
  );
  if (!found) throw new Problem('not-found', 'There is no such message, or the caller may not see it.');
  return found;
}

const REFUSALS: Record<DeletionRefusal, string> = {
  'legal-hold': 'The message is under a legal hold, so nothing of it may be deleted',
  'wrong-legal-hold': 'The message is under a legal hold already, or is under none that could be lifted',
  'wrong-deletion':
    'A deletion of the message waits or runs already, or there is none that could be confirmed or cancelled',
  'second-person-needed':
    'Another person than the one who asked for the deletion must confirm it; a system only for such a person',
  'file-on-its-way': 'A file of the document is on its way. Wait until it is here or given up',
  'sent-on': 'The message is on its way to another authority. Wait until it is sent, or cannot be',
};

/** The condition of a change of a message that is locked. */
export function isPossible(
  { principal }: ChangeRequest,
  change: DeletionChange,
  facts: DeletionFacts,
): NonNullable<ChangeEffects['isPossible']> {
  const refusal = refusalOfDeletion(facts, change, personOf(principal.actor));
  if (!refusal) return { condition: sql`true`, otherwise: () => new Problem('internal', 'It was possible.') };
  return {
    condition: sql`false`,
    otherwise: (allowed) => new Problem(refusal, `${REFUSALS[refusal]}; ${allowed}`),
  };
}

/**
 * Deletes a message for good in a transaction of which it is a part, whoever may see it and whatever it waits for.
 *
 * @returns the name of the content, to be removed after the commit
 */
export async function deleteWithin(
  connection: Connection,
  request: ChangeRequest,
  details?: Details,
): Promise<string | undefined> {
  await writeChange(connection, request, 'deleted', { set: TOMBSTONE, ...(details && { details }) });
  return leaveTombstone(connection, request);
}

/** Deletes everything but the tombstone. @returns the name of the content, whose removal is requested */
async function leaveTombstone(connection: Connection, request: ChangeRequest): Promise<string | undefined> {
  const orphan = await removeWithin(connection, request);
  await run(connection, sql`DELETE FROM journalizations WHERE message_id = ${request.id}::uuid`);
  return orphan;
}

/**
 * Destroys the key and every personal row of a message that its change has locked, removes the files made of it, and requests the
 * removal of its content.
 *
 * @returns the name of the content
 */
export async function removeWithin(
  connection: Connection,
  { id, principal: { municipality }, at }: ChangeRequest,
): Promise<string | undefined> {
  const orphan = await requestRemoval(connection, municipality, id, at);
  for (const table of TABLES) {
    await run(connection, sql`DELETE FROM ${Prisma.raw(table)} WHERE message_id = ${id}::uuid`);
  }
  await removeFromMadeFiles(connection, municipality, id, at);
  return orphan;
}

/** Detaches the content from the message and requests its removal. @returns its blob name, if there is any */
async function requestRemoval(
  connection: Connection,
  municipality: string,
  id: string,
  at: Date,
): Promise<string | undefined> {
  const [removal] = await run<{ blobName: string }>(
    connection,
    sql`
      WITH detached AS (
        UPDATE messages m SET blob_name = NULL FROM messages before
        WHERE m.id = ${id}::uuid AND before.id = m.id AND before.blob_name IS NOT NULL
        RETURNING before.blob_name
      )
      INSERT INTO content_removals (blob_name, municipality, requested_at)
      SELECT blob_name, ${municipality}, ${at}::timestamptz FROM detached
      RETURNING blob_name AS "blobName"`,
  );
  return removal?.blobName;
}

// What stays: ids, municipality, times, actor, fingerprint, the fields of the receipt, the code of the reason.
const TOMBSTONE = sql`
  contact_point_id = NULL, document_count = 0, attachment_count = 0, file_count = 0, content_size = 0, has_media = false,
  remarks = '[]', reply_by = NULL, assignee_kind = NULL, assignee_id = NULL, suggested_case_id = NULL,
  suggestion_basis = NULL, suggestion_sender = NULL, suggestion_party = NULL, suggestion_warning = NULL, escalated_at = NULL,
  concern_marked_at = NULL, concern_marked_by = NULL, concern_assess_by = NULL, concern_assessed_at = NULL, concern_confirm_by = NULL, concern_confirmed_at = NULL,
  legal_hold = false, in_deletion_ledger = false, ${NO_DELETION}`;

// In an order that the foreign keys allow.
const TABLES = [
  'message_scans',
  'file_fetches',
  'message_keys',
  'message_contents',
  'files',
  'documents',
  'reply_references',
  'legal_holds',
  'message_words',
  'message_parties',
  'onward_distribution_texts',
  'message_details',
];
