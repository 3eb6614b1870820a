import { citizensOf, SERVICEPLATFORMEN } from '@indbakke/shared/audit';
import { numberOf } from '@indbakke/shared/ids';
import { FILE_NAME, type KeyRing } from '@indbakke/shared/keys';
import { RECORD_CHANGES, TRANSITIONS } from '@indbakke/shared/lifecycle';
import { SUGGESTION_OVERDUE_SECONDS } from '@indbakke/shared/queue';
import type { Parts } from '@indbakke/shared/service';
import { type Connection, newId } from '@indbakke/shared/store';
import type { Accepted } from './decide.js';
import type { IncomingDistribution, NewMessage } from './incoming-message.js';
import { isMedia } from './media.js';

/**
 * Inserts all rows of all messages in one statement: one round trip instead of eight per message. The caller has found the
 * ids free while holding their locks; if that was wrong, the unique index fails the statement.
 */
export async function insertMessages(
  { connection, keys, scanning }: { readonly connection: Connection; readonly keys: KeyRing } & Pick<Parts, 'scanning'>,
  municipality: string,
  messages: readonly Accepted[],
): Promise<void> {
  if (messages.length === 0) return;
  const bytes = new JoinedBytes();
  const rows = messages.map((accepted) => rowsOf(accepted, bytes, keys));
  await connection.query({
    ...(scanning.isOn ? INSERT_TO_SCAN : INSERT_MESSAGES),
    values: [
      municipality,
      JSON.stringify(rows.map(({ message }) => message)),
      JSON.stringify(rows.flatMap(({ documents }) => documents)),
      JSON.stringify(rows.flatMap(({ files }) => files)),
      JSON.stringify(rows.flatMap(({ references }) => references)),
      bytes.joined(),
      SERVICEPLATFORMEN.kind,
      SERVICEPLATFORMEN.id,
      SUGGESTION_OVERDUE_SECONDS,
      JSON.stringify(rows.flatMap(({ distribution }) => distribution ?? [])),
    ],
  });
}

// $6 is JoinedBytes.joined(); cut(at) is one part of it.
const cut = (at: string) => `substring($6::bytea FROM (${at}[1]) FOR (${at}[2]))`;

