import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { withDatabase } from '../../../infra/src/local/database.js';
import { requiredEnv, runSql } from '../../../infra/src/testkit/database.js';

const MIGRATIONS = new URL('../../prisma/migrations/', import.meta.url);

export interface DatabaseBefore {
  sql<Row extends Record<string, unknown>>(text: string, values?: unknown[]): Promise<Row[]>;
  migrate(): Promise<void>;
  drop(): Promise<void>;
}

/** A database with all migrations before this one. */
export async function databaseBefore(migration: string): Promise<DatabaseBefore> {
  const name = `before_${randomBytes(6).toString('hex')}`;
  const superuserUrl = requiredEnv('TEST_SUPERUSER_URL');
  const ownerUrl = withDatabase(superuserUrl, name);
  const run = async (one: string) =>
    runSql(ownerUrl, await readFile(new URL(`${one}/migration.sql`, MIGRATIONS), 'utf8'));
  await runSql(superuserUrl, `CREATE DATABASE ${name}`);
  const before = (await readdir(MIGRATIONS)).sort().filter((each) => /^\d/.test(each) && each < migration);
  for (const one of before) await run(one);
  return {
    sql: (text, values) => runSql(ownerUrl, text, values),
    async migrate() {
      await run(migration);
    },
    async drop() {
      await runSql(superuserUrl, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}
