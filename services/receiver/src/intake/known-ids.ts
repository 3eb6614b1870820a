import type { Status } from '@indbakke/shared/lifecycle';
import type pg from 'pg';
import type { NewMessage } from './new-message.js';

/** What stands in the database now: this message, or with another id the one that was here before. */
export interface StoredMessage {
  readonly id: string;
  readonly status: Status;
  readonly transmissionId: string;
  readonly receivedAt: Date;
}

/** What is here already of a message’s id. */
export interface KnownId {
  /** A message of it has other content. */
  readonly otherContent: boolean;
  /** Of all messages of it only tombstones are left. */
  readonly allDeleted: boolean;
}

/** What a messageUUID must be unique in, together with its content. */
export function idOf({ municipality, channel, externalId }: NewMessage): string {
  return `${municipality} ${channel} ${externalId.value}`;
}

/**
 * Two messages of one id but other content wait for each other here, so that the later one sees the earlier. Always in the
 * same order, or two groups wait for each other.
 */
export async function lockIds(connection: pg.PoolClient, messages: readonly NewMessage[]): Promise<void> {
  await connection.query({
    name: 'lock-ids',
    text: `SELECT pg_advisory_xact_lock(key)
           FROM (SELECT hashtextextended(id, 0) AS key FROM unnest($1::text[]) AS id ORDER BY key) AS ordered`,
    values: [messages.map(idOf)],
  });
}

/** Tells of each message whose id is here already what is here of it, by the id of the message that came now. */
export async function readKnownIds(
  connection: pg.PoolClient,
  messages: readonly NewMessage[],
): Promise<ReadonlyMap<string, KnownId>> {
  const rows = await lookUp<{ for_id: string; other_content: boolean; all_deleted: boolean }>(
    connection,
    messages,
    `SELECT bool_or(fingerprint <> g.fingerprint) AS other_content, bool_and(status = 'deleted') AS all_deleted
     FROM known HAVING count(*) > 0`,
  );
  return new Map(
    rows.map(({ for_id, other_content, all_deleted }) => [
      for_id,
      { otherContent: other_content, allDeleted: all_deleted },
    ]),
  );
}

/** The message that stands for each of these: the same one, or the first of its id. By the id of the one that came now. */
export async function readEarlier(
  connection: pg.PoolClient,
  messages: readonly NewMessage[],
): Promise<ReadonlyMap<string, StoredMessage>> {
  const rows = await lookUp<{ for_id: string; id: string; status: Status; transmission_id: string; received_at: Date }>(
    connection,
    messages,
    `SELECT id, status, transmission_id, received_at
     FROM known ORDER BY fingerprint = g.fingerprint DESC, received_at LIMIT 1`,
  );
  return new Map(
    rows.map(({ for_id, id, status, transmission_id, received_at }) => [
      for_id,
      { id, status, transmissionId: transmission_id, receivedAt: received_at },
    ]),
  );
}

/**
 * Asks of each message, g, the messages that have its id, known. Without a name, so planned each time, and one message after
 * the other: a plan that is kept from when the database was small or not yet analyzed, or one that joins, reads every message
 * of the municipality until the next ANALYZE.
 */
async function lookUp<Row extends pg.QueryResultRow>(
  connection: pg.PoolClient,
  messages: readonly NewMessage[],
  select: string,
): Promise<Row[]> {
  const [first] = messages;
  if (!first) return [];
  const { rows } = await connection.query<Row>(
    `SELECT g.id AS for_id, found.*
     FROM unnest($2::uuid[], $3::text[], $4::text[], $5::bytea[]) AS g (id, channel, external_id, fingerprint),
     LATERAL (
       WITH known AS NOT MATERIALIZED (
         SELECT * FROM messages WHERE municipality = $1 AND channel = g.channel AND external_id = g.external_id
       )
       ${select}
     ) AS found`,
    [
      first.municipality,
      messages.map(({ id }) => id),
      messages.map(({ channel }) => channel),
      messages.map(({ externalId }) => externalId.value),
      messages.map(({ fingerprint }) => fingerprint),
    ],
  );
  return rows;
}