const statementOf = (scan: { readonly column: string; readonly value: string; readonly rows: string }) => `
  WITH given AS MATERIALIZED (
    SELECT *, ${cut('fingerprint_at')} AS fingerprint
    FROM jsonb_to_recordset($2::jsonb) AS g (id uuid, channel text, external_id text, fingerprint_at int[],
      kind text, contact_point_id text, received_at timestamptz, first_offered_at timestamptz, letter_at timestamptz,
      transmission_id uuid, document_count int, file_count int, content_size bigint, blob_name text, remarks jsonb, status text,
      held_cause text, refers boolean, late boolean, reply_by timestamptz, attachment_count int, has_media boolean,
      concern_assess_by timestamptz, concern_confirm_by timestamptz, subject text, sender_id text, sender_id_type text,
      sender_name text, representative_id text, representative_id_type text, representative_name text,
      concerning_id text, concerning_name text, contact_info jsonb,
      sender_number text, concerning_number text, original_format text, original_at int[],
      key_id text, wrapped_key_at int[], container_at int[], change_id uuid, change text, change_details jsonb, origin text, trace text,
      sent_at timestamptz, citizens text[],
      assignee_kind text, assignee_id text, info_words text[], party_ids text[], kle text, parties jsonb, exemption jsonb)
  ), stored AS (
    INSERT INTO messages (id, municipality, channel, external_id, fingerprint, kind, contact_point_id, received_at,
      first_offered_at, letter_at, sent_at, transmission_id, document_count, file_count, content_size, blob_name, remarks, status,
      held_cause, status_at, status_by, suggestion_run_at, next_enqueue_at, late, reply_by, attachment_count, has_media,
      concern_marked_at, concern_marked_by, concern_assess_by, concern_confirm_by, assignee_kind, assignee_id, kle)
    SELECT g.id, $1, g.channel, g.external_id, g.fingerprint, g.kind, g.contact_point_id, g.received_at,
      g.first_offered_at, g.letter_at, g.sent_at, g.transmission_id, g.document_count, g.file_count, g.content_size, g.blob_name,
      g.remarks, g.status, g.held_cause, g.received_at, $8, CASE WHEN g.refers THEN NULL ELSE g.received_at END,
      g.received_at + make_interval(secs => $9), g.late, g.reply_by, g.attachment_count, g.has_media,
      CASE WHEN g.concern_assess_by IS NOT NULL THEN g.received_at END,
      CASE WHEN g.concern_assess_by IS NOT NULL THEN $8 END, g.concern_assess_by, g.concern_confirm_by, g.assignee_kind,
      g.assignee_id, g.kle
    FROM given AS g
    RETURNING id, status, version
  ), details AS (
    INSERT INTO message_details (message_id, municipality, subject, sender_id, sender_id_type, sender_name,
      representative_id, representative_id_type, representative_name, concerning_id, concerning_name, contact_info,
      original_format, original, parties, exemption)
    SELECT id, $1, subject, sender_id, sender_id_type, sender_name, representative_id, representative_id_type,
      representative_name, concerning_id, concerning_name, contact_info, original_format, ${cut('original_at')},
      parties, exemption
    FROM given
  ), words AS (
    INSERT INTO message_words (message_id, municipality, status, received_at, words)
    SELECT id, $1, status, received_at, words_of(subject, ARRAY[sender_name, representative_name, concerning_name] || info_words,
      ARRAY[sender_id, representative_id, concerning_id] || party_ids)
    FROM given
  ), parties AS (
    INSERT INTO message_parties (message_id, role, municipality, number, status, received_at, letter_at)
    SELECT id, role, $1, number, status, received_at, letter_at
    FROM given, LATERAL (VALUES ('sender', sender_number), ('concerning', concerning_number)) AS p (role, number)
    WHERE number IS NOT NULL
  ), subjects AS (
    INSERT INTO message_subjects (municipality, kind, key, message_id)
    SELECT $1, 'citizen', citizen, id FROM given, unnest(citizens) AS citizen
  ), keys AS (
    INSERT INTO message_keys (message_id, municipality, key_id, wrapped_key)
    SELECT id, $1, key_id, ${cut('wrapped_key_at')} FROM given WHERE key_id IS NOT NULL
  ), contents AS (
    INSERT INTO message_contents (message_id, municipality, container)
    SELECT id, $1, ${cut('container_at')} FROM given WHERE container_at IS NOT NULL
  ), documents AS (
    INSERT INTO documents (message_id, position, municipality, role, document_id, label)
    SELECT message_id, position, $1, role, document_id, label
    FROM jsonb_to_recordset($3::jsonb) AS d (message_id uuid, position int, role text, document_id text, label text)
  ), files AS (
    INSERT INTO files (id, message_id, document_position, position, municipality, file_name, encoding_format,
      detected_format, language, status, size, sha256, crc32, container_index, container_offset${scan.column})
    SELECT f.id, message_id, document_position, position, $1, file_name, encoding_format, detected_format, language,
      f.status, size, decode(sha256, 'hex'), crc32, container_index, container_offset${scan.value}
    FROM jsonb_to_recordset($4::jsonb) AS f (id uuid, message_id uuid, document_position int, position int, file_name text,
      encoding_format text, detected_format text, language text, status text, size bigint, sha256 text, crc32 bigint,
      container_index int, container_offset bigint)
  ), refs AS (
    INSERT INTO reply_references (message_id, position, municipality, kind, value)
    SELECT message_id, position, $1, kind, value
    FROM jsonb_to_recordset($5::jsonb) AS r (message_id uuid, position int, kind text, value text)
  ), distributed AS (
    INSERT INTO distributions (message_id, municipality, object_type, object_id, transaction_id, distribution_id, sender,
      routing_kle, routing_facet, routing_actor)
    SELECT message_id, $1, object_type, object_id, transaction_id, distribution_id, sender, routing_kle, routing_facet, routing_actor
    FROM jsonb_to_recordset($10::jsonb) AS d (message_id uuid, object_type text, object_id uuid, transaction_id uuid,
      distribution_id uuid, sender text, routing_kle text, routing_facet text, routing_actor uuid)
  ), fetches AS (
    INSERT INTO file_fetches (id, message_id, municipality, name_digest, since, next_enqueue_at, trace)
    SELECT f.id, f.message_id, $1, decode(f.name_digest, 'hex'), given.received_at, given.received_at, given.trace
    FROM jsonb_to_recordset($4::jsonb) AS f (id uuid, message_id uuid, status text, name_digest text) JOIN given ON given.id = f.message_id
    WHERE f.status = 'expected'
  )${scan.rows}, changes AS (
    SELECT change_id, $1 AS municipality, id AS message_id, change AS type, stored.status, stored.version, received_at AS at,
      $7 AS actor_kind, $8 AS actor, NULL AS on_behalf_of, NULL AS role, origin, change_details AS details, trace
    FROM given JOIN stored USING (id)
  ), ${RECORD_CHANGES}
  SELECT`;

