import type { Principal } from '@indbakke/shared/access';
import type { DeliveryList, DeliveryQuery, Redelivered, RedeliveryBody } from '@indbakke/shared/api';
import { Problem } from '@indbakke/shared/errors';
import { once } from '@indbakke/shared/idempotency';
import { type Connection, Prisma, run } from '@indbakke/shared/store';
import { auditOf, isOne, noSuchWebhook, TRIED_FOR, type WebhookRequest } from '@indbakke/shared/webhooks';
import { readCursor, writeCursor } from '../inbox/cursor.js';
import { BODY_OF_EVENT } from './rows.js';
import type { WebhookParts } from './webhooks.js';

const { sql } = Prisma;

type Delivery = DeliveryList['items'][number];
type Row = { [Column in keyof Omit<Delivery, 'createdAt' | 'nextAttemptAt' | 'id'>]: Delivery[Column] } & {
  /** Null when there is no delivery. */
  readonly id: string | null;
  readonly createdAt: Date;
  readonly nextAttemptAt: Date | null;
};

const SHOWN_ATTEMPTS = 50;

/**
 * The deliveries of a webhook, newest first, page by page.
 *
 * @throws Problem not-found; bad-request for a cursor of another list
 */
export async function listDeliveries(
  { store, keys }: WebhookParts,
  { municipality }: Principal,
  webhookId: string,
  { status, cursor, limit }: DeliveryQuery,
): Promise<DeliveryList> {
  const list = { webhookId, status };
  const from = cursor === undefined ? undefined : readCursor(keys, list, cursor, 'query.cursor');
  const conditions = [
    sql`municipality = ${municipality} AND webhook_id = w.id`,
    ...(status ? [sql`status = ${status}`] : []),
    ...(from ? [sql`(created_at, id) < (${from.time}::timestamptz, ${from.id}::uuid)`] : []),
  ];
  const rows = await store.query<Row>(
    municipality,
    sql`
      SELECT d.id, d.body AS event, d.status, d.created_at AS "createdAt",
        CASE WHEN d.status = 'waiting' AND NOT d.is_taken AND w.status = 'active' THEN d.next_enqueue_at END AS "nextAttemptAt",
        (SELECT coalesce(json_agg(json_build_object('at', a.at, 'status', a.http_status, 'error', a.error,
            'milliseconds', a.milliseconds, 'answerSize', a.answer_size) ORDER BY a.number DESC), '[]')
         FROM (SELECT * FROM webhook_attempts a WHERE a.webhook_id = d.webhook_id AND a.delivery_id = d.id
           ORDER BY number DESC LIMIT ${SHOWN_ATTEMPTS}::int) AS a) AS attempts
      FROM (SELECT * FROM webhooks WHERE ${isOne(municipality, webhookId)}) AS w
      LEFT JOIN LATERAL (
        SELECT * FROM webhook_deliveries WHERE ${Prisma.join(conditions, ' AND ')}
        ORDER BY created_at DESC, id DESC LIMIT ${limit + 1}::int
      ) AS d ON true
      ORDER BY d.created_at DESC, d.id DESC`,
    'kept',
  );
  if (rows.length === 0) throw noSuchWebhook();
  const items = rows.flatMap(({ id, createdAt, nextAttemptAt, attempts, ...row }) =>
    id === null
      ? []
      : [
          {
            ...row,
            id,
            createdAt: createdAt.toISOString(),
            nextAttemptAt: nextAttemptAt?.toISOString() ?? null,
            attempts: attempts.map((attempt) => ({ ...attempt, at: new Date(attempt.at).toISOString() })),
          },
        ],
  );
  const page = items.slice(0, limit);
  const last = page.at(-1);
  const isLast = items.length <= limit || !last;
  return {
    items: page,
    nextCursor: isLast ? null : writeCursor(keys, list, { isTimeless: false, time: last.createdAt, id: last.id }),
  };
}

