import { performance } from 'node:perf_hooks';
import { type OwnerRow, type Principal, principalOf, visibleTo, withinLimitsOf } from '@indbakke/shared/access';
import type { LeftOut, ZipDownloadBody } from '@indbakke/shared/api';
import { currentTime } from '@indbakke/shared/clock';
import { HOUR, SECOND } from '@indbakke/shared/config';
import type { BlobStore } from '@indbakke/shared/content';
import { announce } from '@indbakke/shared/crash-points';
import { isAnyClosed, isAnyGone, lockMadeFiles, removeContent, type Sealed, sealContent } from '@indbakke/shared/inbox';
import type { JobContext, JobDefinition } from '@indbakke/shared/queue';
import type { Parts } from '@indbakke/shared/service';
import { CommitInDoubt, Prisma, run } from '@indbakke/shared/store';
import { writeZip, type ZipFile } from '@indbakke/shared/zip';
import { z } from 'zod';
import type { ArchiverConfig } from '../config.js';
import { isContentFault, isHeldFault, requireSpace } from '../zip/made-zips.js';
import { type MessageToZip, TO_ZIP } from '../zip/message-to-zip.js';
import { filesOf, idsOfFiles, partsOfZip, type ZipParts } from '../zip/zip-message.js';
import { FolderNames, MAX_FILE } from './name-folders.js';
import { dropUnfinished } from './unfinished.js';

const { sql } = Prisma;

const MakeZipData = z.object({
  zipId: z.uuid(),
  municipality: z.string().regex(/^\d{8}$/),
  /** The n-th time that the zip is due, n of the job id. */
  run: z.int().min(1),
});
export type MakeZipData = Readonly<z.infer<typeof MakeZipData>>;

/**
 * Why it exists: a zip may have gigabytes, so no call can wait for it. The row in `zip_downloads` is the outbox: it is due until
 * it is ready, failed or cancelled. The call enqueues it, and the sweep when that is lost.
 */
export const MAKE_ZIP: JobDefinition<MakeZipData> = {
  name: 'make-zip',
  data: MakeZipData,
  idOf: ({ zipId, run }) => `${zipId}-${run}`,
  // 5 s + 10 s outlasts a restart of the database; after that the sweep takes over.
  attempts: 3,
  backoffMs: 5 * SECOND,
  // 10 GB from a slow disk.
  deadlineMs: HOUR,
};

/** Since progress was noted last; then its job may be lost. */
export const OVERDUE_SECONDS = 600;

// Shows the caller how far it is, and how soon a cancelled job stops.
const PROGRESS_MS = 500;

type ZipMaker = Pick<Parts, 'store' | 'blobs' | 'keys' | 'log' | 'scanning'>;
type Sealing = Pick<ArchiverConfig, 'SMALL_CONTENT_BYTES' | 'ZIP_KEEP_HOURS'>;

interface BegunZip extends OwnerRow, Pick<ZipDownloadBody, 'include'> {
  readonly id: string;
  readonly cover: 'masked' | 'full' | null;
  readonly size: number;
  /** In order, without those that are left out. */
  readonly messageIds: readonly string[];
}

/**
 * Makes a zip of the messages that its owner still sees. Returns quietly when another made it, it was cancelled, or this job is of
 * an older run.
 */
export function createMakeZipHandler(parts: ZipMaker, settings: Sealing, progressMs = PROGRESS_MS) {
  return async (data: MakeZipData, context: Pick<JobContext, 'attempt' | 'signal'>): Promise<void> => {
    for (;;) {
      try {
        return await makeZip(parts, data, { ...settings, signal: context.signal, progressMs });
      } catch (error) {
        if (error instanceof Superseded) return;
        // Not at once: it may be that the message was deleted while it was read, or that the content store is away.
        if (!(error instanceof UnreadableMessage) || context.attempt < MAKE_ZIP.attempts) throw error;
        await leaveOut(parts, data, error);
      }
    }
  };
}

/** Another has the zip now, or nobody wants it any more. */
class Superseded extends Error {}

/** What is written of a zip cannot be taken back, so it is made again without this message. */
class UnreadableMessage extends Error {
  readonly messageId: string;
  readonly reason: LeftOut;

  constructor(messageId: string, reason: LeftOut, options: ErrorOptions) {
    super(reason, options);
    this.messageId = messageId;
    this.reason = reason;
  }
}

async function makeZip(
  parts: ZipMaker,
  data: MakeZipData,
  { SMALL_CONTENT_BYTES, ZIP_KEEP_HOURS, ...watching }: Sealing & Watching,
): Promise<void> {
  const zip = await begin(parts, data);
  if (!zip) return;
  await requireSpace(parts, zip.size, SMALL_CONTENT_BYTES);
  const progress = new Progress(parts, data, watching);
  const content = progress.watch(writeZip(filesOfZip(parts, zip, progress)));
  const blobs = { create: () => createNoted(parts, data, progress) };
  const seal = () => sealContent({ blobs, keys: parts.keys }, zip, content, SMALL_CONTENT_BYTES);
  const sealed = await withinLimitsOf(principalOf(zip), seal); // content is read as it is sealed
  announce('zip-sealed');
  let isStored = false;
  try {
    isStored = await storeZip(parts, zip, data, progress, sealed, ZIP_KEEP_HOURS);
    if (isStored) announce('zip-committed');
  } catch (error) {
    isStored = error instanceof CommitInDoubt;
    throw error;
  } finally {
    if (!isStored && 'blobName' in sealed.place) await parts.blobs.remove(sealed.place.blobName);
  }
}

