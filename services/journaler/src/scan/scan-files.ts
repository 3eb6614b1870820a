import type { Readable } from 'node:stream';
import type { ClamdAddress } from '@indbakke/shared/config';
import { MINUTE, SECOND } from '@indbakke/shared/config';
import { announce } from '@indbakke/shared/crash-points';
import { Problem } from '@indbakke/shared/errors';
import { type ContentReader, openAnyway, openContent } from '@indbakke/shared/inbox';
import type { Unscannable } from '@indbakke/shared/lifecycle';
import type { Parts } from '@indbakke/shared/service';
import { ClamdAway, ping, scan } from './clamd.js';
import { countFailure, type FileToScan, type Scan, storeVerdict } from './rows.js';
import { unscannable, type Verdict, verdictOf } from './verdict.js';

// A run begins no file after this, so that letters with many slow files do not keep the others waiting.
const BUDGET_MS = 2 * MINUTE;

// A file of 1 GiB (SF2900_MAX_FILE_BYTES) at 15 Mbit/s, and its scan.
const FILE_MS = 12 * MINUTE;

/** The longest that a run takes. */
export const RUN_MS = BUDGET_MS + FILE_MS;

// clamd stops a scan after 120 s (MaxScanTime), and waits as long for content (ReadTimeout).
const QUIET_MS = 3 * MINUTE;

// Longer than the content store takes to give up, and shorter than clamd waits.
const CONTENT_QUIET_MS = 90 * SECOND;

// How often clamd may fail at a file before the file is unscannable, and how long until it is tried again.
const FILE_ATTEMPTS = 4;
const RETRY_SECONDS = { first: 5, later: 60 };

// How long a message waits whose next file clamd has failed at, while another such file is being scanned.
const SUSPECT_SECONDS = 10;

export interface ScanParts extends Pick<Parts, 'store' | 'blobs' | 'keys' | 'log' | 'scanning'> {
  readonly clamd: ClamdAddress;
  readonly quietMs?: number;
  readonly budgetMs?: number;
}

/** Why a run ends before something is said of every file. */
export type End =
  /** Nothing failed, and the next run goes on. */
  | { readonly is: 'unfinished'; readonly seconds: number }
  /** clamd failed at some of the files, and answers. */
  | { readonly is: 'file-failed'; readonly fault: FileFault; readonly seconds: number };

/** `no-answer`: clamd fell silent, hung up or died while it had the file. `scanner-error`: it answered that it cannot scan the file. */
type FileFault = Extract<Unscannable, 'no-answer' | 'scanner-error'>;

/**
 * Makes what scans the files of a message, and writes what is said of each as it comes.
 *
 * It throws ClamdAway when the scanner is away, whatever file it is; Problem content-gone; what store, keys and content store throw;
 * the reason of the signal.
 */
export function createFileScanner(parts: ScanParts) {
  const { store, clamd, budgetMs = BUDGET_MS } = parts;
  // When clamd dies, it fails at all files that it has then. Of those it failed at one is scanned at a time, so that the file that
  // kills it does not have the others given up.
  let isSuspectInHand = false;

  async function scanAlone(file: FileToScan, work: () => Promise<Verdict | FileFault>) {
    if (file.attempts === 0) return work();
    isSuspectInHand = true;
    try {
      return await work();
    } finally {
      isSuspectInHand = false;
    }
  }

  return async (waiting: Scan, signal: AbortSignal): Promise<End | undefined> => {
    await ping(clamd, signal); // so what fails after this fails at a file
    const until = performance.now() + budgetMs;
    let failed: End | undefined;
    let reader: Promise<ContentReader> | undefined;
    const open = () => {
      reader ??= openContent(parts, waiting.sealed);
      return reader;
    };
    for (const [at, file] of waiting.files.entries()) {
      if (at > 0 && performance.now() >= until) return { is: 'unfinished', seconds: 0 };
      if (file.attempts > 0 && isSuspectInHand) return { is: 'unfinished', seconds: SUSPECT_SECONDS };
      const said = await scanAlone(file, () => scanFile(parts, open, file, signal));
      if (typeof said === 'string' && file.attempts + 1 < FILE_ATTEMPTS) {
        if (!(await countFailure(store, waiting, file))) return undefined;
        failed ??= { is: 'file-failed', fault: said, seconds: RETRY_SECONDS[file.attempts === 0 ? 'first' : 'later'] };
      } else {
        announce('file-scanned');
        const verdict = typeof said === 'string' ? unscannable(said) : said;
        if (!(await storeVerdict(store, waiting, file, verdict))) return undefined;
      }
      if (typeof said === 'string') await ping(clamd, signal); // it may have died of it
    }
    return failed;
  };
}

/** @throws ClamdAway no-connection; what the content throws */
async function scanFile(
  { clamd, quietMs = QUIET_MS }: ScanParts,
  open: () => Promise<ContentReader>,
  file: FileToScan,
  signal: AbortSignal,
): Promise<Verdict | FileFault> {
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(FILE_MS)]);
  let content: Readable | undefined;
  try {
    const reader = await open();
    content = reader.open(openAnyway(file, 'scan'));
    const answer = await scan(clamd, unlessSilent(content), { quietMs, signal: inTime });
    return verdictOf(answer) ?? 'scanner-error';
  } catch (error) {
    if (inTime.aborted && !signal.aborted) return 'no-answer';
    if (error instanceof ClamdAway && error.code === 'no-answer') return 'no-answer';
    if (error instanceof ClamdAway && error.code === 'wrong-answer') return 'scanner-error';
    if (error instanceof Problem && error.code === 'content-damaged') return unscannable('content-unreadable');
    throw error;
  } finally {
    content?.destroy();
  }
}

/** The content; it fails when the content store falls silent, which clamd would count against the file. */
async function* unlessSilent(content: Readable): AsyncGenerator<Buffer> {
  const pieces: AsyncIterator<Buffer> = content[Symbol.asyncIterator]();
  for (;;) {
    const { done, value } = await within(CONTENT_QUIET_MS, pieces.next());
    if (done) return;
    yield value;
  }
}

function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('The content store is silent.')), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
