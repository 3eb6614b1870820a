import type { ClamdAddress } from '@indbakke/shared/config';
import { HOUR, MINUTE, SECOND } from '@indbakke/shared/config';
import { announce } from '@indbakke/shared/crash-points';
import { Problem } from '@indbakke/shared/errors';
import { type ContentReader, openAnyway, openContent } from '@indbakke/shared/inbox';
import type { JobContext, JobDefinition } from '@indbakke/shared/queue';
import type { Parts } from '@indbakke/shared/service';
import { z } from 'zod';
import { ClamdAway, ping, scan } from './clamd.js';
import { endScan, type FileToScan, letPass, noteFailure, readScan, type Scan, storeVerdict } from './rows.js';
import { unscannable, type Verdict, verdictOf } from './verdict.js';

const ScanMessageData = z.object({
  messageId: z.uuid(),
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
  idOf: ({ messageId, run }) => `${messageId}-${run}`,
  // 1 s + 2 s outlasts a lost connection to the database; after that the sweep takes over.
  attempts: 3,
  backoffMs: SECOND,
  // 100 files of 30 s each.
  deadlineMs: HOUR,
};

/** After so long, a job may be lost: longer than it may take. */
export const SCAN_OVERDUE_SECONDS = 2 * 3_600;

// clamd stops a scan after 120 s (MaxScanTime), and waits as long for content (ReadTimeout).
const QUIET_MS = 3 * MINUTE;

export interface ScanParts extends Pick<Parts, 'store' | 'blobs' | 'keys' | 'log' | 'scanning'> {
  readonly clamd: ClamdAddress;
  readonly quietMs?: number;
}

/**
 * Scans the files of a message that nothing is said of yet. Returns quietly when that is done, or this job is of an older run. While
 * the scanner is away, the row keeps why, and the files are held, or let pass.
 */
export function createScanMessageHandler(parts: ScanParts) {
  const { store, log } = parts;
  let wasAway = false;
  const tellWhether = (isAway: boolean, code?: string) => {
    if (isAway && !wasAway) log.error('scanner-away', { code });
    if (!isAway && wasAway) log.info('scanner-back', {});
    wasAway = isAway;
  };
  return async (data: ScanMessageData, { signal }: Pick<JobContext, 'signal'>): Promise<void> => {
    const waiting = await readScan(store, data);
    if (!waiting) return;
    try {
      await scanFiles(parts, waiting, signal);
      tellWhether(false);
    } catch (error) {
      if (!(error instanceof ScanFailed)) throw error;
      tellWhether(error.isAway, error.code);
      log.info('file-not-scanned', {
        messageId: data.messageId,
        code: error.code,
        attempts: waiting.attempts + 1,
      });
      if (error.isAway && parts.scanning.letsPass) await letPass(store, waiting, error.code);
      else await noteFailure(store, waiting, error.code);
    }
  };
}

class ScanFailed extends Error {
  readonly code: string;
  /** Whatever file it is. */
  readonly isAway: boolean;

  constructor(code: string, isAway: boolean) {
    super(code);
    this.code = code;
    this.isAway = isAway;
  }
}

async function scanFiles(parts: ScanParts, waiting: Scan, signal: AbortSignal): Promise<void> {
  const { sealed, files, attempts } = waiting;
  if (files.length === 0) return endScan(parts.store, waiting);
  let reader: ContentReader | undefined;
  for (const file of files) {
    let verdict: Verdict;
    try {
      reader ??= await openContent(parts, sealed);
      verdict = await scanFile(parts, { reader, file, attempts, signal });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (error.code !== 'content-gone' && error.code !== 'content-damaged') throw error;
      verdict = unscannable('content-unreadable');
    }
    announce('file-scanned');
    if (!(await storeVerdict(parts.store, waiting, file, verdict))) return;
  }
}

interface FileScanning {
  readonly reader: ContentReader;
  readonly file: FileToScan;
  readonly attempts: number;
  readonly signal: AbortSignal;
}

// About five minutes: a file that clamd cannot scan must not wait for ever.
const ATTEMPTS = 6;

async function scanFile(parts: ScanParts, { reader, file, attempts, signal }: FileScanning): Promise<Verdict> {
  const { clamd, quietMs = QUIET_MS } = parts;
  const isLast = attempts + 1 >= ATTEMPTS;
  const content = reader.open(openAnyway(file, 'scan'));
  try {
    const verdict = verdictOf(await scan(clamd, content, { quietMs, signal }));
    if (verdict) return verdict;
  } catch (error) {
    if (!(error instanceof ClamdAway)) throw error;
    const isAway = error.code !== 'no-answer' || !(await answers(clamd, signal));
    if (isAway || !isLast) throw new ScanFailed(error.code, isAway);
    return unscannable('no-answer');
  } finally {
    content.destroy();
  }
  if (!isLast) throw new ScanFailed('scanner-error', false);
  return unscannable('scanner-error');
}

/** Whether clamd is there, and it is this file that it says nothing of. */
async function answers(clamd: ClamdAddress, signal: AbortSignal): Promise<boolean> {
  try {
    await ping(clamd, signal);
    return true;
  } catch (error) {
    if (error instanceof ClamdAway) return false;
    throw error;
  }
}
