import { LOOK_AGAIN_AFTER_SECONDS, SUGGEST_CASE } from '@indbakke/shared/queue';
import type { Parts } from '@indbakke/shared/service';

// The wait doubles with each round, to this.
const LONGEST_RETRY_SECONDS = 3_600;
const BATCH = 500;

/**
 * Enqueues every message that is not looked at and whose time has come: the queue may have lost it. Any number of copies
 * may sweep at once; each takes other rows.
 *
 * @returns how many were enqueued
 */
export async function sweepNotLookedAt({ store, queues }: Pick<Parts, 'store' | 'queues'>): Promise<number> {
  const due = await store.sweep<{ id: string; municipality: string; suggest_round: number }>(
    `UPDATE messages
     SET suggest_round = suggest_round + 1,
         next_enqueue_at = now() + make_interval(secs => least($1 * power(2, least(suggest_round, 10)), $2))
     WHERE id IN (
       SELECT id FROM messages
       WHERE looked_at IS NULL AND status = 'pending' AND next_enqueue_at <= now()
       ORDER BY next_enqueue_at LIMIT $3 FOR UPDATE SKIP LOCKED)
     RETURNING id, municipality, suggest_round`,
    [LOOK_AGAIN_AFTER_SECONDS, LONGEST_RETRY_SECONDS, BATCH],
  );
  for (const { id, municipality, suggest_round: round } of due) {
    queues.enqueue(SUGGEST_CASE, { messageId: id, municipality, round });
  }
  return due.length;
}
