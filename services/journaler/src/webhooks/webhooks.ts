import { type Principal, requireMunicipality } from '@indbakke/shared/access';
import type { WebhookAnswer, WebhookBody, WebhookList, WebhookSecret } from '@indbakke/shared/api';
import { Problem } from '@indbakke/shared/errors';
import { once } from '@indbakke/shared/idempotency';
import type { KeyRing, WrappedKey } from '@indbakke/shared/keys';
import type { Parts } from '@indbakke/shared/service';
import { newId, Prisma, run } from '@indbakke/shared/store';
import { auditOf, isOne, noSuchWebhook, type WebhookRequest } from '@indbakke/shared/webhooks';
import { makeSecret, openSecret } from './secrets.js';

const { sql } = Prisma;

export type WebhookParts = Pick<Parts, 'store' | 'keys'>;

const MAX_WEBHOOKS = 20;
// For receivers to change theirs.
const BOTH_SIGN_FOR = '24 hours';

/**
 * Registers a webhook, which gets the events that follow.
 *
 * @throws Problem not-found for an unknown municipality; bad-request when it has too many; key-reused
 */
export async function createWebhook(
  { store, keys }: WebhookParts,
  { principal, at, idempotencyKey }: WebhookRequest,
  { url, eventTypes }: WebhookBody,
): Promise<WebhookSecret> {
  const { municipality } = principal;
  return store.withTenantConnection(municipality, async (connection) => {
    const made = await once<MadeSecret>(connection, municipality, idempotencyKey, async () => {
      await requireMunicipality((statement) => run(connection, statement), municipality);
      // So that two calls at once count one after the other.
      await run(connection, sql`SELECT pg_advisory_xact_lock(hashtext('webhooks'), ${municipality}::int)`);
      const owner = { id: newId(), municipality };
      const { keyId, wrapped } = await makeSecret(keys, owner);
      const created = await run(
        connection,
        sql`
          WITH created AS (
            INSERT INTO webhooks (id, municipality, url, event_types, secret, secret_key_id, position, created_at, enabled_at)
            SELECT ${owner.id}::uuid, ${municipality}, ${url}, ${eventTypes}::text[], ${wrapped}, ${keyId},
              coalesce((SELECT event_position FROM feed_heads WHERE municipality = ${municipality}), 0), ${at}::timestamptz,
              ${at}::timestamptz
            WHERE (SELECT count(*) FROM webhooks WHERE municipality = ${municipality}) < ${MAX_WEBHOOKS}::int
            RETURNING 1
          ) ${auditOf(principal, 'webhook-created', at, { webhookId: owner.id })} FROM created RETURNING 1`,
      );
      if (created.length > 0) return madeSecret(owner.id, { keyId, wrapped });
      throw new Problem('bad-request', `A municipality has at most ${MAX_WEBHOOKS} webhooks. Delete one first.`);
    });
    return answerOf(keys, municipality, made);
  });
}

/**
 * Makes a new secret; the one before signs too for a day.
 *
 * @throws Problem not-found, key-reused
 */
export async function makeNewSecret(
  { store, keys }: WebhookParts,
  { principal, at, idempotencyKey }: WebhookRequest,
  id: string,
): Promise<WebhookSecret> {
  const { municipality } = principal;
  return store.withTenantConnection(municipality, async (connection) => {
    const made = await once<MadeSecret>(connection, municipality, idempotencyKey, async () => {
      const { keyId, wrapped } = await makeSecret(keys, { id, municipality });
      const changed = await run(
        connection,
        sql`
          WITH made AS (
            UPDATE webhooks SET previous_secret = secret, previous_secret_key_id = secret_key_id,
              previous_secret_until = ${at}::timestamptz + ${BOTH_SIGN_FOR}::interval, secret = ${wrapped}, secret_key_id = ${keyId}
            WHERE ${isOne(municipality, id)} RETURNING 1
          ) ${auditOf(principal, 'webhook-secret-made', at, { webhookId: id })} FROM made RETURNING 1`,
      );
      if (changed.length === 0) throw noSuchWebhook();
      return madeSecret(id, { keyId, wrapped });
    });
    return answerOf(keys, municipality, made);
  });
}

/** What is stored as the first answer: a repeat gets the secret that it made, sealed until then, and never one made since. */
interface MadeSecret {
  readonly id: string;
  readonly keyId: string;
  readonly wrapped: string;
}

const madeSecret = (id: string, { keyId, wrapped }: WrappedKey): MadeSecret => ({
  id,
  keyId,
  wrapped: wrapped.toString('base64'),
});

async function answerOf(
  keys: KeyRing,
  municipality: string,
  { id, keyId, wrapped }: MadeSecret,
): Promise<WebhookSecret> {
  const sealed = { keyId, wrapped: Buffer.from(wrapped, 'base64') };
  return { id, secret: await openSecret(keys, { id, municipality }, sealed) };
}

/** The webhooks of a municipality, oldest first. */
export async function listWebhooks(parts: WebhookParts, { municipality }: Principal): Promise<WebhookList> {
  return { items: await readWebhooks(parts, municipality, sql`true`) };
}

/** @throws Problem not-found */
export async function readWebhook(
  parts: WebhookParts,
  { municipality }: Principal,
  id: string,
): Promise<WebhookAnswer> {
  const [webhook] = await readWebhooks(parts, municipality, sql`id = ${id}::uuid`);
  if (!webhook) throw noSuchWebhook();
  return webhook;
}

async function readWebhooks(
  { store }: WebhookParts,
  municipality: string,
  which: Prisma.Sql,
): Promise<WebhookAnswer[]> {
  type Row = Omit<WebhookAnswer, Times> & Record<Times, Date | null>;
  type Times = 'failingSince' | 'previousSecretUntil' | 'createdAt';
  const rows = await store.query<Row>(
    municipality,
    sql`
      SELECT id, url, event_types AS "eventTypes", status, disabled_cause AS "disabledCause", position::float8,
        failing_since AS "failingSince", CASE WHEN previous_secret_until > now() THEN previous_secret_until END AS "previousSecretUntil",
        created_at AS "createdAt"
      FROM webhooks WHERE municipality = ${municipality} AND ${which} ORDER BY created_at, id`,
    'kept',
  );
  const iso = (time: Date | null) => time?.toISOString() ?? null;
  return rows.map((row) => ({
    ...row,
    failingSince: iso(row.failingSince),
    previousSecretUntil: iso(row.previousSecretUntil),
    createdAt: iso(row.createdAt) as string,
  }));
}

/**
 * Deletes a webhook with its deliveries.
 *
 * @throws Problem not-found, key-reused
 */
export async function deleteWebhook(
  { store }: WebhookParts,
  { principal, at, idempotencyKey }: WebhookRequest,
  id: string,
): Promise<void> {
  const { municipality } = principal;
  await store.withTenantConnection(municipality, (connection) =>
    once(connection, municipality, idempotencyKey, async () => {
      const deleted = await run(
        connection,
        sql`
          WITH deleted AS (DELETE FROM webhooks WHERE ${isOne(municipality, id)} RETURNING 1)
          ${auditOf(principal, 'webhook-deleted', at, { webhookId: id })} FROM deleted RETURNING 1`,
      );
      if (deleted.length === 0) throw noSuchWebhook();
      return {};
    }),
  );
}
