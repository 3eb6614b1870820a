import type pg from 'pg';
import { type Batch, batchesOf, bulkLoad, createAuditMonths } from '../bulk-load.js';
import type { Sample } from '../rivals/rows.js';

/** How many messages are stored; each municipality has the same number. */
export interface Stock {
  readonly messages: number;
  /** CVR numbers. */
  readonly municipalities: readonly string[];
}

const BATCH = 100_000; // messages; some hundred MB of rows
const YEARS = 2; // over which the messages were received
const SECONDS_BETWEEN = 6; // so that ten million are two years

// Pending messages of a municipality; most are done.
const PENDING = 2_000;
const PENDING_SHARE = 0.2;

/** Pending messages of a municipality with `messages` messages. */
const pendingOf = (messages: number) => Math.min(PENDING, Math.floor(messages * PENDING_SHARE));

/** Removes all messages and what belongs to them. */
export async function empty(client: pg.Client): Promise<void> {
  await client.query(
    'TRUNCATE messages, message_words, message_parties, cases, sent_messages, events, audit_events, content_removals CASCADE',
  );
}

/**
 * Adds the rows of messages as after months of use: two thirds journalized, nearly a third deleted, some rejected, the newest
 * pending.
 *
 * @param ownerUrl of the same database as `client`, for more connections
 * @param from messages already filled by this function, with the same municipalities
 * @param sample values from a message that was really accepted, used for all
 */
export async function fill(
  { client, ownerUrl, sample }: { readonly client: pg.Client; readonly ownerUrl: string; readonly sample: Sample },
  from: number,
  to: Stock,
): Promise<void> {
  await createAuditMonths(client, YEARS);
  await bulkLoad({ client, ownerUrl }, batchesOf(from, to.messages, BATCH), (filler, batch) =>
    insertBatch(filler, sample, { ...batch, from, to }),
  );
}

interface Range extends Batch {
  /** Messages before and after this fill. */
  readonly from: number;
  readonly to: Stock;
}

async function insertBatch(client: pg.Client, sample: Sample, { first, last, from, to }: Range): Promise<void> {
  const count = to.municipalities.length;
  const pending = pendingOf(to.messages / count) - pendingOf(from / count);
  // `number` counts within a municipality; twenty messages make a case.
  await client.query(
    `CREATE TEMP TABLE batch ON COMMIT DROP AS
     SELECT uuidv7(at - now()) AS id, municipality, number, at, gen_random_uuid() AS external_id, 'C' || number / 20 AS case_id,
       CASE WHEN n >= $4 THEN 'pending' WHEN number % 30 = 0 THEN 'rejected' WHEN number % 10 < 3 THEN 'deleted'
         ELSE 'journalized' END AS status,
       number % 3 = 0 AS has_blob, sha256(n::text::bytea) AS digest
     FROM (
       SELECT n, ($3::text[])[n % $5 + 1] AS municipality, n / $5 AS number,
         now() - interval '${YEARS} years' + n * interval '${SECONDS_BETWEEN} seconds' AS at
       FROM generate_series($1::bigint, $2::bigint) AS n) AS numbered`,
    [first, last, to.municipalities, to.messages - pending * count, count],
  );
  for (const [statement, ...values] of statements(sample)) await client.query(statement, values);
}

