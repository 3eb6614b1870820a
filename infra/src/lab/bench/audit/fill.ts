import type pg from 'pg';
import { type Batch, batchesOf, bulkLoad } from '../bulk-load.js';

/** What is stored: rows of the log in so many months. */
export interface Stock {
  readonly rows: number;
  readonly months: number;
}

/** The one that is measured has a tenth of all rows. */
export const MUNICIPALITIES = Array.from({ length: 10 }, (_, n) => String(90_000_001 + n));
export const MEASURED = MUNICIPALITIES[0] as string;

const ROWS_OF_MESSAGE = 5;
const BATCH = 100_000; // messages
const LETTERS_OF_CITIZEN = 10;
const LETTERS_OF_CASE = 20;
const CASEWORKERS = 500;
/** The citizen and the case that are searched for, by number. */
export const [CITIZEN, CASE] = [7, 7];

/** Messages, whom and which case they are about, and their log: accepted, suggested, read, a file read, journalized. */
export async function fill(
  source: { readonly client: pg.Client; readonly ownerUrl: string },
  stock: Stock,
  citizen: Buffer,
): Promise<void> {
  await makeMonths(source.client, stock.months);
  const messages = stock.rows / ROWS_OF_MESSAGE;
  await bulkLoad(source, batchesOf(0, messages, BATCH), (filler, batch) =>
    insertBatch(filler, batch, { messages, months: stock.months, citizen }),
  );
}

/** The months of the log, and no others. */
async function makeMonths(client: pg.Client, months: number): Promise<void> {
  await client.query(`
    DO $$
    DECLARE name text; first date;
    BEGIN
      FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'audit_months'::regnamespace AND relkind = 'r' AND relname <> 'other' LOOP
        EXECUTE format('DROP TABLE audit_months.%I', name);
      END LOOP;
      FOR i IN 0..${months - 1} LOOP
        first := (date_trunc('month', now() AT TIME ZONE 'UTC') - make_interval(months => i))::date;
        EXECUTE format('CREATE TABLE audit_months.%I PARTITION OF public.audit_events FOR VALUES FROM (%L) TO (%L)',
          to_char(first, '"m"YYYY_MM'), first::timestamp AT TIME ZONE 'UTC', (first + interval '1 month')::timestamp AT TIME ZONE 'UTC');
      END LOOP;
    END $$`);
}

interface Whole {
  readonly messages: number;
  readonly months: number;
  readonly citizen: Buffer;
}

async function insertBatch(
  client: pg.Client,
  { first, last }: Batch,
  { messages, months, citizen }: Whole,
): Promise<void> {
  const each = messages / MUNICIPALITIES.length;
  const [citizens, cases] = [each / LETTERS_OF_CITIZEN, each / LETTERS_OF_CASE].map(Math.ceil) as [number, number];
  // `number` counts within a municipality. From the first day of the oldest month to an hour ago.
  await client.query(
    `CREATE TEMP TABLE batch ON COMMIT DROP AS
     SELECT n, uuidv7(at - now()) AS id, municipality, number, at, 'caseworker-' || number % ${CASEWORKERS} AS caseworker,
       'C' || number % ${cases} AS case_id, sha256(n::text::bytea) AS digest,
       CASE WHEN number % ${citizens} = ${CITIZEN} THEN $4 ELSE encode(sha256((number % ${citizens})::text::bytea), 'hex') END AS citizen
     FROM (
       SELECT n, ($3::text[])[n % ${MUNICIPALITIES.length} + 1] AS municipality, n / ${MUNICIPALITIES.length} AS number,
         oldest + (now() - interval '1 hour' - oldest) * (n::float / ${messages}) AS at
       FROM generate_series($1::bigint, $2::bigint) AS n,
         (SELECT date_trunc('month', now()) - interval '${months - 1} months' + interval '1 day' AS oldest) AS began) AS numbered`,
    [first, last, MUNICIPALITIES, citizen.toString('hex')],
  );
  await client.query(`
    INSERT INTO messages (id, municipality, channel, external_id, fingerprint, kind, received_at, letter_at, transmission_id,
      document_count, file_count, content_size, remarks, status, status_at, status_by, version, suggested_case_id, suggestion_run_at, next_enqueue_at)
    SELECT id, municipality, 'sf1606', id::text, digest, 'reply', at, at, id, 1, 1, 1, '[]', 'journalized', at, 'bench', 3, NULL, at, at
    FROM batch`);
  await client.query(`
    INSERT INTO message_subjects (municipality, kind, key, message_id)
    SELECT municipality, 'citizen', citizen, id FROM batch UNION ALL SELECT municipality, 'case', case_id, id FROM batch`);
  await client.query(`
    INSERT INTO audit_events (id, at, municipality, actor_kind, actor, role, origin, action, result, message_id, details, position, hash)
    SELECT uuidv7(at - now()), at + interval '10 minutes' * step, municipality, kind, actor, role, origin,
      CASE WHEN step = 3 AND number % 100 = 0 THEN 'refused' ELSE action END,
      CASE WHEN step = 3 AND number % 100 = 0 THEN 'not-found' ELSE 'done' END, id, '{}', ${ROWS_OF_MESSAGE} * number + step + 1, digest
    FROM batch, LATERAL (VALUES
      (0, 'system', 'serviceplatformen', NULL, '192.0.2.1', 'accepted'),
      (1, 'system', 'indbakke', NULL, NULL, 'suggested'),
      (2, 'user', caseworker, 'IndkomneDokumenter.Læs', '192.0.2.2', 'read'),
      (3, 'user', caseworker, 'IndkomneDokumenter.Læs', '192.0.2.2', 'read-file'),
      (4, 'user', caseworker, 'IndkomneDokumenter.Journaliser', '192.0.2.2', 'journalized')
    ) AS history (step, kind, actor, role, origin, action)`);
}
