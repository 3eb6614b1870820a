import type pg from 'pg';
import { EXAMPLE_MUNICIPALITY } from '../../../local/example-municipality.js';
import { runSql } from '../../../testkit/database.js';
import { type Batch, batchesOf, bulkLoad, createAuditMonths } from '../bulk-load.js';
import { makeSubjects, RARE_WORD, SUBJECTS } from './words.js';

/** What is filled. Of every ten messages one is of the largest municipality; the others share the rest equally. */
export interface Stock {
  /** All messages, of all municipalities. */
  readonly messages: number;
  /** Pending messages of the largest municipality. */
  readonly open: number;
}

export const LARGEST = EXAMPLE_MUNICIPALITY.cvr;
const OTHERS = 97;
const CONTACT_POINTS = 12;
/** Its messages are possible reports of concern. */
const CONCERN_POINT = 3;
export const contactPoint = (at: number): string => `00000000-0000-4000-8000-${String(at).padStart(12, '0')}`;

const BATCH = 50_000; // messages; some hundred MB of rows
const YEARS = 3; // of history
const OPEN_DAYS = 60; // the age of the oldest pending message

// The measured caseworker has as much to do at any size: more letters make more caseworkers.
const LETTERS_PER_CASE = 10;
const CASES_PER_CASEWORKER = 40;
const CASEWORKERS_PER_TEAM = 5;
/** From the case of a letter to that of the next, so that a caseworker’s letters come all the time. A prime reaches every case. */
const STRIDE = 7_919;
/** Open messages are about these cases: those of the first team. */
const OPEN_CASES = CASEWORKERS_PER_TEAM * CASES_PER_CASEWORKER;

/** So many of the pending, and about as many of the journalized messages, have the rare word; they are all from one citizen. */
const RARE = 5;
/** The CPR number of that citizen, and of whom they concern; no month has 41 days. */
export const CITIZEN = '4101000007';
export const CONCERNED = '4101000008';
/** Begins the names of so many citizens that their letters fill a page at any size. */
export const NAME_PREFIX = 'øvelse1';

// A compressed MeMo without contents takes about that much.
const ORIGINAL_BYTES = 1_000;

/** Municipalities with their contact points. The first is the largest, which is measured. */
export async function registerMunicipalities(ownerUrl: string): Promise<void> {
  await runSql(
    ownerUrl,
    `INSERT INTO municipalities (cvr, name) SELECT cvr, 'Kommune ' || cvr FROM (
       SELECT (90000000 + n)::text AS cvr FROM generate_series(1, ${OTHERS}) AS n) AS numbered`,
  );
  await runSql(
    ownerUrl,
    `
    INSERT INTO contact_points (municipality, contact_point_id, name, is_concern)
    SELECT cvr, '${contactPoint(0).slice(0, -2)}' || lpad(n::text, 2, '0'), 'Kontaktpunkt ' || n, n = ${CONCERN_POINT}
    FROM municipalities, generate_series(0, ${CONTACT_POINTS - 1}) AS n`,
  );
}

/**
 * Fills an empty database with registered municipalities: a history of three years, and the open inbox (pending, held), which
 * is the same for the same `open`, however long the history. Documents, files, keys and contents have no rows: nothing that is
 * measured reads them.
 *
 * @param ownerUrl of the same database as `client`, for more connections
 */
export async function fill(client: pg.Client, ownerUrl: string, stock: Stock): Promise<void> {
  await createAuditMonths(client, YEARS);
  await makeTexts(client, stock);
  await insertCases(client, stock);
  const openOfAll = 10 * stock.open;
  const batches = [
    ...[...batchesOf(0, openOfAll, BATCH)].map((batch) => ({ ...batch, origin: OPEN })),
    ...[...batchesOf(openOfAll, stock.messages, BATCH)].map((batch) => ({ ...batch, origin: historyOf(stock) })),
  ];
  await bulkLoad({ client, ownerUrl }, batches, (filler, batch) => insertBatch(filler, stock, batch));
}

