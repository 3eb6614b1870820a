import type { Channel, Kind } from '@indbakke/shared/api';
import { SERVICEPLATFORMEN } from '@indbakke/shared/audit';
import type { SealedContainer, SealedFile } from '@indbakke/shared/content';
import type { HeldCause, Status } from '@indbakke/shared/lifecycle';
import { documentsOf, type Memo, type Remark } from '@indbakke/shared/memo';
import { newId, type Store } from '@indbakke/shared/store';
import type pg from 'pg';
import type { ExternalId } from './external-id.js';
import type { Reference } from './references.js';

/** A message that has been read, decided on and sealed, ready for its rows. */
export interface NewMessage {
  readonly id: string;
  readonly municipality: string;
  readonly channel: Channel;
  readonly externalId: ExternalId;
  readonly fingerprint: Buffer;
  readonly kind: Kind;
  /** Why the municipality’s settings hold it, if they do; a conflict is found here. */
  readonly heldCause: HeldCause | null;
  readonly receivedAt: Date;
  readonly letterAt: Date;
  readonly transmissionId: string;
  readonly memo: Memo;
  /** The XML as it came, with a token in the place of each content. */
  readonly original: Buffer;
  readonly remarks: readonly IntakeRemark[];
  readonly references: readonly Reference[];
  readonly files: readonly SealedFile[];
  readonly container: SealedContainer | undefined;
}

/** A remark of the reading, or one that only the set-up of the municipality can tell. */
export type IntakeRemark = Remark | { readonly code: 'unknown-contact-point'; readonly path: string };

/** What stands in the database now: this message, or the same one that was here before. */
export interface StoredMessage {
  readonly isNew: boolean;
  readonly id: string;
  readonly status: Status;
  readonly transmissionId: string;
  readonly receivedAt: Date;
}

// MeMo 1.2, Text. What is longer is kept whole in `memo`, and its beginning in the columns that lists show and look in: an
// index takes 2704 bytes of a row, and a page of a list must not grow to what 200 hostile subjects can hold.
const MAX_INDEXED_CHARACTERS = 256;

// The queue has this long before the sweep looks; as RETRY_AFTER_SECONDS of the journaler’s sweep.
const FIRST_SWEEP_SECONDS = 30;

/**
 * Writes all rows of a message in one transaction, or finds that the same one is here. When it resolves, the rows are
 * durable. The unique index decides between two that come at once, never a look beforehand.
 */
export async function storeMessage(store: Store, message: NewMessage): Promise<StoredMessage> {
  return store.withTenantConnection(message.municipality, async (connection) => {
    await lockExternalId(connection, message);
    const status = await insertMessage(connection, message);
    if (status === undefined) return { isNew: false, ...(await readEarlier(connection, message)) };
    await insertRest(connection, message, status);
    return {
      isNew: true,
      id: message.id,
      status,
      transmissionId: message.transmissionId,
      receivedAt: message.receivedAt,
    };
  });
}

/** Two messages of one id but other content wait for each other here, so that the later one sees the earlier. */
async function lockExternalId(
  connection: pg.PoolClient,
  { municipality, channel, externalId }: NewMessage,
): Promise<void> {
  await connection.query({
    name: 'lock-external-id',
    text: 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))',
    values: [`${municipality} ${channel} ${externalId.value}`],
  });
}

/**
 * Nothing deleted comes back: a messageUUID of which only tombstones are left takes no further message, whatever its
 * content. Ids that are no UUIDs do not count: another letter may well have the same.
 *
 * @returns the status that it got, or undefined when it is here already, or was
 */
async function insertMessage(connection: pg.PoolClient, message: NewMessage): Promise<Status | undefined> {
  const { memo, references, files, container } = message;
  const { rows } = await connection.query<{ status: Status }>({
    name: 'insert-message',
    text: `
      INSERT INTO messages (id, municipality, channel, external_id, fingerprint, kind, contact_point_id, received_at, letter_at,
        transmission_id, document_count, file_count, content_size, blob_name, remarks, status, held_cause, status_at, status_by,
        looked_at, next_enqueue_at)
      SELECT $1, $2, $3, $4, $5, $6, $7, $8::timestamptz, $9, $10, $11, $12, $13, $14, $15::jsonb,
        CASE WHEN cause IS NULL THEN 'pending' ELSE 'held' END, cause, $8::timestamptz, $16,
        CASE WHEN $17 THEN NULL ELSE $8::timestamptz END, $8::timestamptz + make_interval(secs => $18)
      FROM (SELECT CASE WHEN bool_or(fingerprint <> $5) THEN 'conflict' ELSE $19::text END, bool_and(status = 'deleted')
        FROM messages WHERE municipality = $2 AND channel = $3 AND external_id = $4) AS earlier (cause, all_deleted)
      WHERE all_deleted IS NOT TRUE OR NOT $20
      ON CONFLICT (municipality, channel, external_id, fingerprint) DO NOTHING
      RETURNING status`,
    values: [
      message.id,
      message.municipality,
      message.channel,
      message.externalId.value,
      message.fingerprint,
      message.kind,
      memo.header.recipient?.contactPoint?.contactPointID?.toLowerCase() ?? null,
      message.receivedAt,
      message.letterAt,
      message.transmissionId,
      documentsOf(memo).length,
      documentsOf(memo).flatMap((document) => document.files).length,
      files.reduce((sum, file) => sum + file.size, 0),
      container?.blobName ?? null,
      JSON.stringify(message.remarks),
      SERVICEPLATFORMEN.id,
      references.length > 0,
      FIRST_SWEEP_SECONDS,
      message.heldCause,
      message.externalId.isUuid,
    ],
  });
  return rows[0]?.status;
}

