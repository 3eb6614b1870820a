import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';

const MIGRATIONS = fileURLToPath(new URL('../../prisma/migrations/', import.meta.url));

// Prisma's own lock key and table, so that this runner and `prisma migrate status` agree.
const PRISMA_LOCK = 72707369;
const PRISMA_TABLE = `
  CREATE TABLE IF NOT EXISTS _prisma_migrations (
    id varchar(36) PRIMARY KEY,
    checksum varchar(64) NOT NULL,
    finished_at timestamptz,
    migration_name varchar(255) NOT NULL,
    logs text,
    rolled_back_at timestamptz,
    started_at timestamptz NOT NULL DEFAULT now(),
    applied_steps_count integer NOT NULL DEFAULT 0
  )`;

// A table that is being written anew has a second form, which the migration would not change.
const ABANDON_SCRUB = `
  DO $$ BEGIN IF to_regprocedure('scrub.abandon()') IS NOT NULL THEN PERFORM scrub.abandon(); END IF; END $$`;

interface AppliedRow {
  migration_name: string;
  checksum: string;
  finished_at: Date | null;
}

/**
 * Migrates the database: each missing migration in order, in its own transaction. Any number of processes may call it at
 * once; one applies, the others wait. Does not need Prisma's command line, so it works in production images.
 *
 * @param ownerUrl a login that may create schemas and, if they are missing, the three roles
 * @returns the names of the migrations that were applied
 * @throws Error with a sentence when an applied migration was edited, failed half-way, or one fails now
 */
export async function migrate(ownerUrl: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: ownerUrl, application_name: 'indbakke-migrate' });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [PRISMA_LOCK]);
    await client.query(PRISMA_TABLE);
    const { rows } = await client.query<AppliedRow>(
      'SELECT migration_name, checksum, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL',
    );
    const applied = new Map(rows.map((row) => [row.migration_name, row]));
    const appliedNow: string[] = [];
    for (const migration of await readMigrations()) {
      const row = applied.get(migration.name);
      if (row) verify(row, migration.checksum);
      else {
        await apply(client, migration);
        appliedNow.push(migration.name);
      }
    }
    return appliedNow;
  } finally {
    await client.end(); // also releases the lock
  }
}

interface Migration {
  name: string;
  sql: string;
  checksum: string;
}

/** The migrations that this code needs, in order. */
export async function namesOfMigrations(): Promise<string[]> {
  const entries = await readdir(MIGRATIONS, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

async function readMigrations(): Promise<Migration[]> {
  const names = await namesOfMigrations();
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(`${MIGRATIONS}${name}/migration.sql`, 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

function verify(row: AppliedRow, checksum: string): void {
  const name = row.migration_name;
  if (!row.finished_at)
    throw new Error(`Migration ${name} failed earlier. Repair it, then run: prisma migrate resolve.`);
  if (row.checksum !== checksum) throw new Error(`Migration ${name} was edited after it was applied. Undo the edit.`);
}

async function apply(client: pg.Client, { name, sql, checksum }: Migration): Promise<void> {
  await client.query('BEGIN');
  try {
    await client.query(ABANDON_SCRUB);
    await client.query(sql); // the simple protocol allows many statements in one call
    await client.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, clock_timestamp(), 1)`,
      [randomUUID(), checksum, name],
    );
    await client.query('COMMIT');
  } catch (cause) {
    await client.query('ROLLBACK');
    throw new Error(`Migration ${name} failed: ${(cause as Error).message}`, { cause });
  }
}