const isUnfinished = ({ zipId, municipality, run: n }: MakeZipData) =>
  sql`z.id = ${zipId}::uuid AND z.municipality = ${municipality} AND z.run = ${n}::int
    AND z.status IN ('waiting', 'running') AND z.expires_at > now()`;

/** Of the job that writes this container: no other has begun since, and nobody has cancelled it. */
const isMine = (data: MakeZipData, blobName: string | null) =>
  sql`${isUnfinished(data)} AND z.blob_name IS NOT DISTINCT FROM ${blobName}::text`;

/** Takes the zip over, from the beginning: what an interrupted job has written is removed. */
async function begin(parts: ZipMaker, data: MakeZipData): Promise<BegunZip | undefined> {
  const { store } = parts;
  const fresh = sql`status = 'running', bytes_done = 0, messages_done = 0`;
  const [zip, left] = await store.withTenantConnection(data.municipality, async (connection) => {
    const left = await run<{ blobName: string }>(connection, dropUnfinished(isUnfinished(data), currentTime(), fresh));
    const [begun] = await run<BegunZip>(
      connection,
      sql`
        SELECT z.id, z.municipality, owner_kind AS "ownerKind", owner, on_behalf_of AS "onBehalfOf", roles, teams, constraints, include, cover,
          files_size::float8 AS size,
          ARRAY(SELECT message_id::text FROM zip_download_messages
            WHERE zip_id = z.id AND left_out IS NULL ORDER BY position) AS "messageIds"
        FROM zip_downloads z WHERE ${isUnfinished(data)}`,
    );
    return [begun, left] as const;
  });
  for (const { blobName } of left) await removeContent(parts, blobName);
  return zip;
}

/** A container that the row names before its first byte, so that it is never an orphan. */
async function createNoted(
  { store, blobs }: ZipMaker,
  data: MakeZipData,
  progress: Progress,
): ReturnType<BlobStore['create']> {
  const blob = await blobs.create();
  progress.blobName = blob.name;
  const noted = await store.query(
    data.municipality,
    sql`UPDATE zip_downloads z SET blob_name = ${blob.name} WHERE ${isMine(data, null)} RETURNING 1`,
    'kept',
  );
  if (noted.length === 0) {
    await blob.abort();
    throw new Superseded();
  }
  announce('zip-began');
  return blob;
}

interface Watching {
  readonly signal: AbortSignal;
  readonly progressMs: number;
}

/** How far a zip is: noted every so often, which tells the job whether to go on. */
class Progress {
  /** Of the container, once there is one. */
  blobName: string | null = null;
  /** Of the messages that are in it so far. */
  readonly messageIds: string[] = [];
  /** Of the files of these. */
  readonly fileIds: string[] = [];
  /** What never came into it. */
  readonly leftOut = new Map<string, LeftOut>();
  readonly #parts: ZipMaker;
  readonly #data: MakeZipData;
  readonly #watching: Watching;
  #bytes = 0;
  #notedAt = performance.now();

  constructor(parts: ZipMaker, data: MakeZipData, watching: Watching) {
    this.#parts = parts;
    this.#data = data;
    this.#watching = watching;
  }

  /** @throws Superseded, or the reason of the signal */
  async *watch(zip: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const bytes of zip) {
      this.#watching.signal.throwIfAborted();
      this.#bytes += bytes.length;
      if (performance.now() - this.#notedAt >= this.#watching.progressMs) await this.#note();
      yield bytes;
    }
  }

  /** The row may not name the container yet, or just now: it is begun while the next bytes are read. */
  async #note(): Promise<void> {
    const { blobName } = this;
    const statement = sql`
      UPDATE zip_downloads z SET bytes_done = least(${this.#bytes}::bigint, files_size), messages_done = ${this.messageIds.length}::int,
        next_enqueue_at = now() + make_interval(secs => ${OVERDUE_SECONDS}::int)
      WHERE ${isUnfinished(this.#data)} AND coalesce(z.blob_name = ${blobName}::text, z.blob_name IS NULL) RETURNING 1`;
    const noted = await this.#parts.store.query(this.#data.municipality, statement, 'kept');
    if (noted.length === 0 && blobName !== this.blobName) return this.#note();
    if (noted.length === 0) throw new Superseded();
    this.#notedAt = performance.now();
  }
}