const INSERT_MESSAGES = { name: 'insert-messages', text: statementOf({ column: '', value: '', rows: '' }) };

// Each message that has content is scanned, by a sweep: intake neither waits for that nor enqueues it.
const INSERT_TO_SCAN = {
  name: 'insert-messages-to-scan',
  text: statementOf({
    column: ', scan',
    value: `, CASE WHEN f.status = 'stored' THEN 'waiting' END`,
    rows: `, scans AS (
    INSERT INTO message_scans (message_id, municipality, since, next_enqueue_at, trace)
    SELECT id, $1, received_at, received_at, trace FROM given WHERE key_id IS NOT NULL
  )`,
  }),
};

/** The rows of one message, named as in the statement above. */
function rowsOf(
  {
    message,
    receivedAt,
    firstOfferedAt,
    letterAt,
    sentAt,
    late,
    replyBy,
    concern,
    remarks,
    change,
    heldCause,
    heldContact,
    assignee,
  }: Accepted,
  bytes: JoinedBytes,
  keys: KeyRing,
) {
  const { id: message_id, sender, representative, concerning, container, distribution } = message;
  const place = container?.place;
  const files = message.documents.flatMap((document, document_position) =>
    document.files.map((file) => ({ ...file, document_position })),
  );
  const contents = files.flatMap(({ content }) => (typeof content === 'string' ? [] : [content]));
  return {
    message: {
      id: message_id,
      channel: message.channel,
      external_id: message.externalId.value,
      fingerprint_at: bytes.put(message.fingerprint),
      kind: message.kind,
      contact_point_id: message.contactPointId && indexed(message.contactPointId),
      received_at: receivedAt,
      first_offered_at: firstOfferedAt,
      letter_at: letterAt,
      sent_at: sentAt,
      transmission_id: message.transmissionId,
      document_count: message.documents.length,
      file_count: files.length,
      content_size: contents.reduce((sum, { size }) => sum + size, 0),
      blob_name: place && 'blobName' in place ? place.blobName : null,
      remarks,
      status: TRANSITIONS[change].to,
      held_cause: heldCause,
      refers: message.references.length > 0,
      late,
      reply_by: replyBy,
      attachment_count: message.documents.filter(({ role }) => role === 'additional').length,
      has_media: files.some(isMedia),
      concern_assess_by: concern?.assessBy,
      concern_confirm_by: concern?.confirmBy,
      subject: indexed(message.subject),
      sender_id: indexed(sender.id),
      sender_id_type: indexed(sender.idType),
      sender_name: indexed(sender.name),
      representative_id: representative?.id && indexed(representative.id),
      representative_id_type: representative?.idType && indexed(representative.idType),
      representative_name: representative?.name && indexed(representative.name),
      concerning_id: concerning.id && indexed(concerning.id),
      concerning_name: concerning.name && indexed(concerning.name),
      sender_number: numberOf(sender.id),
      concerning_number: concerning.id && numberOf(concerning.id),
      contact_info: message.contactInfo,
      original_format: message.original.format,
      original_at: bytes.put(message.original.bytes),
      key_id: container?.wrappedKey.keyId,
      wrapped_key_at: container && bytes.put(container.wrappedKey.wrapped),
      container_at: place && 'bytes' in place ? bytes.put(place.bytes) : null,
      change_id: newId(),
      change,
      change_details: {
        channel: message.channel,
        remarks: remarks.length,
        files: files.length,
        sentAt,
        firstOfferedAt,
        receivedAt,
        ...concern,
        ...(heldCause && { heldCause }),
        ...(heldContact && { contactKind: heldContact.kind, contactId: heldContact.id }),
        ...(assignee && { assigneeKind: assignee.kind, assigneeId: assignee.id }),
      },
      origin: message.origin,
      trace: message.trace,
      citizens: citizensOf(keys, [
        sender.id,
        concerning.id,
        ...(distribution?.parties ?? []).map(({ id }) => id ?? undefined),
      ]),
      assignee_kind: assignee?.kind,
      assignee_id: assignee?.id,
      info_words: wordsOf(message)?.map(indexed),
      party_ids: partsOfParties(message, 'id').map(indexed),
      kle: distribution?.kle,
      parties: distribution?.parties ?? [],
      exemption: distribution?.exemption,
    },
    distribution: distribution && distributionRow(message_id, distribution),
    documents: message.documents.map(({ role, documentId, label }, position) => ({
      message_id,
      position,
      role,
      document_id: documentId,
      label,
    })),
    files: files.map(
      ({ document_position, fileName, encodingFormat, detectedFormat, language, content }, position) => ({
        id: newId(),
        message_id,
        document_position,
        position,
        file_name: fileName,
        encoding_format: encodingFormat,
        detected_format: detectedFormat,
        language,
        ...(typeof content === 'string'
          ? {
              status: content,
              size: 0,
              ...(content === 'expected' && { name_digest: keys.digest(FILE_NAME, fileName).toString('hex') }),
            }
          : {
              status: 'stored',
              size: content.size,
              sha256: content.sha256,
              crc32: content.crc32,
              container_index: content.index,
              container_offset: content.offset,
            }),
      }),
    ),
    references: message.references.map((reference, position) => ({ message_id, position, ...reference })),
  };
}

