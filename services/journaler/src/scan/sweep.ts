import { enqueueDue, type Outbox } from '@indbakke/shared/queue';
import type { Parts } from '@indbakke/shared/service';
import { SCAN_MESSAGE, SCAN_OVERDUE_SECONDS, type ScanMessageData } from './scan-message.js';

const UNSCANNED: Outbox<ScanMessageData> = {
  table: 'message_scans',
  which: 'true',
  overdueSeconds: SCAN_OVERDUE_SECONDS,
  trace: 'trace',
  job: SCAN_MESSAGE,
  dataOf: ({ id: scanId, municipality, run }) => ({ scanId, municipality, run }),
};

/** Enqueues the messages whose files came, whose next attempt is due, or whose job the queue may have lost. */
export async function sweepDueScans(parts: Pick<Parts, 'store' | 'queues'>, now: Date): Promise<void> {
  while ((await enqueueDue(parts, UNSCANNED, now)) > 0);
}
