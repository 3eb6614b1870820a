import { takeDue } from '@indbakke/shared/queue';
import type { Parts } from '@indbakke/shared/service';
import { FETCH_FILE, FETCH_OVERDUE_SECONDS } from './fetch-file.js';

const UNFINISHED = {
  table: 'file_fetches',
  which: `status IN ('waiting', 'stored')`,
  overdueSeconds: FETCH_OVERDUE_SECONDS,
  trace: 'trace',
} as const;

/** Enqueues the files whose next attempt is due, or whose job the queue may have lost. */
export async function sweepDueFetches({ store, queues }: Pick<Parts, 'store' | 'queues'>, now: Date): Promise<void> {
  for (const { id: fileId, municipality, run, trace } of await takeDue(store, UNFINISHED, now)) {
    queues.enqueue(FETCH_FILE, { fileId, municipality, run }, trace);
  }
}
