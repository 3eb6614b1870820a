// What others than the journaler need of webhooks: to change one.

import type { Principal } from '../access/index.js';
import type { WebhookChangeBody } from '../api/index.js';
import { type AuditEntry, insertAudit } from '../audit/index.js';
import { Problem } from '../errors/index.js';
import type { IdempotencyKey } from '../idempotency/index.js';
import { Prisma, run, type Store } from '../store/index.js';

const { sql } = Prisma;

/** How long a delivery is tried. */
export const TRIED_FOR = '3 days';

/** A request to change webhooks of the caller’s municipality. */
export interface WebhookRequest {
  readonly principal: Principal;
  readonly at: Date;
  readonly idempotencyKey: IdempotencyKey | undefined;
}

/**
 * Changes the given fields. One that is enabled again has five days to succeed, and what waits is tried at once, and for three
 * days more.
 *
 * @throws Problem not-found
 */
export async function changeWebhook(
  { store }: { readonly store: Store },
  { principal, at }: Omit<WebhookRequest, 'idempotencyKey'>,
  id: string,
  { url, eventTypes, status }: WebhookChangeBody,
): Promise<void> {
  const { municipality } = principal;
  const fields = Object.entries({ url, eventTypes, status }).filter(([, value]) => value !== undefined);
  const details = { webhookId: id, fields: fields.map(([name]) => name).join(' '), ...(status && { status }) };
  await store.withTenantConnection(municipality, async (connection) => {
    const [before] = await run<{ status: string }>(
      connection,
      sql`SELECT status FROM webhooks WHERE ${isOne(municipality, id)} FOR NO KEY UPDATE`,
    );
    if (!before) throw noSuchWebhook();
    const isEnabled = before.status === 'disabled' && status === 'active';
    await run(
      connection,
      sql`
        WITH changed AS (
          UPDATE webhooks SET url = coalesce(${url ?? null}, url), event_types = coalesce(${eventTypes ?? null}::text[], event_types),
            status = coalesce(${status ?? null}, status), enabled_at = CASE WHEN ${isEnabled}::bool THEN ${at}::timestamptz ELSE enabled_at END,
            disabled_cause = CASE coalesce(${status ?? null}, status) WHEN 'disabled' THEN coalesce(disabled_cause, 'by-caller') END
          WHERE ${isOne(municipality, id)} RETURNING 1
        ), due AS (
          UPDATE webhook_deliveries SET next_enqueue_at = now(), give_up_at = now() + ${TRIED_FOR}::interval, is_taken = false
          WHERE ${isEnabled}::bool AND webhook_id = ${id}::uuid AND municipality = ${municipality} AND status = 'waiting'
        ) ${auditOf(principal, 'webhook-changed', at, details)} FROM changed`,
    );
  });
}

export const isOne = (municipality: string, id: string) => sql`municipality = ${municipality} AND id = ${id}::uuid`;

export const noSuchWebhook = () => new Problem('not-found', 'The municipality has no such webhook.');

export function auditOf(
  by: Principal,
  action: AuditEntry['action'],
  at: Date,
  details: AuditEntry['details'],
): Prisma.Sql {
  return insertAudit({ by, at, action, details });
}