/** One message is in memory at a time. It is looked up when its turn comes: what the owner sees may have changed. */
async function* filesOfZip(parts: ZipMaker, zip: BegunZip, progress: Progress): AsyncGenerator<ZipFile> {
  const principal = principalOf(zip);
  const wanted = { ...partsOfZip({ include: zip.include, cover: zip.cover ?? undefined }), maxUnits: MAX_FILE };
  const folders = new FolderNames();
  for (const id of zip.messageIds) {
    const message = await readMessage(parts, principal, id);
    if (!message || message.contentRemovedAt) {
      progress.leftOut.set(id, message ? 'content-gone' : 'not-found');
      continue;
    }
    const folder = folders.take(message);
    for (const file of await filesOfMessage(parts, message, wanted)) {
      yield { ...file, name: `${folder}/${file.name}`, open: (range) => readable(id, file.open(range)) };
    }
    progress.messageIds.push(id);
    progress.fileIds.push(...idsOfFiles(parts, message, wanted));
  }
}

/** Which messages a zip of the caller may have, as a condition on `messages AS m`: none whose deletion delay runs, though its owner may see it. */
export const mayBeZipped = (principal: Principal) => sql`(m.deletion_due_at IS NULL AND ${visibleTo(principal)})`;

async function readMessage({ store }: ZipMaker, principal: Principal, id: string): Promise<MessageToZip | undefined> {
  const statement = sql`
    SELECT ${TO_ZIP.columns} FROM (
      SELECT m.* FROM messages m WHERE m.id = ${id}::uuid AND ${mayBeZipped(principal)}) AS m ${TO_ZIP.tables}`;
  const [message] = await store.query<MessageToZip>(principal.municipality, statement, 'kept');
  return message;
}

async function filesOfMessage(parts: ZipMaker, message: MessageToZip, wanted: ZipParts): Promise<ZipFile[]> {
  try {
    return await filesOf(parts, message, wanted);
  } catch (error) {
    throw blamed(message.id, error);
  }
}

async function* readable(messageId: string, content: Iterable<Buffer> | AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* content;
  } catch (error) {
    throw blamed(messageId, error);
  }
}

const blamed = (messageId: string, error: unknown) =>
  isContentFault(error) || isHeldFault(error) ? new UnreadableMessage(messageId, error.code, { cause: error }) : error;

async function leaveOut(
  { store }: ZipMaker,
  { zipId, municipality }: MakeZipData,
  { messageId, reason }: UnreadableMessage,
): Promise<void> {
  const statement = sql`
    UPDATE zip_download_messages SET left_out = ${reason} WHERE zip_id = ${zipId}::uuid AND message_id = ${messageId}::uuid`;
  await store.query(municipality, statement, 'kept');
}

/**
 * Stores the zip, or that there is nothing in it.
 *
 * @returns whether it was stored: another may have made it, or it is cancelled
 * @throws Error when one of its messages has been deleted meanwhile, or one of its files found unsafe: it must be made again
 */
async function storeZip(
  { store, scanning }: ZipMaker,
  { id, municipality }: BegunZip,
  data: MakeZipData,
  { blobName, messageIds, fileIds, leftOut }: Progress,
  { place, size, sha256, wrappedKey }: Sealed,
  keepHours: number,
): Promise<boolean> {
  const container = 'bytes' in place ? place.bytes : null;
  const at = currentTime();
  return store.withTenantConnection(municipality, async (connection) => {
    const found = await run(connection, sql`SELECT FROM zip_downloads z WHERE ${isMine(data, blobName)} FOR UPDATE`);
    if (found.length === 0) return false;
    await lockMadeFiles(connection, municipality, 'alone');
    if (await isAnyGone(connection, messageIds)) throw new Error('A message of the zip was deleted while it was made.');
    if (await isAnyClosed(connection, scanning, fileIds))
      throw new Error('A file of the zip was found unsafe while it was made.');
    await run(
      connection,
      sql`
        UPDATE zip_download_messages SET left_out = each.reason
        FROM unnest(${[...leftOut.keys()]}::uuid[], ${[...leftOut.values()]}::text[]) AS each (message_id, reason)
        WHERE zip_id = ${id}::uuid AND zip_download_messages.message_id = each.message_id`,
    );
    const done = sql`messages_done = ${messageIds.length}::int, bytes_done = files_size`;
    if (messageIds.length === 0) {
      await run(connection, sql`UPDATE zip_downloads SET status = 'failed', blob_name = NULL WHERE id = ${id}::uuid`);
      return false;
    }
    await run(
      connection,
      sql`
        UPDATE zip_downloads SET status = 'ready', ready_at = ${at}::timestamptz,
          expires_at = ${new Date(at.getTime() + keepHours * HOUR)}::timestamptz, ${done}, content_size = ${size}::bigint,
          sha256 = decode(${sha256}, 'hex'), container = ${container}::bytea, key_id = ${wrappedKey.keyId},
          wrapped_key = ${wrappedKey.wrapped}
        WHERE id = ${id}::uuid`,
    );
    return true;
  });
}
