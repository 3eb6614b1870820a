import { SERVICEPLATFORMEN } from '@indbakke/shared/audit';
import { type HeldCause, RECORD_CHANGES, type Status, TRANSITIONS } from '@indbakke/shared/lifecycle';
import { documentsOf, type Remark } from '@indbakke/shared/memo';
import { LOOK_AGAIN_AFTER_SECONDS } from '@indbakke/shared/queue';
import { newId } from '@indbakke/shared/store';
import type pg from 'pg';
import { heldCauseOf, type MunicipalitySettings } from './decide.js';
import type { KnownId } from './known-ids.js';
import type { NewMessage } from './new-message.js';

/**
 * One statement for all rows of all messages: one trip to the database instead of eight for each.
 *
 * Nothing deleted comes back: a messageUUID of which only tombstones are left takes no further message, whatever its
 * content. Ids that are no UUIDs do not count: another letter may well have the same.
 *
 * @param known what was read under the locks of the ids, which are still held
 * @returns by id, the status of each that is new; the others are here already, or were
 */
export async function insertMessages(
  connection: pg.PoolClient,
  municipality: string,
  messages: readonly NewMessage[],
  { settings, known }: { settings: MunicipalitySettings; known: ReadonlyMap<string, KnownId> },
): Promise<Map<string, Status>> {
  const wanted = messages.filter(({ id, externalId }) => !(externalId.isUuid && known.get(id)?.allDeleted));
  if (wanted.length === 0) return new Map();
  const bytes = new JoinedBytes();
  const rows = wanted.map((message) => {
    const otherContent = known.get(message.id)?.otherContent ?? false;
    return rowsOf(message, heldCauseOf(message.kind, settings, otherContent), settings, bytes);
  });
  const { rows: stored } = await connection.query<{ id: string; status: Status }>({
    name: 'insert-messages',
    text: INSERT_MESSAGES,
    values: [
      municipality,
      JSON.stringify(rows.map(({ message }) => message)),
      JSON.stringify(rows.flatMap(({ documents }) => documents)),
      JSON.stringify(rows.flatMap(({ files }) => files)),
      JSON.stringify(rows.flatMap(({ references }) => references)),
      bytes.joined(),
      SERVICEPLATFORMEN.kind,
      SERVICEPLATFORMEN.id,
      LOOK_AGAIN_AFTER_SECONDS,
    ],
  });
  return new Map(stored.map(({ id, status }) => [id, status]));
}

// $6 holds the bytes of all messages; cut(at) is the part of it that JoinedBytes put there.
const cut = (at: string) => `substring($6::bytea FROM (${at}[1]) FOR (${at}[2]))`;

const INSERT_MESSAGES = `
  WITH given AS MATERIALIZED (
    SELECT *, ${cut('fingerprint_at')} AS fingerprint
    FROM jsonb_to_recordset($2::jsonb) AS g (id uuid, channel text, external_id text, fingerprint_at int[],
      kind text, contact_point_id text, received_at timestamptz, letter_at timestamptz, transmission_id uuid,
      document_count int, file_count int, content_size bigint, blob_name text, remarks jsonb, status text, held_cause text,
      refers boolean, subject text, sender_id text, sender_id_type text, sender_name text, concerning_id text,
      concerning_name text, memo jsonb, original_at int[], key_id text, wrapped_key_at int[], container_at int[],
      change_id uuid, change text, change_details jsonb)
  ), stored AS (
    INSERT INTO messages (id, municipality, channel, external_id, fingerprint, kind, contact_point_id, received_at, letter_at,
      transmission_id, document_count, file_count, content_size, blob_name, remarks, status, held_cause, status_at, status_by,
      looked_at, next_enqueue_at)
    SELECT g.id, $1, g.channel, g.external_id, g.fingerprint, g.kind, g.contact_point_id, g.received_at, g.letter_at,
      g.transmission_id, g.document_count, g.file_count, g.content_size, g.blob_name, g.remarks,
      g.status, g.held_cause, g.received_at, $8,
      CASE WHEN g.refers THEN NULL ELSE g.received_at END, g.received_at + make_interval(secs => $9)
    FROM given AS g
    ON CONFLICT (municipality, channel, external_id, fingerprint) DO NOTHING
    RETURNING id, status, version
  ), details AS (
    INSERT INTO message_details (message_id, municipality, subject, sender_id, sender_id_type, sender_name,
      concerning_id, concerning_name, memo, original)
    SELECT id, $1, subject, sender_id, sender_id_type, sender_name, concerning_id, concerning_name, memo, ${cut('original_at')}
    FROM given JOIN stored USING (id)
  ), keys AS (
    INSERT INTO message_keys (message_id, municipality, key_id, wrapped_key)
    SELECT id, $1, key_id, ${cut('wrapped_key_at')} FROM given JOIN stored USING (id) WHERE key_id IS NOT NULL
  ), contents AS (
    INSERT INTO message_contents (message_id, municipality, container)
    SELECT id, $1, ${cut('container_at')} FROM given JOIN stored USING (id) WHERE container_at IS NOT NULL
  ), documents AS (
    INSERT INTO documents (message_id, position, municipality, role, document_id, label)
    SELECT message_id, position, $1, role, document_id, label
    FROM jsonb_to_recordset($3::jsonb) AS d (message_id uuid, position int, role text, document_id text, label text)
    JOIN stored ON stored.id = message_id
  ), files AS (
    INSERT INTO files (id, message_id, document_position, position, municipality, file_name, encoding_format, language,
      status, size, sha256, container_index, container_offset)
    SELECT f.id, message_id, document_position, position, $1, file_name, encoding_format, language,
      f.status, size, decode(sha256, 'hex'), container_index, container_offset
    FROM jsonb_to_recordset($4::jsonb) AS f (id uuid, message_id uuid, document_position int, position int, file_name text,
      encoding_format text, language text, status text, size bigint, sha256 text, container_index int,
      container_offset bigint)
    JOIN stored ON stored.id = message_id
  ), refs AS (
    INSERT INTO reply_references (message_id, position, municipality, kind, value)
    SELECT message_id, position, $1, kind, value
    FROM jsonb_to_recordset($5::jsonb) AS r (message_id uuid, position int, kind text, value text)
    JOIN stored ON stored.id = message_id
  ), changes AS (
    SELECT change_id, $1 AS municipality, id AS message_id, change AS type, stored.status, stored.version, received_at AS at,
      $7 AS actor_kind, $8 AS actor, NULL AS on_behalf_of, change_details AS details
    FROM given JOIN stored USING (id)
  ), ${RECORD_CHANGES}
  SELECT id, status FROM stored`;