/** What messages are made of, with the words by which it is found (shared/src/inbox/words.ts). */
async function makeTexts(client: pg.Client, stock: Stock): Promise<void> {
  await client.query(
    `CREATE UNLOGGED TABLE bench_subjects AS
     SELECT n - 1 AS subject_number, subject, tsvector_to_array(words_of(subject, '{}', '{}')) AS subject_words
     FROM unnest($1::text[]) WITH ORDINALITY AS s (subject, n)`,
    [makeSubjects()],
  );
  await client.query(`
    CREATE UNLOGGED TABLE bench_citizens AS
    SELECT *, tsvector_to_array(words_of('', ARRAY[name], ARRAY[cpr])) AS name_words FROM (
      SELECT citizen, '4101' || lpad(citizen::text, 6, '0') AS cpr, (ARRAY['Test', 'Prøve', 'Øvelse', 'Eksempel'])[citizen % 4 + 1]
        || citizen || (ARRAY[' Testesen', ' Prøvesen', ' Eksempelsen'])[citizen % 3 + 1] AS name
      FROM generate_series(0, ${casesOfLargest(stock)} + 10) AS citizen) AS named`);
  await client.query('ANALYZE bench_subjects, bench_citizens');
}

/** Adds pending messages to the largest municipality. */
export async function addOpen(client: pg.Client, stock: Stock, count: number): Promise<void> {
  await client.query('BEGIN; SET LOCAL session_replication_role = replica');
  await insertBatch(client, stock, { first: stock.messages, last: stock.messages + count - 1, origin: ALL_OF_LARGEST });
  await client.query('COMMIT');
  await client.query('VACUUM ANALYZE messages, message_details, message_parties, message_words');
  await client.query('CHECKPOINT');
}

/** Where the messages with the numbers n are: municipality (0 = the largest), number within it, time of receipt, status. */
const PLACED = `CASE WHEN n % 10 = 0 THEN 0 ELSE 1 + n % ${OTHERS} END AS municipality, CASE WHEN n % 10 = 0 THEN n / 10 ELSE n / ${OTHERS} END AS number`;
/** From 0 to `sides` - 1, the same for the same n. */
const dice = (seed: number, sides: number | string) => `(hashint8extended(n, ${seed}) & 2147483647) % ${sides}`;
const OPEN_AT = `now() - interval '${OPEN_DAYS} days' * power((${dice(1, 10_000)}) / 10000::float, 2) - interval '1 minute'`;
const OPEN = `${PLACED}, ${OPEN_AT} AS at, CASE WHEN ${dice(2, 40)} = 0 THEN 'held' ELSE 'pending' END AS status`;
const ALL_OF_LARGEST = `0 AS municipality, n AS number, ${OPEN_AT} AS at, 'pending' AS status`;
const historyOf = ({ messages, open }: Stock) => `${PLACED},
  now() - interval '1 day' - interval '${YEARS} years' * ((${messages} - n)::float / ${messages - 10 * open}) AS at,
  CASE WHEN ${dice(2, 50)} < 3 THEN 'deleted' WHEN ${dice(2, 50)} < 6 THEN 'rejected' ELSE 'journalized' END AS status`;

const casesOfLargest = ({ messages, open }: Stock) => Math.ceil((messages / 10 - open) / LETTERS_PER_CASE);
const casesOfOther = (stock: Stock) => Math.ceil((casesOfLargest(stock) * 9) / OTHERS);

async function insertCases(client: pg.Client, stock: Stock): Promise<void> {
  await client.query(`
    INSERT INTO cases (municipality, case_id, status, caseworker, party_digests)
    SELECT cvr, 'C' || n, CASE WHEN n % 12 = 11 THEN 'closed' ELSE 'open' END,
      'caseworker-' || n / ${CASES_PER_CASEWORKER} + 1, ARRAY[sha256(n::text::bytea)]
    FROM municipalities, LATERAL generate_series(0,
      CASE WHEN cvr = '${LARGEST}' THEN ${casesOfLargest(stock)} ELSE ${casesOfOther(stock)} END - 1) AS n`);
}

