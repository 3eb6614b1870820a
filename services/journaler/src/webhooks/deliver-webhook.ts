import { RECOVERED } from '@indbakke/shared/api';
import { INDBAKKE, insertAudit } from '@indbakke/shared/audit';
import { currentTime } from '@indbakke/shared/clock';
import { HOUR, MINUTE, SECOND } from '@indbakke/shared/config';
import { announce } from '@indbakke/shared/crash-points';
import type { JobDefinition } from '@indbakke/shared/queue';
import type { Parts } from '@indbakke/shared/service';
import { newId, Prisma } from '@indbakke/shared/store';
import { currentTraceparent, noteInSpan, span } from '@indbakke/shared/tracing';
import { TRIED_FOR } from '@indbakke/shared/webhooks';
import { z } from 'zod';
import type { WebhookMetrics } from './metrics.js';
import { iso } from './rows.js';
import { openSecret, signatureHeaders } from './secrets.js';
import { type Outcome, send } from './send.js';
import type { Targets } from './targets.js';

const { sql } = Prisma;

const DeliverWebhookData = z.object({
  webhookId: z.uuid(),
  deliveryId: z.uuid(),
  municipality: z.string().regex(/^\d{8}$/),
  /** The n-th time that the delivery was enqueued, n of the job id. */
  run: z.int().min(1),
});
export type DeliverWebhookData = Readonly<z.infer<typeof DeliverWebhookData>>;

/**
 * Why it exists: a receiver may take seconds to answer, or be away for days. The row in `webhook_deliveries` is the outbox, and
 * has the time of the next attempt: an attempt that fails is a job that is done. The queue may lose everything.
 */
export const DELIVER_WEBHOOK: JobDefinition<DeliverWebhookData> = {
  name: 'deliver-webhook',
  data: DeliverWebhookData,
  idOf: ({ webhookId, deliveryId, run }) => `${webhookId}-${deliveryId}-${run}`,
  // 5 s + 10 s outlasts a restart of the database; after that the dispatcher takes over.
  attempts: 3,
  backoffMs: 5 * SECOND,
  // 10 s for the receiver, twice 20 s for the database.
  deadlineMs: MINUTE,
};

export type DeliverParts = Pick<Parts, 'store' | 'keys' | 'log'>;

interface DueDelivery {
  readonly url: string;
  readonly body: string;
  /** Since it was made, or was last asked for again. */
  readonly attempts: number;
  readonly secret: Buffer;
  readonly secretKeyId: string;
  readonly previousSecret: Buffer | null;
  readonly previousSecretKeyId: string | null;
}

/**
 * Sends a delivery once, and records what came of it. Returns quietly when it is delivered already, its webhook is disabled or
 * deleted, or a later job has it. One that dies between the two is done again: the receiver knows it by its `webhook-id`.
 *
 * @param more called when the webhook has other deliveries that are due
 */
export function createDeliverWebhookHandler(
  parts: DeliverParts,
  { targets, metrics, more }: { targets: Targets; metrics: Pick<WebhookMetrics, 'attempts'>; more: () => void },
) {
  return async (job: DeliverWebhookData): Promise<void> => {
    const delivery = await readDue(parts, job);
    if (!delivery) return;
    const { url, body } = delivery;
    const secrets = await openSecrets(parts, job, delivery);
    const { webhookId, deliveryId } = job;
    const attempt = async () => {
      const traceparent = currentTraceparent();
      const headers = {
        'content-type': 'application/json',
        'user-agent': 'Indbakke',
        ...(traceparent !== undefined && { traceparent }),
        ...signatureHeaders(secrets, { id: deliveryId, at: currentTime(), body }),
      };
      const sent = await send(targets, { url, headers, body });
      noteInSpan({ status: sent.status ?? sent.error ?? undefined });
      return sent;
    };
    const outcome = await span('send-webhook', attempt, { kind: 'client', webhookId, deliveryId });
    announce('webhook-attempted');
    const recorded = await record(parts, job, outcome, waitAfter(delivery.attempts + 1));
    metrics.attempts.inc({ outcome: isSuccess(outcome) ? 'delivered' : 'failed' });
    if (recorded) tell(parts, job, recorded);
    if (recorded?.hasMore) more();
  };
}

