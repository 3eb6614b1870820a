import { asSystem } from '@indbakke/shared/access';
import { INDBAKKE, insertAudit } from '@indbakke/shared/audit';
import type { BlobStore } from '@indbakke/shared/content';
import { announce } from '@indbakke/shared/crash-points';
import { removeContent } from '@indbakke/shared/inbox';
import type { Status } from '@indbakke/shared/lifecycle';
import type { Parts } from '@indbakke/shared/service';
import { type Connection, Prisma, run } from '@indbakke/shared/store';
import { deleteFromAnyStatus } from '../deletion/delete-from-any-status.js';
import { type Deletion, readLedger } from './ledger.js';

const { sql } = Prisma;

/** What becomes of a line of the ledger. */
export const RESULTS = {
  deleted: 'messages were there and are deleted again',
  tombstone: 'messages were not there and have a tombstone, so that they do not come back',
  'deleted-before': 'lines are of messages that are deleted already',
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
  for await (const line of readLedger(ledger, parts.keys)) {
    if ('forged' in line) {
      counts.forged += 1;
      onForged(line.forged);
    } else counts[await reapply(parts, line.deletion, isDryRun)] += 1;
    onLine(counts);
  }
  return counts;
}

async function reapply(
  parts: Pick<Parts, 'store' | 'blobs' | 'log'>,
  deletion: Deletion,
  isDryRun: boolean,
): Promise<Result> {
  let contents: string[] = [];
  const result = await parts.store.withTenantConnection(deletion.municipality, async (connection): Promise<Result> => {
    const there = await lockMessages(connection, deletion);
    if (there.length === 0) return leaveTombstone(connection, deletion, isDryRun);
    const left = there.filter(({ status }) => status !== 'deleted');
    if (left.length === 0) return 'deleted-before';
    if (left.some(({ legalHold }) => legalHold)) return 'legal-hold';
    if (!isDryRun) contents = await deleteAll(connection, deletion, left);
    return 'deleted';
  });
  if (result === 'deleted' && !isDryRun) announce('deletion-committed');
  for (const name of contents) await removeContent(parts, name);
  return result;
}

interface Found {
  readonly id: string;
  readonly status: Status;
  readonly legalHold: boolean;
}

/** The message, and the same message if it was delivered again after the restore. */
function lockMessages(connection: Connection, deletion: Deletion): Promise<Found[]> {
  const { id, municipality, channel, externalId, fingerprint } = deletion;
  return run<Found>(
    connection,
    sql`
      SELECT id, status, legal_hold AS "legalHold" FROM messages
      WHERE municipality = ${municipality} AND (id = ${id}::uuid
        OR (channel = ${channel} AND external_id = ${externalId} AND fingerprint = decode(${fingerprint}, 'hex')))
      ORDER BY id FOR UPDATE`,
  );
}

async function deleteAll(connection: Connection, deletion: Deletion, found: readonly Found[]): Promise<string[]> {
  const contents: string[] = [];
  for (const { id, status } of found) {
    if (status === 'deleted') continue;
    const principal = asSystem(deletion.municipality, INDBAKKE);
    const request = { principal, id, expectedVersion: undefined, at: new Date() };
    const name = await deleteFromAnyStatus(connection, request, status, detailsOf(deletion));
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
  const { id, channel, externalId, fingerprint, kind, receivedAt, letterAt, transmissionId, deletedAt } = deletion;
  await run(
    connection,
    sql`
      INSERT INTO messages (id, municipality, channel, external_id, fingerprint, kind, received_at, first_offered_at, letter_at,
        transmission_id, document_count, file_count, content_size, remarks, status, status_at, status_by, rejection_reason,
        suggestion_run_at, next_enqueue_at, in_deletion_ledger)
      VALUES (${id}::uuid, ${municipality}, ${channel}, ${externalId}, decode(${fingerprint}, 'hex'), ${kind},
        ${receivedAt}::timestamptz, ${receivedAt}::timestamptz, ${letterAt}::timestamptz, ${transmissionId}::uuid, 0, 0, 0, '[]',
        'deleted', ${deletedAt}::timestamptz, ${deletion.deletedBy}, 'other', ${receivedAt}::timestamptz,
        ${receivedAt}::timestamptz, true)`,
  );
  const by = { municipality, actor: INDBAKKE };
  await run(
    connection,
    insertAudit({ by, at: new Date(), action: 'deleted', messageId: id, details: detailsOf(deletion) }),
  );
  return 'tombstone';
}

/** That it was deleted before, when and by whom. */
const detailsOf = ({ deletedAt, deletedBy }: Deletion) => ({ reapplied: true, deletedAt, deletedBy });