interface Placed extends Batch {
  readonly origin: string;
}

async function insertBatch(client: pg.Client, stock: Stock, { first, last, origin }: Placed): Promise<void> {
  const [largest, other] = [casesOfLargest(stock), casesOfOther(stock)];
  await client.query(`
    CREATE TEMP TABLE batch ON COMMIT DROP AS
    SELECT n, uuidv7(at - now()) AS id, gen_random_uuid() AS external_id, cvr AS municipality, at, status,
      status IN ('pending', 'held') AS is_open, case_number, 'C' || case_number AS case_id,
      case_number / ${CASES_PER_CASEWORKER} + 1 AS caseworker,
      case_number / ${CASES_PER_CASEWORKER * CASEWORKERS_PER_TEAM} + 1 AS team,
      ${dice(3, 10)} AS assigned, ${dice(4, 4)} AS attachments, ${dice(5, 100)} < 3 AS has_media, ${dice(6, 50)} = 0 AS late,
      ${dice(7, 10)} AS kind, ${dice(8, 33)} = 0 AS of_system, ${dice(9, 10)} = 0 AS has_reply_by, point, point = ${CONCERN_POINT} AS is_concern,
      is_rare OR ${dice(10, 10)} < 3 AS is_suggested, sha256(n::text::bytea) AS digest,
      subject || CASE WHEN is_rare THEN ' ${RARE_WORD}' ELSE '' END AS subject, sender.cpr AS sender_id, sender.name AS sender_name,
      concerned.cpr AS concerning_id, concerned.name AS concerning_name,
      subject_words || sender.name_words || concerned.name_words || CASE WHEN is_rare THEN ARRAY['${RARE_WORD}'] END AS words
    FROM (
      SELECT *, CASE WHEN municipality = 0 THEN '${LARGEST}' ELSE (90000000 + municipality)::text END AS cvr,
        CASE WHEN is_rare THEN 0 WHEN status IN ('pending', 'held') THEN ${dice(12, `least(cases, ${OPEN_CASES})`)} ELSE number * ${STRIDE} % cases END AS case_number,
        CASE WHEN is_rare THEN 7 ELSE 10 + ${dice(13, 'cases')} END AS citizen, ${dice(14, CONTACT_POINTS)} AS point,
        is_rare OR ${dice(15, 10)} = 0 AS about_another, ${dice(11, SUBJECTS)} AS subject_number
      FROM (
        SELECT *, CASE WHEN municipality = 0 THEN ${largest} ELSE ${other} END AS cases,
          CASE WHEN status = 'pending' THEN number < ${RARE}
            ELSE status = 'journalized' AND number % ${Math.ceil(stock.messages / 10 / RARE)} = 1 END AS is_rare
        FROM (SELECT n, ${origin} FROM generate_series(${first}::bigint, ${last}::bigint) AS n) AS placed
      ) AS counted
    ) AS drawn JOIN bench_subjects USING (subject_number)
      JOIN bench_citizens AS sender USING (citizen)
      LEFT JOIN bench_citizens AS concerned ON concerned.citizen = drawn.citizen + 1 AND about_another`);
  for (const statement of STATEMENTS) await client.query(statement);
}