async function readDue(
  { store }: DeliverParts,
  { webhookId, deliveryId, municipality, run }: DeliverWebhookData,
): Promise<DueDelivery | undefined> {
  const [delivery] = await store.query<DueDelivery & object>(
    municipality,
    sql`
      SELECT w.url, d.body::text AS body, w.secret, w.secret_key_id AS "secretKeyId",
        (SELECT count(*)::int FROM webhook_attempts a WHERE a.webhook_id = d.webhook_id AND a.delivery_id = d.id
          AND a.at >= d.give_up_at - ${TRIED_FOR}::interval) AS attempts,
        CASE WHEN w.previous_secret_until > now() THEN w.previous_secret END AS "previousSecret",
        w.previous_secret_key_id AS "previousSecretKeyId"
      FROM webhook_deliveries d JOIN webhooks w ON w.id = d.webhook_id
      WHERE d.webhook_id = ${webhookId}::uuid AND d.id = ${deliveryId}::uuid AND d.municipality = ${municipality}
        AND w.municipality = ${municipality} AND d.run = ${run}::int AND d.status = 'waiting' AND w.status = 'active'`,
    'kept',
  );
  return delivery;
}

/** Newest first. */
function openSecrets(
  { keys }: DeliverParts,
  { webhookId: id, municipality }: DeliverWebhookData,
  { secret, secretKeyId, previousSecret, previousSecretKeyId }: DueDelivery,
): Promise<string[]> {
  const sealed = [{ keyId: secretKeyId, wrapped: secret }];
  if (previousSecret && previousSecretKeyId) sealed.push({ keyId: previousSecretKeyId, wrapped: previousSecret });
  return Promise.all(sealed.map((each) => openSecret(keys, { id, municipality }, each)));
}

const isSuccess = ({ status }: Outcome) => status !== null && status >= 200 && status < 300;

/** Seconds to wait after the n-th attempt: from 5 s on four times as long each time, up to 6 hours, a fifth more or less. */
export function waitAfter(attempts: number, random = Math.random): number {
  const longest = (6 * HOUR) / SECOND;
  return Math.min(5 * 4 ** (attempts - 1), longest) * (0.8 + 0.4 * random());
}

/** What an attempt changed. */
interface Recorded {
  /** Why the webhook is disabled now, if it is. */
  readonly disabledBy: 'failing' | 'gone' | null;
  /** Of a webhook that works again: since when it had failed. */
  readonly failedSince: Date | null;
  readonly beginsToFail: boolean;
  /** Whether other deliveries are due. */
  readonly hasMore: boolean;
}

/**
 * One statement, which locks the webhook before the delivery, as everybody does.
 *
 * - The delivery waits until it is delivered or its time is over; the last attempt is at that time.
 * - The webhook: since when it fails; disabled by 410, or after five days without success since it was enabled.
 * - When it works again after 5 minutes, it is told so, and what waits is due. What was given up meanwhile was made since the
 *   time that it is told.
 *
 * @returns undefined when the webhook is deleted
 */
