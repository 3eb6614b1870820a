import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { LockWatch, PATIENCE, type Patience, patiently, type Report } from '../postgres/locks.js';

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

const TURN_MS = 100;

interface AppliedRow {
  migration_name: string;
  checksum: string;
  finished_at: Date | null;
}

/**
 * Migrates the database: each missing migration in order, in its own transaction, or without one if its first line says so.
 * Any number of processes may call it at once; one applies, the others wait. Does not need Prisma's command line, so it works
 * in production images.
 *
 * @param ownerUrl a login that may create schemas and, if they are missing, the three roles
 * @param report is told in a sentence what it waits for
 * @returns the names of the migrations that were applied
 * @throws Error with a sentence when an applied migration was edited, failed half-way, or one fails now or gets no lock
 */
export async function migrate(ownerUrl: string, report: Report = () => {}): Promise<string[]> {
  return applyMigrations(ownerUrl, await readMigrations(), { report, patience: PATIENCE });
}

/** Applies those of these migrations that are missing. */
export async function applyMigrations(
  ownerUrl: string,
  migrations: readonly Migration[],
  { report, patience }: { report: Report; patience: Patience },
): Promise<string[]> {
  const connect = async () => {
    const client = new pg.Client({ connectionString: ownerUrl, application_name: 'indbakke-migrate' });
    client.on('error', () => {}); // its query fails
    await client.connect();
    await client.query('SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0');
    return client;
  };
  const client = await connect();
  const aside = await connect();
  const watch = await LockWatch.open(ownerUrl, [client, aside], report);
  const run = { client, aside, watch, report, patience };
  try {
    await takeTurn(run);
    await client.query(PRISMA_TABLE);
    const { rows } = await client.query<AppliedRow>(
      'SELECT migration_name, checksum, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL',
    );
    const applied = new Map(rows.map((row) => [row.migration_name, row]));
    const appliedNow: string[] = [];
    for (const migration of migrations) {
      const row = applied.get(migration.name);
      if (row) verify(row, migration.checksum);
      else {
        await apply(run, migration);
        appliedNow.push(migration.name);
      }
    }
    return appliedNow;
  } finally {
    await watch.close();
    await Promise.all([client.end(), aside.end()]); // also releases the lock
  }
}

interface Run {
  readonly client: pg.Client;
  /** Another session, for what must be kept meanwhile. */
  readonly aside: pg.Client;
  readonly watch: LockWatch;
  readonly report: Report;
  readonly patience: Patience;
}

/** Not by waiting in a statement: it would have a snapshot, and CREATE INDEX CONCURRENTLY waits for all of those. */
async function takeTurn({ client, report }: Run): Promise<void> {
  for (let turn = 0; ; turn += 1) {
    const { rows } = await client.query<{ got: boolean }>('SELECT pg_try_advisory_lock($1) AS got', [PRISMA_LOCK]);
    if (rows[0]?.got) return;
    if (turn === 0) report('Another process migrates this database; waiting for it.');
    await pause(TURN_MS);
  }
}

export interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

