import { ofCaller, type Principal, seeingRoleOf, visibleTo } from '@indbakke/shared/access';
import type { OPERATIONS, ZipDownloadAnswer } from '@indbakke/shared/api';
import { insertAudit } from '@indbakke/shared/audit';
import { danishDayOf } from '@indbakke/shared/danish-time';
import { Problem } from '@indbakke/shared/errors';
import { type Call, describeSelection, readAhead, selectBytes, sendStream } from '@indbakke/shared/http';
import { openSealed, requireNoneHeld, type Scanning, type SealedContent } from '@indbakke/shared/inbox';
import type { Parts } from '@indbakke/shared/service';
import { type Connection, newId, Prisma, run } from '@indbakke/shared/store';
import { IS_TRAINING } from '@indbakke/shared/training';
import { detailsOfZip } from '../zip/zip-message.js';
import { noSuchZip } from './downloads.js';

const { sql } = Prisma;

interface ReadyRow extends SealedContent, Pick<ZipDownloadAnswer, 'status' | 'include'> {
  readonly sha256: string;
  readonly readyAt: Date;
  readonly cover: 'masked' | 'full' | null;
  readonly isHandedOut: boolean;
  readonly isTraining: boolean;
  /** Of the messages in it. */
  readonly messageIds: readonly string[];
}

/** Streams a zip to its owner, or a range of it, after recording it in the audit log. */
export async function sendZipDownload(
  parts: Pick<Parts, 'store' | 'blobs' | 'keys' | 'scanning'>,
  { principal, params, at, req, res }: Call<typeof OPERATIONS.downloadZipOfMany>,
): Promise<void> {
  const zip = await parts.store.withTenantConnection(principal.municipality, (connection) =>
    handOut(connection, parts.scanning, { principal, zipId: params.zipId, at }),
  );
  const selection = selectBytes(req, { size: zip.size, etag: `"${zip.sha256}"` });
  const { range } = selection;
  const content = await readAhead(await openSealed(parts, zip, range), range.end - range.start);
  describeSelection(res, selection);
  if (selection.status !== 304) {
    const name = zip.isTraining ? 'øvelse' : 'indkomne-dokumenter';
    res.attachment(`${name}-${danishDayOf(zip.readyAt)}-${zip.id.slice(-8)}.zip`).type('application/zip');
  }
  await sendStream(content, res);
}

/**
 * Finds a zip, and records that it is downloaded; the first time, that the caller reads each message in it.
 *
 * @throws Problem not-found: it is not the caller’s, or has expired; zip-not-ready; role-missing: the caller may no longer see a
 *   message in it; file-held
 */
async function handOut(
  connection: Connection,
  scanning: Scanning,
  { principal, zipId, at }: { readonly principal: Principal; readonly zipId: string; readonly at: Date },
): Promise<ReadyRow> {
  const [zip] = await run<ReadyRow>(
    connection,
    sql`
      SELECT z.id, municipality, key_id AS "keyId", wrapped_key AS "wrappedKey", blob_name AS "blobName", container,
        content_size::float8 AS size, encode(sha256, 'hex') AS sha256, ready_at AS "readyAt", status, include, cover,
        handed_out_at IS NOT NULL AS "isHandedOut", ${IS_TRAINING} AS "isTraining",
        ARRAY(SELECT message_id::text FROM zip_download_messages
          WHERE zip_id = z.id AND left_out IS NULL ORDER BY position) AS "messageIds"
      FROM zip_downloads z
      WHERE z.id = ${zipId}::uuid AND ${ofCaller(principal)} AND expires_at > ${at}::timestamptz FOR UPDATE`,
  );
  if (!zip) throw noSuchZip();
  if (zip.status !== 'ready') throw new Problem('zip-not-ready', `The zip is ${zip.status}.`);
  await requireSight(connection, principal, zip);
  const { messageIds, include } = zip;
  await requireNoneHeld(connection, scanning, { messageIds, outgoing: { technical: include.includes('technical') } });
  if (!zip.isHandedOut) await recordReads(connection, principal, zip, at);
  await run(connection, insertAudit({ by: principal, at, action: 'zip-downloaded', details: { zipId } }));
  return zip;
}

/** @throws Problem role-missing unless the caller still sees every message in the zip */
async function requireSight(connection: Connection, principal: Principal, { messageIds }: ReadyRow): Promise<void> {
  const [seen] = await run<{ count: number }>(
    connection,
    sql`SELECT count(*)::int FROM messages m WHERE m.id = ANY (${[...messageIds]}::uuid[]) AND ${visibleTo(principal)}`,
  );
  if (seen?.count === messageIds.length) return;
  throw new Problem('role-missing', 'The caller may no longer see a message in the zip. Ask for a new one.');
}

/** What is not handed out, nobody has read. A download that goes on after a break is not another reading. */
async function recordReads(
  connection: Connection,
  principal: Principal,
  { id, messageIds, include, cover }: ReadyRow,
  at: Date,
): Promise<void> {
  const details = { zipId: id, ...detailsOfZip({ include, cover: cover ?? undefined }) };
  const entry = { by: principal, at, action: 'read-zip', details } as const;
  const each = { id: sql`e.id`, messageId: sql`m.id`, role: seeingRoleOf(principal) };
  const ids = sql`unnest(${messageIds.map(() => newId())}::uuid[], ${[...messageIds]}::uuid[])`;
  await run(
    connection,
    sql`
      WITH first_look AS (
        UPDATE messages SET first_read_at = ${at}::timestamptz
        WHERE id = ANY (${[...messageIds]}::uuid[]) AND first_read_at IS NULL AND ${principal.actor.kind}::text = 'user'
      ), handed_out AS (
        UPDATE zip_downloads SET handed_out_at = ${at}::timestamptz WHERE id = ${id}::uuid
      )
      ${insertAudit(entry, each)} FROM ${ids} AS e (id, message_id) JOIN messages m ON m.id = e.message_id`,
  );
}
