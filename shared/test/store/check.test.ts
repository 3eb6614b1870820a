import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { migrateDatabase, withDatabase } from '../../../infra/src/local/database.js';
import { createTestDatabase, requiredEnv, runSql, type TestDatabase } from '../../../infra/src/testkit/database.js';
import { openQueues } from '../../src/queue/index.js';
import type { Reason } from '../../src/readiness/index.js';
import { openStore } from '../../src/store/index.js';

// A database and a login of its own for each test, since roles belong to the whole server.

const ROLES = ['indbakke_app', 'indbakke_worker', 'indbakke_queue'];
const superuserUrl = requiredEnv('TEST_SUPERUSER_URL');
const silent = { info() {}, warn() {}, error() {}, debug() {} };

let database: TestDatabase;
let empty: string;
const logins: string[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  empty = `empty_${randomBytes(6).toString('hex')}`;
  await runSql(superuserUrl, `CREATE DATABASE ${empty}`);
});

afterAll(async () => {
  await database.drop();
  await runSql(superuserUrl, `DROP DATABASE ${empty} WITH (FORCE)`);
  for (const login of logins) await runSql(superuserUrl, `DROP ROLE ${login}`);
});

const sql = (text: string, values?: unknown[]) => database.sql(text, values);

async function createLogin(roles: readonly string[] = ROLES): Promise<string> {
  const login = `login_${randomBytes(6).toString('hex')}`;
  await runSql(superuserUrl, `CREATE ROLE ${login} LOGIN NOINHERIT PASSWORD 'secret'`);
  if (roles.length > 0) await runSql(superuserUrl, `GRANT ${roles.join(', ')} TO ${login}`);
  logins.push(login);
  const url = new URL(database.url);
  url.username = login;
  url.password = 'secret';
  return url.href;
}

/** What the check of the store says, and that of the queue, over new connections. */
async function ask(url: string): Promise<{ store: Reason | 'ready'; queue: Reason | 'ready'; role?: string }> {
  const store = openStore({ url, connections: 2, name: 'check' });
  const queues = openQueues({ url, log: silent });
  let role: string | undefined;
  const reasonOf = (checked: Promise<unknown>) =>
    checked.then(
      () => 'ready' as const,
      (error: { reason: Reason; role?: string }) => {
        role ??= error.role;
        return error.reason;
      },
    );
  try {
    return { store: await reasonOf(store.check()), queue: await reasonOf(queues.check()), ...(role && { role }) };
  } finally {
    await store.close();
    await queues.close();
  }
}

const READY = { store: 'ready', queue: 'ready' };

describe('a login with settings of its own', () => {
  it.each([
    [`search_path = ''`, 'search_path', 'public'],
    [`datestyle = 'German, DMY'`, 'datestyle', 'ISO, DMY'],
    ['row_security = off', 'row_security', 'on'],
    [`default_transaction_isolation = 'repeatable read'`, 'transaction_isolation', 'read committed'],
  ])('has no effect on the store: %s', async (setting, name, value) => {
    const url = await createLogin();
    await runSql(superuserUrl, `ALTER ROLE ${new URL(url).username} SET ${setting}`);
    const store = openStore({ url, connections: 2, name: 'check' });
    try {
      const read = `SELECT current_setting('${name}') AS value, now() AS at FROM (SELECT count(*) FROM messages) AS all_read`;
      const found = await store.withTenantConnection('22222222', async (connection) => connection.query(read));
      expect(found.rows).toEqual([{ value, at: expect.any(Date) }]);
    } finally {
      await store.close();
    }
  });
});

describe('a database that is set up', () => {
  it('is ready', async () => {
    expect(await ask(database.url)).toEqual(READY);
  });

  it('tells how far its clock is ahead', async () => {
    const store = openStore({ url: database.url, connections: 2, name: 'check' });
    const { clockAheadMs } = await store.check();
    expect(Math.abs(clockAheadMs)).toBeLessThan(10_000);
    await store.close();
  });
});