/** From `batch` into each table. Deleted messages have only their tombstone and history. */
function statements({ original, contentSize }: Sample): [statement: string, ...values: unknown[]][] {
  return [
    [
      `INSERT INTO messages (id, municipality, channel, external_id, fingerprint, kind, received_at, letter_at, transmission_id,
         document_count, file_count, content_size, blob_name, remarks, status, status_before, status_at, status_by, version,
         rejection_reason, suggested_case_id, suggestion_basis, suggestion_sender, suggestion_run_at, next_enqueue_at)
       SELECT id, municipality, 'sf1606', external_id::text, digest, 'reply', at, at, gen_random_uuid(), 1, 1, $1,
         CASE WHEN has_blob AND status <> 'deleted' THEN replace(external_id::text, '-', '') END, '[]', status,
         CASE WHEN status = 'rejected' THEN 'pending' END, at, 'bench', CASE WHEN status = 'pending' THEN 2 ELSE 3 END,
         CASE WHEN status IN ('rejected', 'deleted') THEN 'unwanted' END, case_id, 'message-uuid', 'recipient-of-the-letter',
         at, at
       FROM batch`,
      contentSize,
    ],
    [
      `INSERT INTO message_details (message_id, municipality, subject, sender_id, sender_id_type, sender_name, contact_info,
         original_format, original)
       SELECT id, municipality, 'Svar på jeres brev', '4101' || lpad((number % 1000000)::text, 6, '0'), 'CPR', 'Test Testesen',
         '[]', 'memo', convert_to($1, 'UTF8')
       FROM batch WHERE status <> 'deleted'`,
      original,
    ],
    [
      `INSERT INTO message_words (message_id, municipality, status, received_at, words)
       SELECT message_id, b.municipality, status, at, words_of(subject, ARRAY[sender_name], ARRAY[sender_id])
       FROM batch b JOIN message_details ON message_id = id`,
    ],
    [
      `INSERT INTO message_parties (message_id, role, municipality, number, status, received_at, letter_at)
       SELECT message_id, 'sender', b.municipality, sender_id, status, at, at FROM batch b JOIN message_details ON message_id = id`,
    ],
    [
      `INSERT INTO message_keys (message_id, municipality, key_id, wrapped_key)
       SELECT id, municipality, 'bench', digest || digest FROM batch WHERE status <> 'deleted'`,
    ],
    [
      `INSERT INTO message_contents (message_id, municipality, container)
       SELECT id, municipality, digest FROM batch WHERE status <> 'deleted' AND NOT has_blob`,
    ],
    [
      `INSERT INTO documents (message_id, position, municipality, role)
       SELECT id, 0, municipality, 'main' FROM batch WHERE status <> 'deleted'`,
    ],
    [
      `INSERT INTO files (id, message_id, document_position, position, municipality, file_name, encoding_format, language, status,
         size, sha256, container_index, container_offset)
       SELECT uuidv7(at - now()), id, 0, 0, municipality, 'svar.pdf', 'application/pdf', 'da', 'stored', $1, digest, 0, 256
       FROM batch WHERE status <> 'deleted'`,
      contentSize,
    ],
    [
      `INSERT INTO reply_references (message_id, position, municipality, kind, value)
       SELECT id, 0, municipality, 'message-uuid', gen_random_uuid()::text FROM batch WHERE status <> 'deleted'`,
    ],
    [
      `INSERT INTO journalizations (message_id, case_id, municipality, reference, at, "by")
       SELECT id, case_id, municipality, 'bench', at, 'bench' FROM batch WHERE status = 'journalized'`,
    ],
    [
      `INSERT INTO cases (municipality, case_id, status, caseworker, party_digests)
       SELECT municipality, case_id, 'open', 'caseworker-' || number / 20 % 100, ARRAY[digest] FROM batch WHERE number % 20 = 0`,
    ],
    [
      `INSERT INTO sent_messages (municipality, message_uuid, case_id, recipient_digest)
       SELECT municipality, gen_random_uuid()::text, case_id, digest FROM batch WHERE number % 3 = 0`,
    ],
    [
      `INSERT INTO events (id, municipality, message_id, type, status, version, at)
       SELECT uuidv7(at - now()), municipality, id, type, CASE WHEN version = 3 THEN status ELSE 'pending' END, version, at ${HISTORY}`,
    ],
    [
      `INSERT INTO audit_events (id, at, municipality, actor_kind, actor, action, message_id, details)
       SELECT uuidv7(at - now()), at, municipality, 'user', 'bench', type, id, '{"channel":"sf1606","remarks":0,"files":1}' ${HISTORY}`,
    ],
  ];
}

/** Every message was accepted and got a suggestion; what is not pending had one more transition. */
const HISTORY = `
  FROM batch, LATERAL (VALUES (1, 'accepted'), (2, 'suggested'), (3, status)) AS history (version, type)
  WHERE version < 3 OR status <> 'pending'`;
