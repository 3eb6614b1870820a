import { HOUR, SECOND } from '@indbakke/shared/config';
import type { HashingThread } from '@indbakke/shared/content';
import { createSealer } from '@indbakke/shared/content';
import { announce } from '@indbakke/shared/crash-points';
import { copyFiles, openContent, removeContent } from '@indbakke/shared/inbox';
import { describeError } from '@indbakke/shared/log';
import type { JobContext, JobDefinition } from '@indbakke/shared/queue';
import type { Parts } from '@indbakke/shared/service';
import { CommitInDoubt } from '@indbakke/shared/store';
import { z } from 'zod';
import type { ReceiverConfig } from '../../config.js';
import { type ReceivedFile, sinkInto } from '../../intake/received-file.js';
import { SftpFault } from '../sftp/faults.js';
import { type RemoteFile, type SftpSession, type SftpSettings, withSftp } from '../sftp/session.js';
import { type Fetch, isNameTaken, markRemoved, noteFailure, storeFile, takeFetch } from './rows.js';

const FetchFileData = z.object({
  fileId: z.uuid(),
  municipality: z.string().regex(/^\d{8}$/),
  /** The n-th time that it is due, n of the job id. */
  run: z.int().min(1),
});
export type FetchFileData = Readonly<z.infer<typeof FetchFileData>>;

/**
 * Why it exists: the file of a document comes by SFTP, after the call that tells of it (SF2900 2.4). The row in `file_fetches` is the
 * outbox: it is due until the file is stored here and gone there, or given up. The row has the time of the next attempt, so a job
 * makes one.
 */
export const FETCH_FILE: JobDefinition<FetchFileData> = {
  name: 'fetch-file',
  data: FetchFileData,
  idOf: ({ fileId, run }) => `${fileId}-${run}`,
  // 1 s + 2 s outlasts a lost connection to the database; after that the sweep takes over.
  attempts: 3,
  backoffMs: SECOND,
  // 1 GiB (SF2900_MAX_FILE_BYTES) at 2.4 Mbit/s.
  deadlineMs: HOUR,
};

/** After so long, a job may be lost: longer than it may take. */
export const FETCH_OVERDUE_SECONDS = 2 * 3_600;

interface FetchParts extends Pick<Parts, 'store' | 'blobs' | 'keys' | 'log' | 'scanning'> {
  readonly hashingThread: HashingThread;
  readonly sftp: SftpSettings;
  readonly config: ReceiverConfig;
}

/**
 * Fetches the file, stores it, and only then removes it at the far end. Returns quietly when that is done already, or this job is of
 * an older run. What goes wrong at the far end is noted in the row, with the time of the next attempt.
 */
export function createFetchFileHandler(parts: FetchParts) {
  return async (data: FetchFileData, { signal }: Pick<JobContext, 'signal'>): Promise<void> => {
    const fetch = await takeFetch(parts.store, data);
    if (!fetch) return;
    try {
      if (fetch.status === 'waiting') await requireName(parts.store, fetch);
      await withSftp(parts.sftp, async (session) => {
        const file = fetch.modifiedAt
          ? { size: fetch.size, modifiedAt: fetch.modifiedAt }
          : await fetchAndStore(parts, session, fetch, signal);
        if (file) await removeThere(parts, session, fetch, file);
      });
    } catch (error) {
      const fault = signal.aborted ? new SftpFault('cut') : error instanceof SftpFault ? error : undefined;
      const failure = fault ?? { code: 'not-stored', again: true, isOurs: true };
      const outcome = await noteFailure(parts.store, fetch, failure, parts.config.SF2900_FILE_HOURS);
      parts.log.info('file-not-fetched', {
        messageId: fetch.messageId,
        code: failure.code,
        attempts: fetch.attempts + 1,
      });
      if (outcome === 'given-up') parts.log.error('file-given-up', { messageId: fetch.messageId, code: failure.code });
      if (!fault) parts.log.error('file-not-stored', describeError(error));
    }
  };
}

/** @throws SftpFault name-taken */
async function requireName(store: FetchParts['store'], fetch: Fetch): Promise<void> {
  if (await isNameTaken(store, fetch)) throw new SftpFault('name-taken');
}

/** @returns the file that the message has now, as it is at the far end; undefined when somebody else has settled it meanwhile */
async function fetchAndStore(
  { store, blobs, keys, log, scanning, hashingThread, config }: FetchParts,
  session: SftpSession,
  fetch: Fetch,
  signal: AbortSignal,
): Promise<RemoteFile | undefined> {
  const { messageId, municipality } = fetch;
  const smallBytes = config.SMALL_CONTENT_BYTES;
  const sealer = createSealer({ blobs, keys, hashingThread, messageId, smallBytes });
  let blobName: string | undefined;
  let isNeeded = false;
  try {
    await session.look(config.SF2900_SFTP_IN, fetch.fileName, { maxBytes: config.SF2900_MAX_FILE_BYTES });
    // A message has one container: with the files that it had already.
    if (fetch.others.length > 0)
      await copyFiles(await openContent({ blobs, keys }, fetch.sealed), fetch.others, sealer);
    const { file, there } = await download(session, fetch, config, sealer, signal);
    await requireName(store, fetch); // of a document that came while this file was read
    const container = await sealer.commit({ municipality });
    if (!container) throw new Error('A file was sealed, and there is no container.');
    if ('blobName' in container.place) blobName = container.place.blobName;
    announce('file-sealed');
    const stored = await storeFile({ store, scanning }, fetch, {
      file,
      files: sealer.files,
      container,
      modifiedAt: there.modifiedAt,
    });
    isNeeded = stored !== undefined;
    announce('file-committed');
    if (stored?.orphan) await removeContent({ store, blobs, log }, stored.orphan);
    return stored && there;
  } catch (error) {
    isNeeded ||= error instanceof CommitInDoubt; // if no row has it, the sweep removes it
    throw error;
  } finally {
    await sealer.abort(); // does nothing once the container is committed
    if (!isNeeded && blobName !== undefined) await blobs.remove(blobName);
  }
}

async function download(
  session: SftpSession,
  { fileName, others }: Fetch,
  { SF2900_SFTP_IN: folder, SF2900_MAX_FILE_BYTES: maxBytes }: ReceiverConfig,
  sealer: ReturnType<typeof createSealer>,
  signal: AbortSignal,
): Promise<{ file: ReceivedFile; there: RemoteFile }> {
  const index = 1 + Math.max(-1, ...others.map(({ containerIndex }) => Number(containerIndex)));
  let received: ReceivedFile | undefined;
  const sink = sinkInto(sealer.openFile(index), (file) => {
    received = file;
  });
  const there = await session.download(
    folder,
    fileName,
    { maxBytes },
    {
      write(bytes) {
        signal.throwIfAborted();
        return sink.write(bytes);
      },
    },
  );
  await sink.end();
  return { file: received as ReceivedFile, there };
}

async function removeThere(
  { store, config }: FetchParts,
  session: SftpSession,
  fetch: Fetch,
  file: RemoteFile,
): Promise<void> {
  await session.remove(config.SF2900_SFTP_IN, fetch.fileName, file);
  announce('file-removed-there');
  await markRemoved(store, fetch);
}