const MAX_REDELIVERED = 10_000;

/**
 * Has one delivery, or the events of a time, sent again.
 *
 * @throws Problem not-found, key-reused
 */
export async function redeliver(
  { store }: WebhookParts,
  { principal, at, idempotencyKey }: WebhookRequest,
  webhookId: string,
  body: RedeliveryBody,
): Promise<Redelivered> {
  const { municipality } = principal;
  return store.withTenantConnection(municipality, (connection) =>
    once(connection, municipality, idempotencyKey, async () => {
      const [webhook] = await run<{ eventTypes: string[]; position: string }>(
        connection,
        sql`
          SELECT event_types AS "eventTypes", position FROM webhooks WHERE ${isOne(municipality, webhookId)} FOR NO KEY UPDATE`,
      );
      if (!webhook) throw noSuchWebhook();
      const again =
        body.deliveryId === undefined
          ? await sendTimeAgain(connection, municipality, { id: webhookId, ...webhook }, body)
          : await sendOneAgain(connection, municipality, webhookId, body.deliveryId);
      const asked = Object.entries(body).filter(([, value]) => value !== undefined);
      const details = { webhookId, ...Object.fromEntries(asked), deliveries: again.deliveries };
      await run(connection, auditOf(principal, 'webhook-redelivered', at, details));
      return again;
    }),
  );
}

const AGAIN = sql`
  status = 'waiting', is_taken = false, next_enqueue_at = now(), give_up_at = now() + ${TRIED_FOR}::interval`;

async function sendOneAgain(
  connection: Connection,
  municipality: string,
  webhookId: string,
  deliveryId: string,
): Promise<Redelivered> {
  const found = await run(
    connection,
    sql`
      UPDATE webhook_deliveries SET ${AGAIN}
      WHERE municipality = ${municipality} AND webhook_id = ${webhookId}::uuid AND id = ${deliveryId}::uuid RETURNING 1`,
  );
  if (found.length === 0) throw new Problem('not-found', 'The webhook has no such delivery.');
  return { deliveries: 1, next: null };
}

/** From the feed: also those that had no delivery, or no longer have one. Those after its position are still to come. */
async function sendTimeAgain(
  connection: Connection,
  municipality: string,
  { id, eventTypes, position }: { id: string; eventTypes: string[]; position: string },
  { since, until, after = 0 }: RedeliveryBody,
): Promise<Redelivered> {
  const [again] = await run<{ deliveries: number; last: string | null; found: number }>(
    connection,
    sql`
      WITH found AS MATERIALIZED (
        SELECT * FROM events
        WHERE municipality = ${municipality} AND position > ${after}::bigint AND position <= ${position}::bigint
          AND at >= ${since}::timestamptz AND at < ${until}::timestamptz
          AND (cardinality(${eventTypes}::text[]) = 0 OR type = ANY (${eventTypes}::text[]))
        ORDER BY position LIMIT ${MAX_REDELIVERED + 1}::int
      ), first AS (
        SELECT * FROM found ORDER BY position LIMIT ${MAX_REDELIVERED}::int
      ), again AS (
        INSERT INTO webhook_deliveries (webhook_id, id, municipality, body, created_at, give_up_at, next_enqueue_at, trace)
        SELECT ${id}::uuid, e.id, ${municipality}, ${Prisma.raw(BODY_OF_EVENT)}, now(), now() + ${TRIED_FOR}::interval, now(), e.trace
        FROM first e
        ON CONFLICT (webhook_id, id) DO UPDATE SET ${AGAIN}
        RETURNING 1
      )
      SELECT (SELECT count(*)::int FROM again) AS deliveries, (SELECT max(position) FROM first) AS last,
        (SELECT count(*)::int FROM found) AS found`,
  );
  const { deliveries = 0, last = null, found = 0 } = again ?? {};
  return { deliveries, next: found > MAX_REDELIVERED ? Number(last) : null };
}
