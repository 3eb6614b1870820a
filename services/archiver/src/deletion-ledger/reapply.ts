import { asSystem } from '@indbakke/shared/access';
import { INDBAKKE, insertAudit } from '@indbakke/shared/audit';
import { currentTime } from '@indbakke/shared/clock';
import type { BlobStore } from '@indbakke/shared/content';
import { announce } from '@indbakke/shared/crash-points';
import { NO_DELETION, removeContent } from '@indbakke/shared/inbox';
import { type Status, writeChange } from '@indbakke/shared/lifecycle';
import type { Parts } from '@indbakke/shared/service';
import { type Connection, Prisma, run } from '@indbakke/shared/store';
import { deleteFromAnyStatus } from '../deletion/delete-from-any-status.js';
import { removeContentWithin } from '../retention/content.js';
import { type Deletion, readLedger } from './ledger.js';

const { sql } = Prisma;

/** What becomes of a line of the ledger, and of deletions that the database has and the ledger has not. */
export const RESULTS = {
  deleted: 'messages were there and are deleted again',
  'content-removed': 'messages had their content, which is removed again',
  tombstone: 'messages were not there and have a row without content, so that they do not come back',
  'deleted-before': 'lines are of messages, or of content, that are gone already',
  unhandled:
    'messages had their content removed after they were journalized, and are not journalized here: they stay until they are, and retention removes it',
  'delay-cancelled':
    'deletions whose delay is over are in no ledger, so that they may have been cancelled: they are cancelled here',
  'handed-over':
    'messages were handed over, and the copy is not in this database: they stay; hand them over and run this again',
  'legal-hold': 'messages are under a legal hold in this database and stay: lift it and run this again',
  'unknown-municipality': 'lines are of municipalities that are not set up here: set them up and run this again',
  forged: 'lines are not as they were written, and nothing is done about them',
} as const;
export type Result = keyof typeof RESULTS;

export interface ReapplyOptions {
  readonly isDryRun: boolean;
  readonly onLine?: (counts: Readonly<Record<Result, number>>) => void;
  readonly onForged?: (where: string) => void;
}

type Reapplier = Pick<Parts, 'store' | 'blobs' | 'log'>;

/**
 * After a restore of the database from before some deletions: deletes again what is in the ledger, each line in a transaction of its
 * own. To do it again changes nothing, so it may be stopped and run anew.
 */
export async function reapplyDeletions(
  parts: Pick<Parts, 'store' | 'keys' | 'blobs' | 'log'>,
  ledger: BlobStore,
  { isDryRun, onLine = () => {}, onForged = () => {} }: ReapplyOptions,
): Promise<Readonly<Record<Result, number>>> {
  const counts = Object.fromEntries(Object.keys(RESULTS).map((result) => [result, 0])) as Record<Result, number>;
  const count = (result: Result) => {
    counts[result] += 1;
    onLine(counts);
  };
  const overdue = await readOverdue(parts);
  const apply = async (deletion: Deletion) => {
    const result = await reapply(parts, deletion, isDryRun);
    if (result === 'deleted') overdue.delete(deletion.id);
    count(result);
  };
  const handedOver: Deletion[] = [];
  for await (const line of readLedger(ledger, parts.keys)) {
    if ('forged' in line) {
      count('forged');
      onForged(line.forged);
    } else if (line.deletion.copy) handedOver.push(line.deletion);
    else await apply(line.deletion);
  }
  for (const _ of await applyHandedOver(parts, handedOver, apply)) count('handed-over');
  for (const [id, municipality] of overdue) {
    if (isDryRun || (await cancelOverdue(parts, municipality, id))) count('delay-cancelled');
  }
  return counts;
}

/**
 * Of a message that was handed over, the copy must be there, or be deleted in its turn: else nobody has the letter.
 *
 * @returns those of which it is not
 */
async function applyHandedOver(
  parts: Reapplier,
  deletions: readonly Deletion[],
  apply: (deletion: Deletion) => Promise<void>,
): Promise<readonly Deletion[]> {
  const left: Deletion[] = [];
  for (const deletion of deletions) {
    if (await isHandedOver(parts, deletion)) await apply(deletion);
    else left.push(deletion);
  }
  // A copy may have been handed over itself.
  return left.length < deletions.length ? applyHandedOver(parts, left, apply) : left;
}

async function isHandedOver({ store }: Reapplier, { id, municipality, copy }: Deletion): Promise<boolean> {
  const taken = await store.withTenantConnection(municipality, (connection) =>
    run(connection, sql`SELECT FROM handovers WHERE message_id = ${id}::uuid AND status = 'taken'`),
  );
  if (taken.length > 0 || !copy) return true;
  const there = await store.withTenantConnection(copy.municipality, (connection) =>
    run(connection, sql`SELECT FROM messages WHERE id = ${copy.id}::uuid`),
  );
  return there.length > 0;
}

async function reapply(parts: Reapplier, deletion: Deletion, isDryRun: boolean): Promise<Result> {
  let contents: string[] = [];
  const result = await parts.store.withTenantConnection(deletion.municipality, async (connection): Promise<Result> => {
    const there = await lockMessages(connection, deletion);
    if (there.length === 0) return leaveTombstone(connection, deletion, isDryRun);
    const isDeletion = deletion.change === 'deleted';
    const left = there.filter(({ status, hasContent }) => status !== 'deleted' && (isDeletion || hasContent));
    if (left.length === 0) return 'deleted-before';
    if (left.some(({ legalHold }) => legalHold)) return 'legal-hold';
    if (!isDeletion && left.some(({ status }) => status !== 'journalized')) return 'unhandled';
    if (!isDryRun) contents = await removeAll(connection, deletion, left);
    return deletion.change;
  });
  if (!isDryRun && result === 'deleted') announce('deletion-committed');
  if (!isDryRun && result === 'content-removed') announce('retention-committed');
  for (const name of contents) await removeContent(parts, name);
  return result;
}