function distributionRow(message_id: string, { objectType, objectId, context }: IncomingDistribution) {
  const { transactionId, distributionId, sender, routing } = context;
  return {
    message_id,
    object_type: objectType,
    object_id: objectId,
    transaction_id: transactionId,
    distribution_id: distributionId,
    sender,
    ...('kle' in routing
      ? { routing_kle: routing.kle, routing_facet: routing.facet }
      : { routing_actor: routing.actor }),
  };
}

/** What a message is found by beside its subject and the names and numbers that have columns. */
function wordsOf(message: NewMessage): readonly string[] | undefined {
  const words = [...(message.infoWords ?? []), ...partsOfParties(message, 'name')];
  return words.length > 0 ? words : undefined;
}

const partsOfParties = ({ distribution }: NewMessage, part: 'id' | 'name'): string[] =>
  (distribution?.parties ?? []).flatMap((party) => party[part] ?? []);

/** Concatenates byte strings into one parameter: an array of them would be sent as text, twice as long. */
class JoinedBytes {
  readonly #parts: Buffer[] = [];
  #length = 0;

  /** @returns position, from 1, and length, as SQL’s substring takes them */
  put(part: Buffer): [from: number, length: number] {
    this.#parts.push(part);
    this.#length += part.length;
    return [this.#length - part.length + 1, part.length];
  }

  joined(): Buffer {
    return Buffer.concat(this.#parts, this.#length);
  }
}

// An index takes at most 2704 bytes of a row, and 200 hostile subjects must not blow up a page of a list. The original keeps
// the whole text.
const MAX_INDEXED_CHARACTERS = 256;

/** Shortens a text for an index, by characters, so that none is cut in half. */
function indexed(text: string): string {
  return text.length <= MAX_INDEXED_CHARACTERS ? text : [...text].slice(0, MAX_INDEXED_CHARACTERS).join('');
}
