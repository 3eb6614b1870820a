import { randomBytes } from 'node:crypto';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { withDatabase } from '../../../infra/src/local/database.js';
import { requiredEnv, runSql } from '../../../infra/src/testkit/database.js';
import { migrateQueues } from '../../src/queue/index.js';
import { migrate } from '../../src/store/index.js';

// @module-tag long

// Empty databases, unlike those of the other tests.
const names: string[] = [];
let ownerUrl: string;

beforeEach(async () => {
  const name = `fresh_${randomBytes(6).toString('hex')}`;
  names.push(name);
  await runSql(requiredEnv('TEST_SUPERUSER_URL'), `CREATE DATABASE ${name}`);
  ownerUrl = withDatabase(requiredEnv('TEST_SUPERUSER_URL'), name);
});

afterAll(async () => {
  for (const name of names) await runSql(requiredEnv('TEST_SUPERUSER_URL'), `DROP DATABASE ${name} WITH (FORCE)`);
});

const tables = () =>
  runSql(ownerUrl, `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`);

const recorded = () =>
  runSql<{ migration_name: string }>(ownerUrl, 'SELECT migration_name FROM _prisma_migrations ORDER BY migration_name');

describe('migrate', () => {
  it('applies every migration in order, and returns their names', async () => {
    const applied = await migrate(ownerUrl);
    expect(applied.length).toBeGreaterThan(1);
    expect(applied).toEqual(applied.toSorted());
    expect((await recorded()).map((row) => row.migration_name)).toEqual(applied);
    expect((await tables()).length).toBeGreaterThan(10);
  });

  it('does nothing the second time', async () => {
    await migrate(ownerUrl);
    const before = await tables();
    expect(await migrate(ownerUrl)).toEqual([]);
    expect(await tables()).toEqual(before);
  });

  it('called by three processes at once is done by one, and succeeds for all', async () => {
    const applied = await Promise.all([migrate(ownerUrl), migrate(ownerUrl), migrate(ownerUrl)]);
    const lengths = applied.map((names) => names.length).toSorted();
    expect(lengths).toEqual([0, 0, (await recorded()).length]);
  });

  it('refuses when a migration was edited after it was applied', async () => {
    const [, last] = await migrate(ownerUrl);
    await runSql(ownerUrl, `UPDATE _prisma_migrations SET checksum = 'edited' WHERE migration_name = $1`, [last]);
    await expect(migrate(ownerUrl)).rejects.toThrow(
      `Migration ${last} was edited after it was applied. Undo the edit.`,
    );
  });

  it('refuses when a migration failed half-way', async () => {
    await migrate(ownerUrl);
    await runSql(ownerUrl, 'UPDATE _prisma_migrations SET finished_at = NULL');
    await expect(migrate(ownerUrl)).rejects.toThrow(/failed earlier/);
  });

  it('applies a migration again that was rolled back', async () => {
    await migrate(ownerUrl);
    await runSql(ownerUrl, `UPDATE _prisma_migrations SET rolled_back_at = now() WHERE migration_name LIKE '%_tables'`);
    // The tables exist, so it fails; what counts is that it is tried, and reported with a sentence.
    await expect(migrate(ownerUrl)).rejects.toThrow(/^Migration \d+_tables failed: /);
  });

  it('leaves nothing of a migration that fails', async () => {
    await runSql(ownerUrl, 'CREATE TABLE cases ()'); // conflicts with the first migration, not at its start
    await expect(migrate(ownerUrl)).rejects.toThrow(/failed: relation "cases" already exists/);
    const names = (await tables()).map((row) => row.table_name);
    expect(names).toEqual(['_prisma_migrations', 'cases']);
    expect(await recorded()).toEqual([]);
    await runSql(ownerUrl, 'DROP TABLE cases');
    expect((await migrate(ownerUrl)).length).toBeGreaterThan(1);
  });
});

describe('migrateQueues', () => {
  it('can run three times at once, and again', async () => {
    await migrate(ownerUrl);
    await Promise.all([migrateQueues(ownerUrl), migrateQueues(ownerUrl), migrateQueues(ownerUrl)]);
    await migrateQueues(ownerUrl);
    expect(await runSql(ownerUrl, 'SELECT FROM bullmq.job')).toEqual([]);
  });
});