interface Found {
  readonly id: string;
  readonly status: Status;
  readonly legalHold: boolean;
  /** False where retention removed it. */
  readonly hasContent: boolean;
}

/** The message, and the same message if it was delivered again after the restore. */
function lockMessages(connection: Connection, deletion: Deletion): Promise<Found[]> {
  const { id, municipality, channel, externalId, fingerprint } = deletion;
  return run<Found>(
    connection,
    sql`
      SELECT id, status, legal_hold AS "legalHold", content_removed_at IS NULL AS "hasContent" FROM messages
      WHERE municipality = ${municipality} AND (id = ${id}::uuid
        OR (channel = ${channel} AND external_id = ${externalId} AND fingerprint = decode(${fingerprint}, 'hex')))
      ORDER BY id FOR UPDATE`,
  );
}

async function removeAll(connection: Connection, deletion: Deletion, found: readonly Found[]): Promise<string[]> {
  const contents: string[] = [];
  for (const { id, status } of found) {
    if (status === 'deleted') continue;
    const principal = asSystem(deletion.municipality, INDBAKKE);
    const request = { principal, id, expectedVersion: undefined, at: currentTime() };
    const name =
      deletion.change === 'deleted'
        ? await deleteFromAnyStatus(connection, request, status, detailsOf(deletion))
        : await removeContentWithin(connection, request, detailsOf(deletion));
    if (name !== undefined) contents.push(name);
    await run(connection, sql`UPDATE messages SET in_deletion_ledger = true WHERE id = ${id}::uuid`);
  }
  return contents;
}

/** As the message would have left it; by it the receiver knows the id, and answers with the first receipt. */
async function leaveTombstone(connection: Connection, deletion: Deletion, isDryRun: boolean): Promise<Result> {
  const { municipality } = deletion;
  const known = await run(connection, sql`SELECT FROM municipalities WHERE cvr = ${municipality}`);
  if (known.length === 0) return 'unknown-municipality';
  if (isDryRun) return 'tombstone';
  const { id, channel, externalId, fingerprint, kind, receivedAt, letterAt, transmissionId, deletedAt, change } =
    deletion;
  // Who journalized it, and on which case, is in no ledger.
  const now =
    change === 'deleted'
      ? sql`'deleted', ${deletedAt}::timestamptz, ${deletion.deletedBy}, 'other', NULL`
      : sql`'journalized', ${deletion.handledAt}::timestamptz, ${INDBAKKE.id}, NULL, ${deletedAt}::timestamptz`;
  await run(
    connection,
    sql`
      INSERT INTO messages (id, municipality, channel, external_id, fingerprint, kind, received_at, first_offered_at, letter_at,
        transmission_id, document_count, file_count, content_size, remarks, handled_at, status, status_at, status_by,
        rejection_reason, content_removed_at, suggestion_run_at, next_enqueue_at, in_deletion_ledger)
      VALUES (${id}::uuid, ${municipality}, ${channel}, ${externalId}, decode(${fingerprint}, 'hex'), ${kind},
        ${receivedAt}::timestamptz, ${receivedAt}::timestamptz, ${letterAt}::timestamptz, ${transmissionId}::uuid, 0, 0, 0, '[]',
        ${deletion.handledAt}::timestamptz, ${now}, ${receivedAt}::timestamptz, ${receivedAt}::timestamptz, true)`,
  );
  const by = { municipality, actor: INDBAKKE };
  await run(
    connection,
    insertAudit({ by, at: currentTime(), action: change, messageId: id, details: detailsOf(deletion) }),
  );
  return 'tombstone';
}

/** That it was deleted before, when and by whom. */
const detailsOf = ({ deletedAt, deletedBy }: Deletion) => ({ reapplied: true, deletedAt, deletedBy });

/** Messages whose deletion delay is over, with their municipality. */
async function readOverdue({ store }: Reapplier): Promise<Map<string, string>> {
  const overdue = await store.sweep<{ id: string; municipality: string }>(
    'SELECT id, municipality FROM messages WHERE deletion_due_at <= now()',
  );
  return new Map(overdue.map(({ id, municipality }) => [id, municipality]));
}

/**
 * Cancels a deletion whose delay was over before this and which is not in the ledger. It was in the backup, and somebody may have
 * cancelled it since: who still wants it asks for it again, but what is destroyed does not come back.
 *
 * @returns false when an archiver runs, and was first
 */
function cancelOverdue({ store }: Reapplier, municipality: string, id: string): Promise<boolean> {
  return store.withTenantConnection(municipality, async (connection) => {
    const isOverdue = sql`id = ${id}::uuid AND deletion_due_at <= now()`;
    const still = await run(connection, sql`SELECT FROM messages WHERE ${isOverdue} FOR UPDATE`);
    if (still.length === 0) return false;
    const principal = asSystem(municipality, INDBAKKE);
    const request = { principal, id, expectedVersion: undefined, at: currentTime() };
    await writeChange(connection, request, 'deletion-cancelled', { set: NO_DELETION, details: { restored: true } });
    return true;
  });
}
