import { enqueueDue, type Outbox } from '@indbakke/shared/queue';
import type { Parts } from '@indbakke/shared/service';
import { FETCH_FILE, FETCH_OVERDUE_SECONDS, type FetchFileData } from './fetch-file.js';

const UNFINISHED: Outbox<FetchFileData> = {
  table: 'file_fetches',
  which: `status IN ('waiting', 'stored')`,
  overdueSeconds: FETCH_OVERDUE_SECONDS,
  trace: 'trace',
  job: FETCH_FILE,
  dataOf: ({ id: fileId, municipality, run }) => ({ fileId, municipality, run }),
};

/** Enqueues the files whose next attempt is due, or whose job the queue may have lost. */
export async function sweepDueFetches(parts: Pick<Parts, 'store' | 'queues'>, now: Date): Promise<void> {
  await enqueueDue(parts, UNFINISHED, now);
}