async function readEarlier(connection: pg.PoolClient, message: NewMessage): Promise<Omit<StoredMessage, 'isNew'>> {
  const { rows } = await connection.query<{ id: string; status: Status; transmission_id: string; received_at: Date }>({
    name: 'read-earlier-message',
    text: `SELECT id, status, transmission_id, received_at FROM messages
           WHERE municipality = $1 AND channel = $2 AND external_id = $3
           ORDER BY fingerprint = $4 DESC, received_at LIMIT 1`,
    values: [message.municipality, message.channel, message.externalId.value, message.fingerprint],
  });
  const [row] = rows;
  if (!row) throw new Error('a message was refused for an earlier one that is not there');
  return { id: row.id, status: row.status, transmissionId: row.transmission_id, receivedAt: row.received_at };
}

/** All other rows, in one statement: one trip to the database instead of eight. */
async function insertRest(connection: pg.PoolClient, message: NewMessage, status: Status): Promise<void> {
  const { memo, container } = message;
  const { sender, contentData } = memo.header;
  const { cprNumber, name } = contentData?.cprData ?? {};
  const documents = documentsOf(memo).map((document, position) => ({ ...document, position }));
  const sealed = new Map(message.files.map((file) => [file.index, file]));
  const files = documents.flatMap(({ position, files: ofDocument }) =>
    ofDocument.map((file) => ({ ...file, documentPosition: position })),
  );
  const audited = { channel: message.channel, remarks: message.remarks.length, files: files.length };
  await connection.query({
    name: 'insert-message-rest',
    text: `
      WITH details AS (
        INSERT INTO message_details (message_id, municipality, subject, sender_id, sender_id_type, sender_name,
          concerning_id, concerning_name, memo, original)
        VALUES ($1::uuid, $2::text, $3, $4, $5, $6, $7, $8, $9::jsonb, $22::bytea)
      ), keys AS (
        INSERT INTO message_keys (message_id, municipality, key_id, wrapped_key)
        SELECT $1::uuid, $2::text, $10::text, $11::bytea WHERE $10::text IS NOT NULL
      ), documents AS (
        INSERT INTO documents (message_id, position, municipality, role, document_id, label)
        SELECT $1::uuid, position, $2::text, role, document_id, label
        FROM jsonb_to_recordset($12::jsonb) AS d (position int, role text, document_id text, label text)
      ), files AS (
        INSERT INTO files (id, message_id, document_position, position, municipality, file_name, encoding_format, language,
          status, size, sha256, container_index, container_offset)
        SELECT id, $1::uuid, document_position, position, $2::text, file_name, encoding_format, language,
          status, size, decode(sha256, 'hex'), container_index, container_offset
        FROM jsonb_to_recordset($13::jsonb) AS f (id uuid, document_position int, position int, file_name text,
          encoding_format text, language text, status text, size bigint, sha256 text, container_index int,
          container_offset bigint)
      ), refs AS (
        INSERT INTO reply_references (message_id, position, municipality, kind, value)
        SELECT $1::uuid, position, $2::text, kind, value FROM jsonb_to_recordset($14::jsonb) AS r (position int, kind text, value text)
      ), event AS (
        INSERT INTO events (id, municipality, message_id, type, status, version, at)
        VALUES ($15::uuid, $2::text, $1::uuid, $16::text, $17::text, 1, $18::timestamptz)
      )
      INSERT INTO audit_events (id, at, municipality, actor_kind, actor, action, message_id, details)
      VALUES ($15::uuid, $18::timestamptz, $2::text, $19, $20, $16::text, $1::uuid, $21::jsonb)`,
    values: [
      message.id,
      message.municipality,
      indexed(memo.header.label ?? ''),
      indexed(sender?.senderID ?? ''),
      indexed(sender?.idType ?? ''),
      indexed(sender?.label ?? ''),
      cprNumber === undefined ? null : indexed(cprNumber),
      name === undefined ? null : indexed(name),
      JSON.stringify(memo),
      container?.wrappedKey.keyId ?? null,
      container?.wrappedKey.wrapped ?? null,
      JSON.stringify(
        documents.map(({ position, role, documentID, label }) => ({ position, role, document_id: documentID, label })),
      ),
      JSON.stringify(
        files.map(({ documentPosition, filename, encodingFormat, language, content }, position) => ({
          id: newId(),
          document_position: documentPosition,
          position,
          file_name: filename ?? '',
          encoding_format: encodingFormat ?? '',
          language: language ?? '',
          // A File without content is kept as what it is: named, and missing.
          status: content ? 'stored' : 'missing',
          size: content?.size ?? 0,
          sha256: content?.sha256,
          container_index: content?.index,
          container_offset: content && sealed.get(content.index)?.offset,
        })),
      ),
      JSON.stringify(message.references.map((reference, position) => ({ position, ...reference }))),
      newId(),
      status === 'held' ? 'held' : 'accepted',
      status,
      message.receivedAt,
      SERVICEPLATFORMEN.kind,
      SERVICEPLATFORMEN.id,
      JSON.stringify(audited),
      message.original,
    ],
  });
}

/** The text as it may stand in an index. By characters, so that none is cut in half. */
function indexed(text: string): string {
  return text.length <= MAX_INDEXED_CHARACTERS ? text : [...text].slice(0, MAX_INDEXED_CHARACTERS).join('');
}
