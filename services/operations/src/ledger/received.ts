import { atDanishTime, plusDays } from '@indbakke/shared/danish-time';
import { STATUSES } from '@indbakke/shared/lifecycle';
import type { Parts } from '@indbakke/shared/service';
import { Prisma } from '@indbakke/shared/store';
import { FATES, type Fate, type Fates } from './lines.js';

const { sql } = Prisma;

export interface Received {
  readonly id: string;
  readonly externalId: string;
  readonly fate: Fate;
  /** Whether it has the rows that it must have, and no other ones. */
  readonly isComplete: boolean;
  /** Whether there is content of it to be read. */
  readonly hasContent: boolean;
}

/** From when until when, by Danish clocks. */
function timesOf(day: string): { from: Date; until: Date } {
  return { from: atDanishTime(day, '00:00'), until: atDanishTime(plusDays(day, 1), '00:00') };
}

// A tombstone, and a message whose content retention removed, has nothing personal and no key; any other one has all of it.
const IS_COMPLETE = sql`
  CASE WHEN m.status = 'deleted' OR m.content_removed_at IS NOT NULL THEN
    d.message_id IS NULL AND k.message_id IS NULL AND c.message_id IS NULL AND m.blob_name IS NULL
  ELSE
    d.message_id IS NOT NULL
    AND (SELECT count(*) FROM documents WHERE message_id = m.id) = m.document_count
    AND (SELECT count(*) FROM files WHERE message_id = m.id) = m.file_count
    AND CASE WHEN EXISTS (SELECT FROM files WHERE message_id = m.id AND status = 'stored')
      THEN k.message_id IS NOT NULL AND (m.blob_name IS NULL) = (c.message_id IS NOT NULL)
      ELSE true END
  END`;

/** What a municipality received on a day, in the order of the ids. */
export function readReceived({ store }: Pick<Parts, 'store'>, municipality: string, day: string): Promise<Received[]> {
  const { from, until } = timesOf(day);
  return store.query<Received & Record<string, unknown>>(
    municipality,
    sql`
      SELECT m.id, m.external_id AS "externalId", ${IS_COMPLETE} AS "isComplete",
        k.message_id IS NOT NULL AND m.status <> 'deleted' AND m.content_removed_at IS NULL AS "hasContent",
        CASE WHEN m.status = 'journalized' AND m.content_removed_at IS NOT NULL THEN 'content-removed'
          WHEN m.status = 'rejected' AND m.rejection_reason = 'handed-over' THEN 'handed-over'
          WHEN m.status = 'pending' AND m.suggested_case_id IS NOT NULL THEN 'suggested'
          ELSE m.status END AS fate
      FROM messages m
        LEFT JOIN LATERAL (SELECT message_id FROM message_details WHERE message_id = m.id LIMIT 1) AS d ON true
        LEFT JOIN LATERAL (SELECT message_id FROM message_keys WHERE message_id = m.id LIMIT 1) AS k ON true
        LEFT JOIN LATERAL (SELECT message_id FROM message_contents WHERE message_id = m.id LIMIT 1) AS c ON true
      WHERE m.municipality = ${municipality} AND m.status = ANY (${Object.keys(STATUSES)}::text[])
        AND m.received_at >= ${from}::timestamptz AND m.received_at < ${until}::timestamptz
      ORDER BY m.id`,
    'fresh',
  );
}

/** Ids that the audit log says were received on a day, and of which there is no row. */
export async function readUnstored(
  { store }: Pick<Parts, 'store'>,
  municipality: string,
  day: string,
): Promise<string[]> {
  const { from, until } = timesOf(day);
  const rows = await store.query<{ id: string }>(
    municipality,
    sql`
      SELECT DISTINCT a.message_id AS id FROM audit_events a
      WHERE a.municipality = ${municipality} AND a.at >= ${from}::timestamptz AND a.at < ${until}::timestamptz
        AND a.action IN ('accepted', 'held', 'taken-over') AND a.result = 'done' AND a.message_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM messages WHERE id = a.message_id)`,
    'fresh',
  );
  return rows.map(({ id }) => id);
}

/** When a municipality received its first message; undefined when it has none. */
export async function firstReceipt({ store }: Pick<Parts, 'store'>, municipality: string): Promise<Date | undefined> {
  const [row] = await store.query<{ at: Date | null }>(
    municipality,
    sql`
      SELECT min(first.at) AS at FROM unnest(${Object.keys(STATUSES)}::text[]) AS s (status) CROSS JOIN LATERAL (
        SELECT received_at AS at FROM messages WHERE municipality = ${municipality} AND status = s.status
        ORDER BY received_at LIMIT 1) AS first`,
    'fresh',
  );
  return row?.at ?? undefined;
}

export function countFates(received: readonly Pick<Received, 'fate'>[]): Fates {
  const counts = Object.fromEntries(Object.keys(FATES).map((fate) => [fate, 0])) as Record<Fate, number>;
  for (const { fate } of received) counts[fate] += 1;
  return counts;
}