/** The rows of one message, with the names of the statement above. */
function rowsOf(message: NewMessage, heldCause: HeldCause | null, settings: MunicipalitySettings, bytes: JoinedBytes) {
  const { id: message_id, memo, container } = message;
  const { sender, contentData, recipient, label } = memo.header;
  const { cprNumber, name } = contentData?.cprData ?? {};
  const documents = documentsOf(memo).map((document, position) => ({ ...document, position }));
  const files = documents.flatMap((document) =>
    document.files.map((file) => ({ ...file, document_position: document.position })),
  );
  const sealed = new Map(message.files.map((file) => [file.index, file]));
  const contactPoint = recipient?.contactPoint?.contactPointID?.toLowerCase();
  const remarks = [...message.remarks, ...remarkOn(contactPoint, settings)];
  const place = container?.place;
  const change = heldCause === null ? 'accepted' : 'held';
  return {
    message: {
      id: message_id,
      channel: message.channel,
      external_id: message.externalId.value,
      fingerprint_at: bytes.put(message.fingerprint),
      kind: message.kind,
      contact_point_id: contactPoint,
      received_at: message.receivedAt,
      letter_at: message.letterAt,
      transmission_id: message.transmissionId,
      document_count: documents.length,
      file_count: files.length,
      content_size: message.files.reduce((sum, file) => sum + file.size, 0),
      blob_name: place && 'blobName' in place ? place.blobName : null,
      remarks,
      status: TRANSITIONS[change].to,
      held_cause: heldCause,
      refers: message.references.length > 0,
      subject: indexed(label ?? ''),
      sender_id: indexed(sender?.senderID ?? ''),
      sender_id_type: indexed(sender?.idType ?? ''),
      sender_name: indexed(sender?.label ?? ''),
      concerning_id: cprNumber === undefined ? null : indexed(cprNumber),
      concerning_name: name === undefined ? null : indexed(name),
      memo,
      original_at: bytes.put(message.original),
      key_id: container?.wrappedKey.keyId,
      wrapped_key_at: container && bytes.put(container.wrappedKey.wrapped),
      container_at: place && 'bytes' in place ? bytes.put(place.bytes) : null,
      change_id: newId(),
      change,
      change_details: { channel: message.channel, remarks: remarks.length, files: files.length },
    },
    documents: documents.map(({ position, role, documentID, label: title }) => ({
      message_id,
      position,
      role,
      document_id: documentID,
      label: title,
    })),
    files: files.map(({ document_position, filename, encodingFormat, language, content }, position) => ({
      id: newId(),
      message_id,
      document_position,
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
    references: message.references.map((reference, position) => ({ message_id, position, ...reference })),
  };
}

/** A remark of the reading, or one that only the set-up of the municipality can tell. */
type IntakeRemark = Remark | { readonly code: 'unknown-contact-point'; readonly path: string };

/** A letter to a contact point that nobody has set up is kept all the same: what counts is that it is read. */
function remarkOn(contactPoint: string | undefined, { contactPointIds }: MunicipalitySettings): IntakeRemark[] {
  if (!contactPoint || contactPointIds.has(contactPoint)) return [];
  return [{ code: 'unknown-contact-point', path: 'Message/MessageHeader/Recipient/ContactPoint/contactPointID' }];
}

/** Many byte strings as one, for one parameter: an array of them would go as text, twice as long. */
class JoinedBytes {
  readonly #parts: Buffer[] = [];
  #length = 0;

  /** @returns where it stands in the whole, from 1, and its length: as SQL’s substring counts */
  put(part: Buffer): [from: number, length: number] {
    this.#parts.push(part);
    this.#length += part.length;
    return [this.#length - part.length + 1, part.length];
  }

  joined(): Buffer {
    return Buffer.concat(this.#parts, this.#length);
  }
}

// MeMo 1.2, Text. What is longer is kept whole in `memo`, and its beginning in the columns that lists show and look in: an
// index takes 2704 bytes of a row, and a page of a list must not grow to what 200 hostile subjects can hold.
const MAX_INDEXED_CHARACTERS = 256;

/** The text as it may stand in an index. By characters, so that none is cut in half. */
function indexed(text: string): string {
  return text.length <= MAX_INDEXED_CHARACTERS ? text : [...text].slice(0, MAX_INDEXED_CHARACTERS).join('');
}
