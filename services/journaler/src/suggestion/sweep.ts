import { SUGGEST_CASE, SUGGESTION_OVERDUE_SECONDS } from '@indbakke/shared/queue';
import type { Parts } from '@indbakke/shared/service';

// The wait doubles with each run, up to this.
const MAX_OVERDUE_SECONDS = 3_600;
const BATCH = 500;

/**
 * Enqueues messages whose suggestion run is overdue, as the queue may have lost the job. Several processes may sweep at once;
 * each takes other rows.
 *
 * @returns how many were enqueued
 */
export async function sweepOverdueSuggestions({ store, queues }: Pick<Parts, 'store' | 'queues'>): Promise<number> {
  const due = await store.sweep<{ id: string; municipality: string; suggestion_run: number }>(
    `UPDATE messages
     SET suggestion_run = suggestion_run + 1,
         next_enqueue_at = now() + make_interval(secs => least($1 * power(2, least(suggestion_run, 10)), $2))
     WHERE id IN (
       SELECT id FROM messages
       WHERE suggestion_run_at IS NULL AND status = 'pending' AND next_enqueue_at <= now()
       ORDER BY next_enqueue_at LIMIT $3 FOR UPDATE SKIP LOCKED)
     RETURNING id, municipality, suggestion_run`,
    [SUGGESTION_OVERDUE_SECONDS, MAX_OVERDUE_SECONDS, BATCH],
  );
  for (const { id, municipality, suggestion_run: run } of due) {
    queues.enqueue(SUGGEST_CASE, { messageId: id, municipality, run });
  }
  return due.length;
}
