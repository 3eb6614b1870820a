import { currentTime } from '@indbakke/shared/clock';
import { HOUR } from '@indbakke/shared/config';
import type { SealedContainer, SealedFile } from '@indbakke/shared/content';
import { type FileToCopy, requestScan, SEALED, SEALED_TABLES, type SealedRow } from '@indbakke/shared/inbox';
import { type ChangeRequest, type FetchStatus, writeChange } from '@indbakke/shared/lifecycle';
import type { Parts } from '@indbakke/shared/service';
import { type Connection, Prisma, run, type Store } from '@indbakke/shared/store';
import { isMedia } from '../../intake/media.js';
import type { ReceivedFile } from '../../intake/received-file.js';
import { ownChange } from '../own-change.js';
import { retrySeconds } from '../retry.js';
import { FETCH_OVERDUE_SECONDS, type FetchFileData } from './fetch-file.js';

const { sql } = Prisma;

/** A file that is to be fetched, or to be removed at the far end. */
export interface Fetch extends FetchFileData {
  readonly messageId: string;
  readonly status: Extract<FetchStatus, 'waiting' | 'stored'>;
  readonly since: Date;
  readonly attempts: number;
  /** By which the far end knows it. */
  readonly fileName: string;
  readonly encodingFormat: string;
  /** Bytes, once it is stored. */
  readonly size: number;
  /** Of the file that is stored, at the far end; null before that. */
  readonly modifiedAt: Date | null;
  /** The files that the message has already. */
  readonly others: readonly FileToCopy[];
  readonly sealed: SealedRow;
}

/**
 * The row is not due while this job may run.
 *
 * @returns undefined when it is settled, or due anew
 */
export async function takeFetch(store: Store, data: FetchFileData): Promise<Fetch | undefined> {
  const [row] = await store.query<Omit<Fetch, 'sealed' | keyof FetchFileData> & SealedRow & Record<string, unknown>>(
    data.municipality,
    sql`
      WITH taken AS (
        UPDATE file_fetches SET next_enqueue_at = now() + make_interval(secs => ${FETCH_OVERDUE_SECONDS}::int)
        WHERE id = ${data.fileId}::uuid AND run = ${data.run}::int AND status IN ('waiting', 'stored') RETURNING *
      )
      SELECT ${SEALED}, t.message_id AS "messageId", t.status, t.since, t.attempts, f.file_name AS "fileName",
        f.encoding_format AS "encodingFormat", f.size::float8 AS size, t.modified_at AS "modifiedAt",
        (SELECT coalesce(json_agg(json_build_object('status', o.status, 'containerIndex', o.container_index,
            'containerOffset', o.container_offset, 'size', o.size, 'sha256', encode(o.sha256, 'hex'))), '[]')
         FROM files o WHERE o.message_id = t.message_id AND o.status = 'stored') AS others
      FROM taken t JOIN files f ON f.id = t.id JOIN messages m ON m.id = t.message_id ${SEALED_TABLES}`,
    'kept',
  );
  return row && { ...data, ...row, sealed: row };
}

const NAME_CLOSED_DAYS = 30;

/**
 * Whether a file of this name may be another document’s, of whatever municipality: one that waits for it, whose file is still there,
 * or whose file never came. The same document that is sent again may share it, and an operator may say whose it is.
 */
export async function isNameTaken({ sweep }: Store, { fileId }: Fetch): Promise<boolean> {
  const others = await sweep<{ id: string }>(
    `SELECT other.id FROM file_fetches mine JOIN distributions x ON x.message_id = mine.message_id
       JOIN file_fetches other USING (name_digest) JOIN distributions y ON y.message_id = other.message_id
     WHERE mine.id = $1::uuid AND NOT mine.is_cleared AND other.id <> mine.id AND other.status <> 'done'
       AND (other.status <> 'given-up' OR other.since > now() - make_interval(days => $2))
       AND (other.municipality, y.sender, y.object_id) IS DISTINCT FROM (mine.municipality, x.sender, x.object_id) LIMIT 1`,
    [fileId, NAME_CLOSED_DAYS],
  );
  return others.length > 0;
}

/** The container in which the message has all its files now. */
export interface Fetched {
  readonly file: ReceivedFile;
  readonly files: readonly SealedFile[];
  readonly container: SealedContainer;
  /** At the far end. */
  readonly modifiedAt: Date;
}

/**
 * Gives the message the file, and its files another container.
 *
 * @returns what is orphaned by that; undefined when the fetch was settled, or asked for anew, meanwhile
 */