/** From `batch` into each table. Deleted messages have only their tombstone and history. */
const STATEMENTS = [
  `INSERT INTO messages (id, municipality, channel, external_id, fingerprint, kind, contact_point_id, received_at,
     first_offered_at, letter_at, late, reply_by, transmission_id, document_count, file_count, attachment_count, has_media,
     content_size, blob_name, remarks, status, held_cause, status_before, status_at, status_by, version, rejection_reason,
     first_read_at, handled_at, concern_marked_at, concern_marked_by, concern_assess_by, concern_assessed_at,
     concern_confirm_by, concern_confirmed_at, assignee_kind, assignee_id, suggested_case_id, suggestion_basis,
     suggestion_sender, suggestion_run_at, next_enqueue_at)
   SELECT id, municipality, CASE WHEN of_system THEN 'sf2900' ELSE 'sf1606' END, external_id::text, digest,
     CASE WHEN kind < 5 THEN 'reply' WHEN kind < 9 THEN 'enquiry' ELSE 'forwarded' END,
     '${contactPoint(0).slice(0, -2)}' || lpad(point::text, 2, '0'), at,
     at, at - CASE WHEN late THEN interval '10 days' ELSE interval '2 hours' END, late,
     CASE WHEN has_reply_by THEN at + interval '14 days' END, gen_random_uuid(), 1 + attachments, 1 + attachments, attachments,
     has_media, 13900, CASE WHEN n % 3 = 0 AND status <> 'deleted' THEN replace(external_id::text, '-', '') END, '[]', status,
     CASE WHEN status = 'held' THEN 'replies-off' END, CASE WHEN status = 'rejected' THEN 'pending' END, at + interval '1 hour',
     'bench', 2, CASE WHEN status IN ('rejected', 'deleted') THEN 'unwanted' END,
     CASE WHEN NOT is_open OR n % 2 = 0 THEN at + interval '1 hour' END, CASE WHEN NOT is_open THEN at + interval '3 hours' END,
     CASE WHEN is_concern THEN at END, CASE WHEN is_concern THEN 'bench' END,
     CASE WHEN is_concern THEN at + interval '1 day' END,
     CASE WHEN is_concern AND (NOT is_open OR n % 4 = 0) THEN at + interval '2 hours' END,
     CASE WHEN is_concern THEN at + interval '8 days' END,
     CASE WHEN is_concern AND (NOT is_open OR n % 8 = 0) THEN at + interval '3 hours' END,
     CASE WHEN assigned < 3 THEN 'user' WHEN assigned = 3 THEN 'team' END,
     CASE WHEN assigned < 3 THEN 'caseworker-' || caseworker WHEN assigned = 3 THEN 'team-' || team END,
     CASE WHEN is_suggested THEN case_id END, CASE WHEN is_suggested THEN 'message-uuid' END,
     CASE WHEN is_suggested THEN 'recipient-of-the-letter' END, at, at
   FROM batch`,
  `INSERT INTO message_details (message_id, municipality, subject, sender_id, sender_id_type, sender_name, concerning_id,
     concerning_name, contact_info, original_format, original)
   SELECT id, municipality, subject, sender_id, 'CPR', sender_name, concerning_id, concerning_name, '[]', 'memo',
     convert_to(repeat('x', ${ORIGINAL_BYTES}), 'UTF8')
   FROM batch WHERE status <> 'deleted'`,
  `INSERT INTO message_parties (message_id, role, municipality, number, status, received_at, letter_at)
   SELECT id, role, municipality, number, status, at, at - CASE WHEN late THEN interval '10 days' ELSE interval '2 hours' END
   FROM batch, LATERAL (VALUES ('sender', sender_id), ('concerning', concerning_id)) AS parties (role, number)
   WHERE status <> 'deleted' AND number IS NOT NULL`,
  `INSERT INTO message_words (message_id, municipality, status, received_at, words)
   SELECT id, municipality, status, at, array_to_tsvector(words) FROM batch WHERE status <> 'deleted'`,
  `INSERT INTO journalizations (message_id, case_id, municipality, reference, at, "by")
   SELECT id, case_id, municipality, 'bench', at, 'bench' FROM batch WHERE status = 'journalized'`,
  `INSERT INTO events (id, municipality, message_id, type, status, version, at)
   SELECT uuidv7(at - now()), municipality, id, 'accepted', 'pending', 1, at FROM batch`,
  `INSERT INTO audit_events (id, at, municipality, actor_kind, actor, action, message_id, details)
   SELECT uuidv7(at - now()), at, municipality, 'service', 'bench', 'accepted', id, '{}' FROM batch`,
];
