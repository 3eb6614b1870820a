import { POSITION_GONE } from '@indbakke/shared/api';
import { DAY } from '@indbakke/shared/config';
import type { Parts } from '@indbakke/shared/service';
import { TRIED_FOR } from '@indbakke/shared/webhooks';
import { DELIVER_WEBHOOK, type DeliverWebhookData } from './deliver-webhook.js';
import { BODY_OF_EVENT, iso } from './rows.js';

// Per webhook and statement.
const BATCH = 1_000;
const WEBHOOKS = 20;
// Of one webhook at a time: so that a slow one leaves room for the others, and is not overrun when it comes back.
const MAX_IN_FLIGHT = 8;
// A job that is not done after this is taken for lost: the deadline, and as long for its place in the queue.
const TAKEN_SECONDS = 120;

/** What a round of making deliveries found. */
export interface Made {
  /** Whether any webhook is active. */
  readonly isAny: boolean;
  readonly hasMore: boolean;
}

/**
 * Makes a delivery of each event for each webhook that wants its type. The webhook’s position moves in the same statement, so
 * none is skipped or made twice, whoever is killed, and however many do it at once. A webhook that was disabled for so long
 * that the feed has no longer what follows its position is told so, and goes on with the oldest event there is.
 */
export async function makeDeliveries({ store }: Pick<Parts, 'store'>): Promise<Made> {
  const [made] = await store.sweep<Made & object>(
    `WITH behind AS (
       SELECT w.id, w.municipality, w.event_types, w.position, h.event_position AS head, h.oldest_event_position AS oldest,
         least(h.event_position, greatest(w.position, h.oldest_event_position - 1) + $1) AS last
       FROM webhooks w JOIN feed_heads h USING (municipality)
       WHERE w.status = 'active' AND w.position < h.event_position
       ORDER BY w.id LIMIT $2 FOR NO KEY UPDATE OF w SKIP LOCKED
     ), next AS (
       SELECT b.id AS webhook_id, e.id, b.municipality, ${BODY_OF_EVENT} AS body, e.trace
       FROM behind b JOIN events e ON e.municipality = b.municipality AND e.position > b.position AND e.position <= b.last
       WHERE cardinality(b.event_types) = 0 OR e.type = ANY (b.event_types)
       UNION ALL
       SELECT id, gen_random_uuid(), municipality, json_build_object('type', '${POSITION_GONE}', 'timestamp', ${iso('now()')},
         'data', json_build_object('position', position, 'oldest', oldest)), NULL
       FROM behind WHERE position < oldest - 1
     ), made AS (
       INSERT INTO webhook_deliveries (webhook_id, id, municipality, body, created_at, give_up_at, next_enqueue_at, trace)
       SELECT webhook_id, id, municipality, body, now(), now() + interval '${TRIED_FOR}', now(), trace FROM next
       ON CONFLICT DO NOTHING
     ), moved AS (
       UPDATE webhooks w SET position = b.last FROM behind b WHERE w.id = b.id RETURNING b.last < b.head AS is_behind
     )
     SELECT EXISTS (SELECT FROM webhooks WHERE status = 'active') AS "isAny",
       coalesce(bool_or(is_behind), false) OR count(*) = $2 AS "hasMore"
     FROM moved`,
    [BATCH, WEBHOOKS],
  );
  return made as Made;
}

// One process at a time, which sees what the one before has taken: else each would take as many.
const LOCK = `SELECT pg_advisory_xact_lock(hashtext('indbakke_webhooks'))`;

/**
 * Enqueues the deliveries that are due, and those whose job the queue may have lost: of each webhook a few at a time, and of one
 * that has failed for long a single one.
 */
export async function enqueueDeliveries({ store, queues }: Pick<Parts, 'store' | 'queues'>): Promise<void> {
  const { rows: due } = await store.sweepTogether(LOCK, (connection) =>
    connection.query<DeliverWebhookData & { trace: string | null }>(
      `UPDATE webhook_deliveries d SET run = d.run + 1, is_taken = true, next_enqueue_at = now() + make_interval(secs => $2)
       FROM webhooks w CROSS JOIN LATERAL (
         SELECT webhook_id, id FROM webhook_deliveries
         WHERE webhook_id = w.id AND status = 'waiting' AND next_enqueue_at <= now()
         ORDER BY next_enqueue_at, id
         LIMIT greatest(0, CASE WHEN w.failing_since < now() - interval '5 minutes' THEN 1 ELSE $1 END - (
           SELECT count(*) FROM webhook_deliveries t WHERE t.webhook_id = w.id AND t.is_taken AND t.next_enqueue_at > now()))
         FOR UPDATE SKIP LOCKED
       ) AS due
       WHERE w.status = 'active' AND d.webhook_id = due.webhook_id AND d.id = due.id
       RETURNING d.webhook_id AS "webhookId", d.id AS "deliveryId", d.municipality, d.run, d.trace`,
      [MAX_IN_FLIGHT, TAKEN_SECONDS],
    ),
  );
  for (const { trace, ...job } of due) queues.enqueue(DELIVER_WEBHOOK, job, trace);
}

const OLD_BATCH = 2_000;

/** Removes deliveries, with their attempts, some days after the last one. What waits for a disabled webhook stays. */
export async function sweepOldDeliveries({ store }: Pick<Parts, 'store'>, keepDays: number, now: Date): Promise<void> {
  let removed: object[];
  do {
    removed = await store.sweep(
      `DELETE FROM webhook_deliveries d USING (
         SELECT webhook_id, id FROM webhook_deliveries WHERE give_up_at < $1 AND status <> 'waiting'
         ORDER BY give_up_at LIMIT $2 FOR UPDATE SKIP LOCKED) AS old
       WHERE d.webhook_id = old.webhook_id AND d.id = old.id RETURNING 1`,
      [new Date(now.getTime() - keepDays * DAY), OLD_BATCH],
    );
  } while (removed.length === OLD_BATCH);
}
