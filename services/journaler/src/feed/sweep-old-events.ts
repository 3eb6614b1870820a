import { DAY } from '@indbakke/shared/config';
import type { Parts } from '@indbakke/shared/service';

const BATCH = 2_000;

/**
 * Removes the oldest events of each municipality, up to the first one that is not old: never one of the middle, and never one
 * without a position.
 */
export async function sweepOldEvents({ store }: Pick<Parts, 'store'>, keepDays: number, now: Date): Promise<void> {
  const before = new Date(now.getTime() - keepDays * DAY);
  let removed: object[];
  do {
    removed = await store.sweep(
      `WITH head AS (
         SELECT municipality, oldest_event_position AS oldest FROM feed_heads h
         WHERE EXISTS (
           SELECT FROM events e WHERE e.municipality = h.municipality AND e.position = h.oldest_event_position AND e.at < $1)
         LIMIT 1 FOR UPDATE SKIP LOCKED
       ), oldest AS (
         SELECT e.* FROM head CROSS JOIN LATERAL (
           SELECT municipality, position, at FROM events e WHERE e.municipality = head.municipality AND e.position >= head.oldest
           ORDER BY e.position LIMIT $2) e
       ), old AS (
         SELECT municipality, coalesce(min(position) FILTER (WHERE at >= $1) - 1, max(position)) AS last
         FROM oldest GROUP BY municipality
       ), removed AS (
         DELETE FROM events e USING old WHERE e.municipality = old.municipality AND e.position <= old.last
       )
       UPDATE feed_heads h SET oldest_event_position = old.last + 1 FROM old WHERE h.municipality = old.municipality
       RETURNING h.municipality`,
      [before, BATCH],
    );
  } while (removed.length > 0);
}
