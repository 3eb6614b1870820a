import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { type Database, withDatabase } from '../local/database.js';

export interface TestDatabase extends Database {
  /** A query as the owner, past row-level security. */
  sql<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  drop(): Promise<void>;
}

/** A new migrated, empty database; drop() it in afterAll. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const superuserUrl = requiredEnv('TEST_SUPERUSER_URL');
  const name = `test_${randomBytes(6).toString('hex')}`;
  await runSql(superuserUrl, `CREATE DATABASE ${name} TEMPLATE template`);
  const database = {
    url: withDatabase(requiredEnv('TEST_SERVICE_URL'), name),
    ownerUrl: withDatabase(superuserUrl, name),
  };
  return asTestDatabase(database, () => runSql(superuserUrl, `DROP DATABASE ${name} WITH (FORCE)`));
}

/** A database of a server of its own. */
export function asTestDatabase(database: Database, drop: () => Promise<unknown> = async () => {}): TestDatabase {
  // A pool, because connecting takes longer than most statements, and tests count rows thousands of times.
  const owner = new pg.Pool({ connectionString: database.ownerUrl, idleTimeoutMillis: 0, allowExitOnIdle: true });
  owner.on('error', () => {}); // an idle connection was cut; the next statement gets another
  return {
    ...database,
    sql: async <Row extends pg.QueryResultRow>(text: string, values?: unknown[]) =>
      (await owner.query<Row>(text, values)).rows,
    async drop() {
      await owner.end();
      await drop();
    },
  };
}

/** One statement on a new connection. */
export async function runSql<Row extends pg.QueryResultRow>(
  url: string,
  sql: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql, values)).rows;
  } finally {
    await client.end();
  }
}

/** Set for every test file by infra/test/global-setup.ts. */
export function requiredEnv(name: 'TEST_SUPERUSER_URL' | 'TEST_SERVICE_URL'): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set. Run the tests with npm test.`);
  return value;
}
