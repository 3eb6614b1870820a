import { currentTime } from '@indbakke/shared/clock';
import { readClamdUrl, SECOND } from '@indbakke/shared/config';
import { worker } from '@indbakke/shared/queue';
import { type Parts, repeat, type Work } from '@indbakke/shared/service';
import type { JournalerConfig } from '../config.js';
import { observeScans } from './metrics.js';
import { createScanMessageHandler, SCAN_MESSAGE } from './scan-message.js';
import { sweepDueScans } from './sweep.js';

// Each is a thread of clamd, which has ten (MaxThreads), for all copies of the journaler.
const CONCURRENT_SCANS = 4;

/** What scans files for malware; nothing without CLAMD_URL. */
export function createScanWork(parts: Parts, { CLAMD_URL }: Pick<JournalerConfig, 'CLAMD_URL'>): Work {
  observeScans(parts);
  const clamd = CLAMD_URL === undefined ? undefined : readClamdUrl(CLAMD_URL);
  if (!clamd) return { jobs: [], sweeps: [] };
  return {
    jobs: [worker(SCAN_MESSAGE, CONCURRENT_SCANS, createScanMessageHandler({ ...parts, clamd }))],
    sweeps: [repeat('sweep-due-scans', 2 * SECOND, parts.log, () => sweepDueScans(parts, currentTime()), 0)],
  };
}