describe('the schema', () => {
  it('that is missing is reported, and then migrated without a restart', async () => {
    const url = withDatabase(database.url, empty);
    const store = openStore({ url, connections: 2, name: 'check' });
    const queues = openQueues({ url, log: silent });
    await expect(store.check()).rejects.toMatchObject({ reason: 'schema-missing' });
    await expect(queues.check()).rejects.toMatchObject({ reason: 'schema-missing' });

    await migrateDatabase(withDatabase(superuserUrl, empty));

    await store.check();
    await queues.check();
    await store.close();
    await queues.close();
  });

  const last = `(SELECT max(migration_name) FROM _prisma_migrations)`;

  it.each([
    ['lacks the last migration', `DELETE FROM _prisma_migrations WHERE migration_name = ${last}`],
    ['has a migration that failed', `UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name = ${last}`],
    [
      'has a migration that was rolled back',
      `UPDATE _prisma_migrations SET rolled_back_at = now() WHERE migration_name = ${last}`,
    ],
    ['is from before migrations could be asked for', 'DROP FUNCTION applied_migrations()'],
  ])('is outdated when it %s', async (_, change) => {
    const other = await createTestDatabase();
    await runSql(other.ownerUrl, change);
    expect(await ask(other.url)).toEqual({ ...READY, store: 'schema-outdated' });
    await other.drop();
  });

  it('may be newer than the code', async () => {
    await sql(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES ('next', '', '2099', now())`,
    );
    expect(await ask(database.url)).toEqual(READY);
    await sql(`DELETE FROM _prisma_migrations WHERE id = 'next'`);
  });

  it('of the queue is outdated when it lacks a version that BullMQ has', async () => {
    const other = await createTestDatabase();
    await runSql(
      other.ownerUrl,
      'DELETE FROM bullmq.migration WHERE version = (SELECT max(version) FROM bullmq.migration)',
    );
    expect(await ask(other.url)).toEqual({ ...READY, queue: 'schema-outdated' });
    await other.drop();
  });
});

describe('the login', () => {
  it.each([
    ['indbakke_app', { store: 'role-missing', queue: 'ready' }],
    ['indbakke_worker', { store: 'role-missing', queue: 'ready' }],
    ['indbakke_queue', { store: 'ready', queue: 'role-missing' }],
  ])('that is not a member of %s is told which role is missing', async (role, expected) => {
    const url = await createLogin(ROLES.filter((each) => each !== role));
    expect(await ask(url)).toEqual({ ...expected, role });
  });

  it.each([
    ['with a wrong password', { password: 'wrong' }, 'login-refused'],
    ['that does not exist', { username: 'nobody' }, 'login-refused'],
    ['to a database that does not exist', { pathname: '/nowhere' }, 'database-missing'],
    ['with TLS to a server without', { search: '?sslmode=verify-full' }, 'tls-failed'],
    ['to a host that does not exist', { hostname: 'nowhere.invalid' }, 'no-answer'],
    ['to a port where nothing listens', { port: '1' }, 'no-answer'],
  ] as const)('%s', async (_, change, reason) => {
    const url = Object.assign(new URL(database.url), change);
    expect(await ask(url.href)).toEqual({ store: reason, queue: reason });
  });

  it('for which no connection is left', async () => {
    const url = await createLogin();
    await runSql(superuserUrl, `ALTER ROLE ${new URL(url).username} CONNECTION LIMIT 0`);
    expect(await ask(url)).toEqual({ store: 'no-connection-free', queue: 'no-connection-free' });
  });

  it('that may not connect to the database', async () => {
    const url = await createLogin();
    const name = new URL(url).pathname.slice(1);
    await sql(`REVOKE CONNECT ON DATABASE ${name} FROM PUBLIC`);
    expect(await ask(url)).toEqual({ store: 'login-refused', queue: 'login-refused' });
    await sql(`GRANT CONNECT ON DATABASE ${name} TO PUBLIC`);
  });

  it('whose transactions are read-only, as on a standby', async () => {
    const url = await createLogin();
    await runSql(superuserUrl, `ALTER ROLE ${new URL(url).username} SET default_transaction_read_only = on`);
    expect(await ask(url)).toEqual({ store: 'read-only', queue: 'read-only' });
  });
});

describe('a role', () => {
  afterEach(async () => {
    await sql('GRANT SELECT, INSERT, UPDATE ON messages TO indbakke_app');
  });

  it('without a privilege on one of its tables, as after a restore without privileges', async () => {
    await sql('REVOKE ALL ON messages FROM indbakke_app');
    expect(await ask(database.url)).toEqual({ ...READY, store: 'privileges-missing', role: 'indbakke_app' });
  });

  it('without its policies, so that every municipality would seem unknown', async () => {
    const other = await createTestDatabase();
    await runSql(
      other.ownerUrl,
      `DO $$ DECLARE p record; BEGIN
         FOR p IN SELECT polname, polrelid::regclass AS t FROM pg_policy WHERE 'indbakke_app'::regrole = ANY (polroles) LOOP
           EXECUTE format('DROP POLICY %I ON %s', p.polname, p.t);
         END LOOP;
       END $$`,
    );
    expect(await ask(other.url)).toEqual({ ...READY, store: 'privileges-missing', role: 'indbakke_app' });
    await other.drop();
  });
});
