import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { withDatabase } from '../../../infra/src/local/database.js';
import { createTestDatabase, requiredEnv, runSql, type TestDatabase } from '../../../infra/src/testkit/database.js';
import { PATIENCE as USUAL } from '../../src/postgres/locks.js';
import { applyMigrations, migrationOf } from '../../src/store/migrate.js';

// Small migrations of their own, on an empty database.

const superuserUrl = requiredEnv('TEST_SUPERUSER_URL');
const name = `locks_${randomBytes(6).toString('hex')}`;
const ownerUrl = withDatabase(superuserUrl, name);
const PATIENCE = { locksMs: 200, restMs: 50, attempts: 100 };

const open: pg.Client[] = [];

beforeAll(async () => {
  await runSql(superuserUrl, `CREATE DATABASE ${name}`);
  await runSql(ownerUrl, 'CREATE TABLE letters (id int, subject text)');
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.end()));
  await runSql(
    ownerUrl,
    'DROP TABLE IF EXISTS _prisma_migrations; DROP INDEX IF EXISTS letters_id_idx; DELETE FROM letters',
  );
});

afterAll(() => runSql(superuserUrl, `DROP DATABASE ${name} WITH (FORCE)`));

/** A transaction of another that has read the table. @returns its process id */
async function startReading(url = ownerUrl): Promise<{ reader: pg.Client; pid: number }> {
  const reader = new pg.Client({ connectionString: url, application_name: 'a reader' });
  open.push(reader);
  await reader.connect();
  const { rows } = await reader
    .query('BEGIN; SELECT count(*) FROM letters; SELECT pg_backend_pid() AS pid')
    .then((results) => (results as unknown as pg.QueryResult<{ pid: number }>[])[2] as pg.QueryResult<{ pid: number }>);
  return { reader, pid: rows[0]?.pid as number };
}

const columns = async () =>
  (
    await runSql<{ name: string }>(
      ownerUrl,
      `SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'letters'`,
    )
  )
    .map((column) => column.name)
    .toSorted();

const indexIsValid = async (url = ownerUrl) =>
  (
    await runSql<{ valid: boolean }>(
      url,
      `SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass('letters_id_idx')`,
    )
  ).map(({ valid }) => valid);

const quiet = () => {};

describe('a migration that needs a table that another has', () => {
  it('tells who has it, and goes on when it is free', { tags: 'long' }, async () => {
    const { reader, pid } = await startReading();
    const lines: string[] = [];
    const report = (line: string) => {
      lines.push(line);
      if (line.includes('which process')) void reader.query('COMMIT'); // it had time to look who that is
    };
    const added = migrationOf('1_read_at', 'ALTER TABLE letters ADD COLUMN read_at timestamptz');
    expect(await applyMigrations(ownerUrl, [added], { report, patience: PATIENCE })).toEqual(['1_read_at']);
    expect(await columns()).toEqual(['id', 'read_at', 'subject']);
    expect(lines.at(-1)).toMatch(
      new RegExp(
        `^Migration 1_read_at waits for table letters, which process ${pid} \\(a reader\\) has in a transaction of \\d+ s\\. ` +
          'Attempt \\d+ of 100 follows in 0.05 s\\.$',
      ),
    );
  });

  it('gives up in the end, with nothing done', async () => {
    const before = await columns();
    const { pid } = await startReading();
    const added = migrationOf('2_sent_at', 'CREATE TABLE first (); ALTER TABLE letters ADD COLUMN sent_at timestamptz');
    await expect(
      applyMigrations(ownerUrl, [added], { report: quiet, patience: { ...PATIENCE, attempts: 2, locksMs: 600 } }),
    ).rejects.toThrow(
      new RegExp(
        `^Migration 2_sent_at waits for table letters, which process ${pid} .* It gave up after 2 attempts\\. ` +
          'End that process or wait for its end, then migrate again\\.$',
      ),
    );
    expect(await columns()).toEqual(before);
    expect(await runSql(ownerUrl, 'SELECT FROM _prisma_migrations')).toEqual([]);
    expect(await runSql(ownerUrl, `SELECT WHERE to_regclass('first') IS NOT NULL`)).toEqual([]);
  });
});

it('a migration gives up before a transaction that it waits for in a circle is ended', async () => {
  await runSql(ownerUrl, 'CREATE TABLE answers (id int)');
  const { reader } = await startReading();
  const both = migrationOf('3_both', 'ALTER TABLE answers ADD COLUMN a int; ALTER TABLE letters ADD COLUMN b int');
  const migrated = applyMigrations(ownerUrl, [both], { report: quiet, patience: { ...USUAL, restMs: 50 } });
  const waits = `SELECT FROM pg_locks WHERE relation = 'letters'::regclass AND NOT granted`;
  await expect.poll(() => runSql(ownerUrl, waits), { interval: 10, timeout: 10_000 }).toHaveLength(1);
  await reader.query('SELECT count(*) FROM answers; COMMIT'); // which the migration has
  expect(await migrated).toEqual(['3_both']);
  await runSql(ownerUrl, 'DROP TABLE answers');
});

describe('a migration without a transaction', () => {
  const UNIQUE = migrationOf(
    '3_index',
    '-- without-transaction\n-- Of each letter one.\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS letters_id_idx\n  ON letters (id);\n',
  );
  const apply = (url = ownerUrl) => applyMigrations(url, [UNIQUE], { report: quiet, patience: PATIENCE });

  it('makes an index, once', async () => {
    expect(await apply()).toEqual(['3_index']);
    expect(await indexIsValid()).toEqual([true]);
    expect(await apply()).toEqual([]);
  });

  it('that failed half-way drops the index that is not valid, and makes it again', async () => {
    await runSql(ownerUrl, 'INSERT INTO letters (id) VALUES (1), (1)');
    await expect(apply()).rejects.toThrow('Migration 3_index failed: could not create unique index "letters_id_idx"');
    expect(await indexIsValid()).toEqual([false]);
    await runSql(ownerUrl, 'DELETE FROM letters');
    expect(await apply()).toEqual(['3_index']);
    expect(await indexIsValid()).toEqual([true]);
  });

  it('called by three processes at once is done by one', async () => {
    const applied = await Promise.all([apply(), apply(), apply()]);
    expect(applied.flat()).toEqual(['3_index']);
  });

  it('has nothing that could not be done again', async () => {
    const mixed = migrationOf('4_mixed', '-- without-transaction\nALTER TABLE letters ADD COLUMN size int;\n');
    await expect(applyMigrations(ownerUrl, [mixed], { report: quiet, patience: PATIENCE })).rejects.toThrow(
      'Migration 4_mixed failed: without a transaction there may only be CREATE INDEX CONCURRENTLY IF NOT EXISTS and',
    );
  });

  it('gives up a scrub that has begun, whose new table would lack the index', async () => {
    const database: TestDatabase = await createTestDatabase();
    await database.sql(`SELECT scrub_begin('documents')`);
    const index = migrationOf(
      '9_index',
      '-- without-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS letters_id_idx ON documents (municipality);\n',
    );
    await applyMigrations(database.ownerUrl, [index], { report: quiet, patience: PATIENCE });
    expect(await indexIsValid(database.ownerUrl)).toEqual([true]);
    expect(await database.sql('SELECT FROM scrub.rewrites')).toEqual([]);
    expect(await database.sql('SELECT table_name FROM scrub.marks')).toEqual([{ table_name: 'documents' }]);
    await database.drop();
  });
});
