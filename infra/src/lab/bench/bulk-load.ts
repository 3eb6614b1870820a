import pg from 'pg';

const CONNECTIONS = 2;

/** Which rows a batch has, by their numbers. */
export interface Batch {
  readonly first: number;
  readonly last: number;
}

/** The numbers from `from` up to `to`, exclusive, in batches. */
export function* batchesOf(from: number, to: number, size: number): Generator<Batch> {
  for (let first = from; first < to; first += size) yield { first, last: Math.min(first + size, to) - 1 };
}

/**
 * Inserts batches over several connections, each batch in a transaction of its own. Indexes are dropped and created again,
 * which is faster than updating them; then everything is vacuumed and analyzed.
 *
 * @param ownerUrl of the same database as `client`, for more connections
 */
export async function bulkLoad<B extends Batch>(
  { client, ownerUrl }: { readonly client: pg.Client; readonly ownerUrl: string },
  batches: Iterable<B>,
  insert: (filler: pg.Client, batch: B) => Promise<void>,
): Promise<void> {
  const restoreIndexes = await dropIndexes(client);
  const shared = batches[Symbol.iterator]();
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const filler = new pg.Client({ connectionString: ownerUrl });
      await filler.connect();
      // The rows are consistent; checking foreign keys would take longer than writing the rows.
      await filler.query('SET session_replication_role = replica; SET synchronous_commit = off');
      for (let next = shared.next(); !next.done; next = shared.next()) {
        await filler.query('BEGIN');
        await insert(filler, next.value);
        await filler.query('COMMIT');
      }
      await filler.end();
    }),
  );
  await client.query(`SET maintenance_work_mem = '1GB'`);
  await restoreIndexes();
  await client.query('VACUUM (ANALYZE, PARALLEL 0)');
  await client.query('CHECKPOINT'); // so that none runs during the measurement
}

/** Creates the partitions of past months, which make_audit_months() would have created in time. */
export async function createAuditMonths(client: pg.Client, years: number): Promise<void> {
  await client.query(`
    DO $$
    DECLARE first date;
    BEGIN
      FOR i IN 1..${12 * years} LOOP
        first := (date_trunc('month', now() AT TIME ZONE 'UTC') - make_interval(months => i))::date;
        EXECUTE format('CREATE TABLE IF NOT EXISTS audit_months.%I PARTITION OF public.audit_events FOR VALUES FROM (%L) TO (%L)',
          to_char(first, '"m"YYYY_MM'), first::timestamp AT TIME ZONE 'UTC', (first + interval '1 month')::timestamp AT TIME ZONE 'UTC');
      END LOOP;
    END $$`);
}

/** Drops the indexes that no constraint needs. @returns a function that creates them again */
async function dropIndexes(client: pg.Client): Promise<() => Promise<void>> {
  const { rows } = await client.query<{ name: string; definition: string }>(`
    SELECT indexrelid::regclass::text AS name, replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ') AS definition
    FROM pg_index JOIN pg_class ON pg_class.oid = indrelid
    WHERE relnamespace = 'public'::regnamespace AND relname <> '_prisma_migrations'
      AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)`);
  for (const { name } of rows) await client.query(`DROP INDEX ${name}`);
  return async () => {
    for (const { definition } of rows) await client.query(definition);
  };
}
