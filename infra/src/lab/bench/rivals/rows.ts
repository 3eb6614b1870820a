import { randomUUID } from 'node:crypto';
import { newId } from '@indbakke/shared/store';
import type pg from 'pg';
import { postOnce } from '../client.js';
import { REST_PATH, replyCopies } from '../memos.js';
import type { Place } from '../place.js';

/** Values from the rows of one reply, which are inserted many times with other ids. */
export interface Sample {
  readonly municipality: string;
  /** The original as text. */
  readonly original: string;
  readonly reference: string;
  readonly contentSize: number;
}

/** Has a receiver accept one reply of 20 KB. @param answers messageUUID that it replies to; default: an unknown one */
export async function takeSample(place: Place, client: pg.Client, answers?: string): Promise<Sample> {
  const receiver = await place.start('ours/receiver');
  await postOnce(receiver.url, REST_PATH, replyCopies(answers).next());
  await receiver.stop();
  return readSample(client);
}

/** Reads the rows of a stored message. */
export async function readSample(client: pg.Client): Promise<Sample> {
  const { rows } = await client.query<Sample>(`
    SELECT m.municipality, convert_from(d.original, 'UTF8') AS original, r.value AS reference,
      m.content_size::int AS "contentSize"
    FROM messages m JOIN message_details d ON d.message_id = m.id JOIN reply_references r ON r.message_id = m.id
    LIMIT 1`);
  if (!rows[0]) throw new Error('There is no reply to copy.');
  return rows[0];
}

/**
 * Inserts and commits the rows of messages in one statement, before their suggestion runs: message, details, key, document,
 * file, reference, event, audit event.
 *
 * @param externalIds one per message
 * @returns the ids of the messages
 */
export async function insertRows(
  client: pg.Client | pg.PoolClient,
  { municipality, original, reference, contentSize }: Sample,
  externalIds: readonly string[],
): Promise<string[]> {
  const ids = externalIds.map(() => newId());
  await client.query({
    name: 'rows',
    text: `
      WITH given AS MATERIALIZED (
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[])
          AS g (id, external_id, transmission_id, file_id, event_id, original)
      ), m AS (
        INSERT INTO messages (id, municipality, channel, external_id, fingerprint, kind, received_at, letter_at,
          transmission_id, document_count, file_count, content_size, blob_name, remarks, status, status_at, status_by,
          next_enqueue_at)
        SELECT id, $7::text, 'sf1606', external_id, sha256(external_id::bytea), 'reply', $10::timestamptz, $10::timestamptz, transmission_id, 1, 1, $8::bigint,
          replace(transmission_id::text, '-', ''), '[]', 'pending', $10::timestamptz, 'Serviceplatformen', $10::timestamptz + interval '1 hour' FROM given
      ), d AS (
        INSERT INTO message_details (message_id, municipality, subject, sender_id, sender_id_type, sender_name, contact_info,
          original_format, original)
        SELECT id, $7::text, 'Svar på jeres brev', '4101019999', 'CPR', 'Test Testesen', '[]', 'memo',
          convert_to(original, 'UTF8')
        FROM given
      ), k AS (
        INSERT INTO message_keys (message_id, municipality, key_id, wrapped_key)
        SELECT id, $7::text, 'bench', sha256(external_id::bytea) FROM given
      ), documents AS (
        INSERT INTO documents (message_id, position, municipality, role) SELECT id, 0, $7::text, 'main' FROM given
      ), files AS (
        INSERT INTO files (id, message_id, document_position, position, municipality, file_name, encoding_format, language,
          status, size, sha256, container_index, container_offset)
        SELECT file_id, id, 0, 0, $7::text, 'svar.pdf', 'application/pdf', 'da', 'stored', $8::bigint, sha256(external_id::bytea), 0, 256
        FROM given
      ), refs AS (
        INSERT INTO reply_references (message_id, position, municipality, kind, value)
        SELECT id, 0, $7::text, 'message-uuid', $9::text FROM given
      ), event AS (
        INSERT INTO events (id, municipality, message_id, type, status, version, at)
        SELECT event_id, $7::text, id, 'accepted', 'pending', 1, $10::timestamptz FROM given
      )
      INSERT INTO audit_events (id, at, municipality, actor_kind, actor, action, message_id, details)
      SELECT event_id, $10::timestamptz, $7::text, 'service', 'Serviceplatformen', 'accepted', id, '{"channel":"sf1606","remarks":0,"files":1}'
      FROM given`,
    values: [
      ids,
      externalIds,
      ids.map(() => randomUUID()),
      ids.map(() => newId()),
      ids.map(() => newId()),
      ids.map(() => original),
      municipality,
      contentSize,
      reference,
      new Date(),
    ],
  });
  return ids;
}
