import { takeDue } from '@indbakke/shared/queue';
import type { Parts } from '@indbakke/shared/service';
import { SCAN_MESSAGE, SCAN_OVERDUE_SECONDS } from './scan-message.js';

const UNSCANNED = {
  table: 'message_scans',
  key: 'message_id',
  which: 'true',
  overdueSeconds: SCAN_OVERDUE_SECONDS,
  trace: 'trace',
} as const;

/** Enqueues the messages whose files came, whose next attempt is due, or whose job the queue may have lost. */
export async function sweepDueScans({ store, queues }: Pick<Parts, 'store' | 'queues'>, now: Date): Promise<void> {
  for (;;) {
    const due = await takeDue(store, UNSCANNED, now);
    for (const { id: messageId, municipality, run, trace } of due) {
      queues.enqueue(SCAN_MESSAGE, { messageId, municipality, run }, trace);
    }
    if (due.length === 0) return;
  }
}