export async function storeFile(
  { store, scanning }: Pick<Parts, 'store' | 'scanning'>,
  fetch: Fetch,
  { file, files, container, modifiedAt }: Fetched,
): Promise<{ readonly orphan: string | undefined } | undefined> {
  const { municipality, messageId, fileId } = fetch;
  return store.withTenantConnection(municipality, async (connection) => {
    await lockMessage(connection, fetch);
    if (!(await settle(connection, fetch, 'stored', modifiedAt))) return undefined;
    const request = ownChange(fetch);
    const blobName = 'blobName' in container.place ? container.place.blobName : null;
    const small = 'bytes' in container.place ? container.place.bytes : null;
    const orphan = await requestRemoval(connection, request);
    await writeChange(connection, request, 'file-arrived', {
      set: sql`blob_name = ${blobName}::text, content_size = m.content_size + ${file.size}::bigint,
        has_media = m.has_media OR ${isMedia({ ...fetch, ...file })}::bool`,
      details: { attempts: fetch.attempts + 1, size: file.size },
    });
    await run(connection, sql`DELETE FROM message_contents WHERE message_id = ${messageId}::uuid`);
    await run(connection, sql`DELETE FROM message_keys WHERE message_id = ${messageId}::uuid`);
    await run(
      connection,
      sql`INSERT INTO message_keys (message_id, municipality, key_id, wrapped_key)
        VALUES (${messageId}::uuid, ${municipality}, ${container.wrappedKey.keyId}, ${container.wrappedKey.wrapped})`,
    );
    if (small) {
      await run(
        connection,
        sql`INSERT INTO message_contents (message_id, municipality, container) VALUES (${messageId}::uuid, ${municipality}, ${small})`,
      );
    }
    for (const { index, offset } of files) {
      await run(
        connection,
        sql`UPDATE files SET container_offset = ${offset}::bigint WHERE message_id = ${messageId}::uuid AND container_index = ${index}::int`,
      );
    }
    await run(
      connection,
      sql`UPDATE files SET status = 'stored', size = ${file.size}::bigint, sha256 = decode(${file.sha256}, 'hex'), crc32 = ${file.crc32}::bigint,
          scan = ${scanning.isOn ? 'waiting' : null}::text, detected_format = ${file.detectedFormat}::text, container_index = ${file.index}::int, container_offset = ${file.offset}::bigint
        WHERE id = ${fileId}::uuid`,
    );
    if (scanning.isOn) await requestScan(connection, { id: messageId, municipality, at: request.at });
    return { orphan };
  });
}

/** The container that the message had before, if it had a blob. */
async function requestRemoval(
  connection: Connection,
  { id, at, principal }: ChangeRequest,
): Promise<string | undefined> {
  const [removal] = await run<{ blobName: string }>(
    connection,
    sql`
      INSERT INTO content_removals (blob_name, municipality, requested_at)
      SELECT blob_name, ${principal.municipality}, ${at}::timestamptz FROM messages
      WHERE id = ${id}::uuid AND blob_name IS NOT NULL
      RETURNING blob_name AS "blobName"`,
  );
  return removal?.blobName;
}

/** Why an attempt failed, whether another one can succeed, and whether the fault is ours. */
export interface Failure {
  readonly code: string;
  readonly again: boolean;
  readonly isOurs: boolean;
}

/** The file is gone at the far end. */
export async function markRemoved(store: Store, { municipality, fileId }: Fetch): Promise<void> {
  await store.query(
    municipality,
    sql`UPDATE file_fetches SET status = 'done', fault = NULL WHERE id = ${fileId}::uuid AND status = 'stored' RETURNING 1`,
    'kept',
  );
}

// About five minutes: an outage of ours counts against nobody.
const ATTEMPTS_AT_LEAST = 6;

/**
 * Notes why an attempt failed, and when the next is due. A file that cannot come, or has not in so many hours, is given up, unless that
 * is our own fault: then the message lacks it, and its sender hears that (noteReceipt), unless somebody has decided about the message
 * already.
 */
export async function noteFailure(
  store: Store,
  fetch: Fetch,
  { code, again, isOurs }: Failure,
  hours: number,
): Promise<'waiting' | 'given-up'> {
  const { municipality, fileId, run: n, attempts } = fetch;
  const isLate = attempts + 1 >= ATTEMPTS_AT_LEAST && currentTime().getTime() - fetch.since.getTime() >= hours * HOUR;
  const isOver = fetch.status === 'waiting' && !isOurs && (!again || isLate);
  return store.withTenantConnection(municipality, async (connection) => {
    await lockMessage(connection, fetch);
    await run(
      connection,
      sql`UPDATE file_fetches SET attempts = attempts + 1, fault = ${code}, next_enqueue_at = now() + make_interval(secs => ${retrySeconds(attempts)}::int)
        WHERE id = ${fileId}::uuid AND run = ${n}::int`,
    );
    if (!isOver || !(await settle(connection, fetch, 'given-up'))) return 'waiting';
    await run(connection, sql`UPDATE files SET status = 'missing' WHERE id = ${fileId}::uuid`);
    await writeChange(connection, ownChange(fetch), 'file-missing', { details: { code } });
    return 'given-up';
  });
}

/** As every change of it does first. */
const lockMessage = (connection: Connection, { messageId }: Fetch) =>
  run(connection, sql`SELECT FROM messages WHERE id = ${messageId}::uuid FOR UPDATE`);

/** @returns whether it still waited for this run. The message is locked */
async function settle(
  connection: Connection,
  { fileId, run: n }: Fetch,
  status: Exclude<FetchStatus, 'waiting'>,
  modifiedAt?: Date,
): Promise<boolean> {
  const settled = await run(
    connection,
    sql`UPDATE file_fetches SET status = ${status}, modified_at = ${modifiedAt ?? null}::timestamptz, next_enqueue_at = now() + interval '10 seconds'
      WHERE id = ${fileId}::uuid AND run = ${n}::int AND status = 'waiting' RETURNING 1`,
  );
  return settled.length > 0;
}
