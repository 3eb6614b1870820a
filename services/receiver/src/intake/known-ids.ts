import { type HeldCause, lockedIdOf, type Status, shareSetUp } from '@indbakke/shared/lifecycle';
import type { Connection } from '@indbakke/shared/store';
import type { NewMessage } from './incoming-message.js';

/** The message in the database: this one, or the earlier one that it repeats. */
export interface StoredMessage {
  readonly id: string;
  readonly status: Status;
  readonly externalId: string;
  readonly transmissionId: string;
  readonly receivedAt: Date;
  /** Why it is held, if it was stored just now. */
  readonly heldCause?: HeldCause | null;
}

/** What is stored under an external id. */
export interface KnownId {
  /** The message with the same content, else the oldest. */
  readonly message: StoredMessage;
  readonly sameContent: boolean;
  /** Only tombstones are left. */
  readonly allDeleted: boolean;
}

/** An external id is unique per municipality and channel. */
export function idOf({ municipality, channel, externalId }: NewMessage): string {
  return lockedIdOf(municipality, channel, externalId.value);
}

/**
 * Serializes messages with the same id, so that the later one sees the earlier. Locks in a fixed order, or two batches could
 * deadlock. The same statement keeps the set-up of the municipality from being changed, so it is read after this.
 *
 * @returns the time when all are locked, by the database’s clock, which is one for all receivers
 */
export async function lockIds(
  connection: Connection,
  municipality: string,
  messages: readonly NewMessage[],
): Promise<Date> {
  const { rows } = await connection.query<{ at: Date }>({
    name: 'lock-ids',
    text: `WITH locked AS MATERIALIZED (
             SELECT ${shareSetUp('$2::text')}
             UNION ALL
             SELECT pg_advisory_xact_lock(key)
             FROM (SELECT hashtextextended(id, 0) AS key FROM unnest($1::text[]) AS id ORDER BY key) AS ordered
           )
           SELECT count(*), clock_timestamp() AS at FROM locked`,
    values: [messages.map(idOf), municipality],
  });
  return (rows[0] as { at: Date }).at;
}

interface Row {
  for_id: string;
  id: string;
  status: Status;
  transmission_id: string;
  received_at: Date;
  external_id: string;
  same_content: boolean;
  all_deleted: boolean;
}

/**
 * What is stored under the external ids of these messages, by the `id` of each. Call it with the ids locked.
 *
 * The statement is unnamed, so planned each time, and LATERAL: a plan cached while the table was small or not yet analyzed,
 * or one that joins, would read every message of the municipality until the next ANALYZE.
 */
export async function readKnownIds(
  connection: Connection,
  municipality: string,
  messages: readonly NewMessage[],
): Promise<ReadonlyMap<string, KnownId>> {
  const { rows } = await connection.query<Row>(
    `SELECT g.id AS for_id, known.*
     FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::bytea[])
       AS g (id, channel, external_id, former_id, fingerprint),
     LATERAL (
       SELECT id, status, transmission_id, received_at, external_id, fingerprint = g.fingerprint AS same_content,
         bool_and(status = 'deleted') OVER () AS all_deleted
       FROM messages WHERE municipality = $1 AND channel = g.channel AND external_id IN (g.external_id, g.former_id)
       ORDER BY same_content DESC, received_at LIMIT 1
     ) AS known`,
    [
      municipality,
      messages.map(({ id }) => id),
      messages.map(({ channel }) => channel),
      messages.map(({ externalId }) => externalId.value),
      messages.map(({ externalId }) => externalId.formerValue ?? null),
      messages.map(({ fingerprint }) => fingerprint),
    ],
  );
  return new Map(
    rows.map((row) => [
      row.for_id,
      {
        message: {
          id: row.id,
          status: row.status,
          externalId: row.external_id,
          transmissionId: row.transmission_id,
          receivedAt: row.received_at,
        },
        sameContent: row.same_content,
        allDeleted: row.all_deleted,
      },
    ]),
  );
}
