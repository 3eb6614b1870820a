import type { Stage } from '../stage.js';
import type { Committed, Recorded } from './compare.js';

/** What is committed: all events, and the version of each message. */
export async function recordedIn(stage: Stage): Promise<Pick<Recorded, 'committed' | 'messages'>> {
  const committed = await stage.sql<Committed & object>(
    `SELECT municipality, position::float8, id, message_id AS "messageId", version, status FROM events
     ORDER BY municipality, position, version`,
  );
  const messages = await stage.sql<{ id: string; version: number }>('SELECT id, version FROM messages');
  return { committed, messages };
}

/**
 * What is still to be done until all is quiet, in words.
 *
 * @param got how many events each consumer of the feed has
 */
export async function leftOf(stage: Stage, got: ReadonlyMap<string, number>): Promise<string[]> {
  const [row] = await stage.sql<Record<string, number>>(
    `SELECT (SELECT count(*)::int FROM events) AS events,
       (SELECT count(*)::int FROM events WHERE position IS NULL) AS "events without a position",
       (SELECT count(*)::int FROM audit_events WHERE position IS NULL) AS "audit rows without a position",
       (SELECT count(*)::int FROM messages WHERE suggestion_run_at IS NULL AND status = 'pending') AS "messages without a suggestion run",
       (SELECT count(*)::int FROM webhooks JOIN feed_heads USING (municipality) WHERE position < event_position) AS "webhooks behind",
       (SELECT count(*)::int FROM webhook_deliveries WHERE status <> 'delivered') AS "webhooks to deliver"`,
  );
  const { events = 0, ...left } = row ?? {};
  for (const [name, count] of got) left[`events to ${name}`] = events - count;
  return Object.entries(left).flatMap(([what, count]) => (count > 0 ? [`${count} ${what}`] : []));
}
