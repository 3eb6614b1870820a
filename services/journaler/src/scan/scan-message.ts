import { MINUTE, SECOND } from '@indbakke/shared/config';
import { Problem } from '@indbakke/shared/errors';
import { describeError } from '@indbakke/shared/log';
import type { JobContext, JobDefinition } from '@indbakke/shared/queue';
import { z } from 'zod';
import { ClamdAway } from './clamd.js';
import { endScan, goOnLater, letPass, noteFailure, readScan } from './rows.js';
import { createFileScanner, type End, RUN_MS, type ScanParts } from './scan-files.js';

const ScanMessageData = z.object({
  scanId: z.uuid(),
  municipality: z.string().regex(/^\d{8}$/),
  /** The n-th time that it is due, n of the job id. */
  run: z.int().min(1),
});
export type ScanMessageData = Readonly<z.infer<typeof ScanMessageData>>;

/**
 * Why it exists: files are scanned for malware before anybody opens them, and no receipt waits for that. The row in `message_scans`
 * is the outbox, which intake writes: it is due until the scan has said something of every file. The row has the time of the next
 * attempt, so a job makes one. The sweep enqueues it.
 */
export const SCAN_MESSAGE: JobDefinition<ScanMessageData> = {
  name: 'scan-message',
  data: ScanMessageData,
  idOf: ({ scanId, run }) => `${scanId}-${run}`,
  // Only the database fails it: 1 s + 2 s + 4 s + 8 s outlasts a restart; after that the sweep takes over.
  attempts: 5,
  backoffMs: SECOND,
  deadlineMs: RUN_MS + MINUTE,
};

/** After so long, a job may be lost: longer than its attempts may take, 5 times 15 minutes. */
export const SCAN_OVERDUE_SECONDS = 90 * 60;

// 5 s, 10 s, 20 s … up to a minute: held files are opened soon after the scanner is back.
const FIRST_RETRY_SECONDS = 5;
const LAST_RETRY_SECONDS = 60;

/**
 * Scans the files of a message that nothing is said of yet. Returns quietly when that is done, or this job is of an older run. What
 * keeps it from that is noted in the row, with the time of the next attempt. While the scanner is away, the files are held, or let
 * pass.
 */
export function createScanMessageHandler(parts: ScanParts) {
  const { store, log, scanning } = parts;
  const scanFiles = createFileScanner(parts);
  let wasAway = false;
  const tellWhether = (isAway: boolean, code?: string) => {
    if (isAway && !wasAway) log.error('scanner-away', { code });
    if (!isAway && wasAway) log.info('scanner-back', {});
    wasAway = isAway;
  };

  return async (data: ScanMessageData, { signal }: Pick<JobContext, 'signal'>): Promise<void> => {
    const waiting = await readScan(store, data);
    if (!waiting) return;
    if (waiting.files.length === 0) return endScan(store, waiting);
    const { messageId } = waiting;
    const failed = (code: string) => log.info('file-not-scanned', { messageId, code, attempts: waiting.attempts + 1 });
    const seconds = Math.min(LAST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** Math.min(waiting.attempts, 10));
    let end: End | undefined;
    try {
      end = await scanFiles(waiting, signal);
      tellWhether(false);
    } catch (error) {
      if (signal.aborted) throw error;
      if (error instanceof ClamdAway) {
        tellWhether(true, error.code);
        failed(error.code);
        return scanning.letsPass
          ? letPass(store, waiting, error.code, seconds)
          : noteFailure(store, waiting, error.code, seconds);
      }
      const code = error instanceof Problem && error.code === 'content-gone' ? 'content-unavailable' : 'own-fault';
      failed(code);
      log.error('scan-failed', { messageId, ...describeError(error) });
      return noteFailure(store, waiting, code, seconds);
    }
    if (end?.is === 'unfinished') await goOnLater(store, waiting, end.seconds);
    if (end?.is === 'file-failed') {
      failed(end.fault);
      await noteFailure(store, waiting, end.fault, end.seconds);
    }
  };
}
