import type { ChangeAnswer } from '@indbakke/shared/api';
import { announce } from '@indbakke/shared/crash-points';
import { changeMessage, lockMadeFiles, removalOfAccessPackages, removalOfExtractFiles } from '@indbakke/shared/inbox';
import { type ChangeRequest, writeChange } from '@indbakke/shared/lifecycle';
import type { Parts } from '@indbakke/shared/service';
import { type Connection, Prisma, run } from '@indbakke/shared/store';
import { removeContent } from './remove-content.js';

const { sql } = Prisma;

/**
 * Deletes a rejected message for good. One transaction destroys the key and every personal row, also of files of extracts
 * and access packages that have the message, and requests the removal of the content, which is unreadable from then on. The content is removed right
 * after, or by the next sweep.
 */
export async function deleteForGood(parts: Parts, request: ChangeRequest): Promise<ChangeAnswer> {
  let orphan: string | undefined;
  const result = await changeMessage(parts.store, request, 'deleted', {
    set: TOMBSTONE,
    async write(connection) {
      orphan = await leaveTombstone(connection, request);
    },
  });
  announce('deletion-committed');
  if (orphan !== undefined) await removeContent(parts, orphan);
  return result;
}

/**
 * The same in a transaction of which it is a part, whoever may see the message.
 *
 * @returns the name of the content, to be removed after the commit
 */
export async function deleteWithin(
  connection: Connection,
  request: ChangeRequest,
  details: Readonly<Record<string, string | boolean>> = {},
): Promise<string | undefined> {
  await writeChange(connection, request, 'deleted', { set: TOMBSTONE, details });
  return leaveTombstone(connection, request);
}

/** Deletes everything but the tombstone. @returns the name of the content, whose removal is requested */
async function leaveTombstone(connection: Connection, request: ChangeRequest): Promise<string | undefined> {
  const orphan = await requestRemoval(connection, request);
  await deleteRows(connection, request.id);
  await removeFromMadeFiles(connection, request);
  return orphan;
}

/** Detaches the content from the message and requests its removal. @returns its blob name, if there is any */
async function requestRemoval(
  connection: Connection,
  { id, principal, at }: ChangeRequest,
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
      SELECT blob_name, ${principal.municipality}, ${at}::timestamptz FROM detached
      RETURNING blob_name AS "blobName"`,
  );
  return removal?.blobName;
}

// What stays: ids, municipality, times, actor, fingerprint, the fields of the receipt, the code of the reason.
const TOMBSTONE = sql`
  contact_point_id = NULL, document_count = 0, attachment_count = 0, file_count = 0, content_size = 0, has_media = false,
  remarks = '[]', reply_by = NULL, assignee_kind = NULL, assignee_id = NULL, suggested_case_id = NULL,
  suggestion_basis = NULL, suggestion_sender = NULL, suggestion_party = NULL, suggestion_warning = NULL, escalated_at = NULL,
  concern_marked_at = NULL, concern_marked_by = NULL, concern_assess_by = NULL, concern_assessed_at = NULL, concern_confirm_by = NULL, concern_confirmed_at = NULL`;

// In an order that the foreign keys allow.
const TABLES = [
  'message_keys',
  'message_contents',
  'files',
  'documents',
  'reply_references',
  'journalizations',
  'message_words',
  'message_parties',
  'message_details',
];

async function deleteRows(connection: Connection, messageId: string): Promise<void> {
  for (const table of TABLES) {
    await run(connection, sql`DELETE FROM ${Prisma.raw(table)} WHERE message_id = ${messageId}::uuid`);
  }
}

/** After this no file of an extract and no access package has the message, and none that is being made can be stored. */
async function removeFromMadeFiles(connection: Connection, { id, principal, at }: ChangeRequest): Promise<void> {
  await lockMadeFiles(connection, principal.municipality, 'shared');
  const filesWith = sql`f.id = ANY (ARRAY(SELECT file_id FROM extract_file_messages WHERE message_id = ${id}::uuid))`;
  await run(connection, removalOfExtractFiles(filesWith, at));
  const packagesWith = sql`p.id = ANY (ARRAY(SELECT package_id FROM access_package_messages WHERE message_id = ${id}::uuid))`;
  await run(connection, removalOfAccessPackages(packagesWith, at));
}