/** The migrations that this code needs, in order. */
export async function namesOfMigrations(): Promise<string[]> {
  const entries = await readdir(MIGRATIONS, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** They with their statements, in order. */
export async function readMigrations(): Promise<Migration[]> {
  const names = await namesOfMigrations();
  return Promise.all(
    names.map(async (name) => migrationOf(name, await readFile(`${MIGRATIONS}${name}/migration.sql`, 'utf8'))),
  );
}

export function migrationOf(name: string, sql: string): Migration {
  return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
}

function verify(row: AppliedRow, checksum: string): void {
  const name = row.migration_name;
  if (!row.finished_at)
    throw new Error(`Migration ${name} failed earlier. Repair it, then run: prisma migrate resolve.`);
  if (row.checksum !== checksum) throw new Error(`Migration ${name} was edited after it was applied. Undo the edit.`);
}

async function apply(run: Run, migration: Migration): Promise<void> {
  const once = hasNoTransaction(migration) ? applyWithoutTransaction : applyInTransaction;
  await patiently(`Migration ${migration.name}`, run, () => once(run, migration));
}

function failed({ name }: Migration, error: unknown): Error {
  const { message, code } = error as Error & { code?: string };
  return Object.assign(new Error(`Migration ${name} failed: ${message}`, { cause: error }), { code });
}

async function applyInTransaction({ client, patience }: Run, migration: Migration): Promise<void> {
  const tables = await tablesNamedIn(migration.sql, client);
  const timeout = `SET LOCAL lock_timeout = ${Math.floor(patience.locksMs / Math.max(1, tables.length))}`;
  try {
    // Committed at once: what it drops is not held while tables are waited for.
    await client.query(`BEGIN; ${timeout}; ${ABANDON_SCRUB}; COMMIT`);
    await client.query(`BEGIN; ${timeout}; ${ABANDON_SCRUB}; ${timeout}`);
    // All at first, so that nothing is waited for later while some are held.
    if (tables.length > 0) await client.query(`LOCK TABLE ${tables.join(', ')} IN ACCESS EXCLUSIVE MODE`);
    await client.query(migration.sql); // the simple protocol allows many statements in one call
    await record(client, migration);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw failed(migration, error);
  }
}

/** The tables that it may lock: those of its words, without rights, that are names of tables. */
async function tablesNamedIn(sql: string, client: pg.Client): Promise<string[]> {
  const words =
    sql
      .replaceAll(/^\s*--.*$/gm, '')
      .replaceAll(/^GRANT [^;]*;/gm, '')
      .match(/\w+/g) ?? [];
  const { rows } = await client.query<{ name: string }>(
    `SELECT oid::regclass::text AS name FROM pg_class
     WHERE relkind IN ('r', 'p') AND relnamespace = to_regnamespace('public') AND relname = ANY ($1) ORDER BY relname`,
    [[...new Set(words)]],
  );
  return rows.map(({ name }) => name);
}

async function record(client: pg.Client, { name, checksum }: Migration): Promise<void> {
  await client.query(
    `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
     VALUES ($1, $2, $3, clock_timestamp(), 1)`,
    [randomUUID(), checksum, name],
  );
}

// Without a transaction

const WITHOUT_TRANSACTION = '-- without-transaction\n';

/** Whether it makes or drops indexes while their tables are written, which cannot be done in a transaction. */
export function hasNoTransaction({ sql }: Migration): boolean {
  return sql.startsWith(WITHOUT_TRANSACTION);
}

// What can be done again when only a part of it was done.
const REPEATABLE =
  /^(?:CREATE (?:UNIQUE )?INDEX CONCURRENTLY IF NOT EXISTS|DROP INDEX CONCURRENTLY IF EXISTS) "?(?<name>\w+)"?(?: ON .+)?$/;

/**
 * Statement by statement. They stop nobody, so they wait as long as older transactions last. One that fails leaves an index
 * that is not valid: whoever migrates next drops it, and makes it again.
 */
async function applyWithoutTransaction(run: Run, migration: Migration): Promise<void> {
  const { client } = run;
  try {
    const statements = statementsOf(migration.sql);
    await withoutScrub(run, async () => {
      for (const { statement, name } of statements) {
        if (await isInvalid(client, name)) await client.query(`DROP INDEX CONCURRENTLY "${name}"`);
        await client.query(statement);
      }
      await record(client, migration);
    });
  } catch (error) {
    throw failed(migration, error);
  }
}

function statementsOf(sql: string): { statement: string; name: string }[] {
  const statements = sql
    .replaceAll(/^--.*$/gm, '')
    .split(';')
    .map((statement) => statement.replaceAll(/\s+/g, ' ').trim())
    .filter(Boolean);
  return statements.map((statement) => {
    const name = REPEATABLE.exec(statement)?.groups?.name;
    if (name === undefined)
      throw new Error(
        'without a transaction there may only be CREATE INDEX CONCURRENTLY IF NOT EXISTS and DROP INDEX CONCURRENTLY IF EXISTS',
      );
    return { statement, name };
  });
}

async function isInvalid(client: pg.Client, index: string): Promise<boolean> {
  const invalid = 'SELECT FROM pg_index WHERE indexrelid = to_regclass(quote_ident($1)) AND NOT indisvalid';
  return (await client.query(invalid, [index])).rowCount !== 0;
}

/** A scrub that goes on meanwhile would leave the new index out of the second form of its table. */
async function withoutScrub({ aside, patience }: Run, work: () => Promise<void>): Promise<void> {
  const scrub = `SELECT to_regclass('scrub.rewrites') IS NOT NULL AS "exists"`;
  if (!(await aside.query<{ exists: boolean }>(scrub)).rows[0]?.exists) return work();
  const timeout = `SET LOCAL lock_timeout = ${patience.locksMs}`;
  try {
    // Committed at once, since the locks of what it drops would be waited for.
    await aside.query(`BEGIN; ${timeout}; ${ABANDON_SCRUB}; COMMIT`);
    await aside.query(`BEGIN; ${timeout}; LOCK TABLE scrub.rewrites IN EXCLUSIVE MODE`);
    const { rowCount } = await aside.query(`SELECT FROM scrub.rewrites WHERE state <> 'swapped'`);
    if (rowCount !== 0) throw Object.assign(new Error('a scrub has just begun'), { code: '55P03' }); // tried again
    await work();
  } finally {
    await aside.query('ROLLBACK');
  }
}