async function record(
  { store }: DeliverParts,
  { webhookId, deliveryId, municipality }: DeliverWebhookData,
  outcome: Outcome,
  waitSeconds: number,
): Promise<Recorded | undefined> {
  const { at, status, error, milliseconds, answerSize } = outcome;
  const isDone = sql`${isSuccess(outcome)}::bool`;
  // By the clock of the database, which all times of deliveries are compared with.
  const attemptedAt = sql`date_trunc('milliseconds', now() - make_interval(secs => ${milliseconds}::float8 / 1000))`;
  const audit = insertAudit(
    { by: { municipality, actor: INDBAKKE }, at, action: 'webhook-disabled', details: { webhookId } },
    { details: sql`jsonb_build_object('cause', "disabledBy")` },
  );
  const [recorded] = await store.query<Recorded & object>(
    municipality,
    sql`
      WITH webhook AS MATERIALIZED (
        SELECT id, failing_since, ${attemptedAt} AS began,
          CASE WHEN status = 'disabled' OR ${isDone} THEN NULL WHEN ${status === 410}::bool THEN 'gone'
            WHEN greatest(failing_since, enabled_at) < now() - interval '5 days' AND failing_since IS NOT NULL THEN 'failing'
          END AS "disabledBy",
          CASE WHEN ${isDone} AND failing_since < now() - interval '5 minutes' THEN failing_since END AS "failedSince"
        FROM webhooks WHERE id = ${webhookId}::uuid AND municipality = ${municipality} FOR NO KEY UPDATE
      ), delivery AS (
        UPDATE webhook_deliveries d SET attempts = d.attempts + 1, is_taken = false,
          status = CASE WHEN d.status <> 'waiting' THEN d.status WHEN ${isDone} THEN 'delivered'
            WHEN d.give_up_at <= now() THEN 'failed' ELSE 'waiting' END,
          next_enqueue_at = least(now() + make_interval(secs => ${waitSeconds}::float8), greatest(d.give_up_at, now()))
        FROM webhook w WHERE d.webhook_id = w.id AND d.id = ${deliveryId}::uuid AND d.municipality = ${municipality}
        RETURNING d.attempts
      ), attempt AS (
        INSERT INTO webhook_attempts (webhook_id, delivery_id, number, municipality, at, http_status, error, milliseconds, answer_size)
        SELECT ${webhookId}::uuid, ${deliveryId}::uuid, attempts, ${municipality}, ${attemptedAt}, ${status}::int, ${error},
          ${milliseconds}::int, ${answerSize}::int
        FROM delivery
      ), changed AS (
        UPDATE webhooks w SET failing_since = CASE WHEN ${isDone} THEN NULL ELSE coalesce(w.failing_since, ${attemptedAt}) END,
          status = CASE WHEN was."disabledBy" IS NULL THEN w.status ELSE 'disabled' END,
          disabled_cause = coalesce(was."disabledBy", w.disabled_cause)
        FROM webhook was
        WHERE w.id = was.id AND w.municipality = ${municipality}
          AND (was."disabledBy" IS NOT NULL OR (was.failing_since IS NULL) <> ${isDone})
      ), audit AS (
        ${audit} FROM webhook WHERE "disabledBy" IS NOT NULL
      ), given_up AS (
        SELECT (d.body->>'timestamp')::timestamptz AS time FROM webhook w JOIN webhook_deliveries d ON d.webhook_id = w.id
        WHERE d.municipality = ${municipality} AND d.status = 'failed' AND d.give_up_at >= w."failedSince"
      ), told AS (
        INSERT INTO webhook_deliveries (webhook_id, id, municipality, body, created_at, give_up_at, next_enqueue_at)
        SELECT id, ${newId()}::uuid, ${municipality}, json_build_object('type', ${RECOVERED}::text,
          'timestamp', ${Prisma.raw(iso('now()'))}, 'data', json_build_object(
            'since', ${Prisma.raw(iso('least("failedSince", (SELECT min(d.time) FROM given_up d))'))},
            'until', ${Prisma.raw(iso('began'))})),
          now(), now() + ${TRIED_FOR}::interval, now()
        FROM webhook WHERE "failedSince" IS NOT NULL
      ), due AS (
        UPDATE webhook_deliveries d SET next_enqueue_at = now() FROM webhook w
        WHERE w."failedSince" IS NOT NULL AND d.webhook_id = w.id AND d.municipality = ${municipality} AND d.status = 'waiting'
          AND NOT d.is_taken AND d.id <> ${deliveryId}::uuid
      )
      SELECT "disabledBy", "failedSince", failing_since IS NULL AND NOT ${isDone} AS "beginsToFail",
        "failedSince" IS NOT NULL OR EXISTS (
          SELECT FROM webhook_deliveries d
          WHERE d.webhook_id = w.id AND d.municipality = ${municipality} AND d.status = 'waiting' AND NOT d.is_taken
            AND d.next_enqueue_at <= now()) AS "hasMore"
      FROM webhook w`,
    'kept',
  );
  return recorded;
}

/** Never the URL: its path and query may hold a secret. */
function tell({ log }: DeliverParts, { webhookId }: DeliverWebhookData, recorded: Recorded): void {
  const { disabledBy, failedSince, beginsToFail } = recorded;
  if (disabledBy) log.error('webhook-disabled', { webhookId, cause: disabledBy });
  else if (beginsToFail) log.warn('webhook-failing', { webhookId });
  if (failedSince) log.info('webhook-recovered', { webhookId, since: failedSince.toISOString() });
}
