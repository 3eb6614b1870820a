import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, prepareDatabase } from '../../../infra/src/local/database.js';
import { createTestDatabase, runSql } from '../../../infra/src/testkit/database.js';
import { HAS_PGBOUNCER, startPgBouncer } from '../../../infra/src/testkit/pgbouncer.js';
import { type Replica, Replicas } from '../../../infra/src/testkit/replicas.js';
import {
  CommitInDoubt,
  isStoreUnavailable,
  openStore,
  Prisma,
  type Store,
  waitForStandbys,
} from '../../src/store/index.js';

// @module-tag long

const CVR = '22222222';
const TIMEOUT_MS = 3_000;

async function prepare(replicas: Replicas): Promise<Database> {
  const database = await prepareDatabase(replicas.url, 'synchronous');
  await runSql(database.ownerUrl, 'INSERT INTO municipalities (cvr, name) VALUES ($1, $1)', [CVR]);
  return database;
}

const open = (url: string, timeoutMs = TIMEOUT_MS) =>
  openStore({ url, connections: 2, name: 'synchronous', timeoutMs });

function addCase(store: Store, id: string): Promise<unknown> {
  const text = `INSERT INTO cases (municipality, case_id, caseworker) VALUES ('${CVR}', '${id}', 'anna')`;
  return store.withTenantConnection(CVR, (connection) => connection.query(text));
}

const hasCase = async (url: string, id: string) =>
  (await runSql(url, 'SELECT FROM cases WHERE case_id = $1', [id])).length > 0;

describe('with synchronous standbys', () => {
  let replicas: Replicas;
  let database: Database;

  beforeAll(async () => {
    replicas = await Replicas.start({ standbys: 2 });
    database = await prepare(replicas);
  });
  afterAll(() => replicas.stop());

  it('what is committed is there after the primary has died', async () => {
    const store = open(database.url);
    const ids = Array.from({ length: 20 }, () => randomUUID());
    await Promise.all(ids.map((id) => addCase(store, id)));
    await replicas.killPrimary();
    await replicas.promote();
    await replicas.addStandby();
    for (const id of ids) expect(await hasCase(database.ownerUrl, id)).toBe(true);
    await addCase(store, randomUUID());
    await store.close();
  });

  it.each(['directly', ...(HAS_PGBOUNCER ? ['through PgBouncer in session mode'] : [])])(
    '%s, LISTEN and prepared statements are there again after a failover',
    async (how) => {
      const pooler = how === 'directly' ? undefined : await startPgBouncer(database.url, { pool_mode: 'session' });
      const store = open(pooler?.url ?? database.url);
      const heard: string[] = [];
      const listener = store.listen(['failed_over'], (_, payload) => heard.push(payload));
      listener.start();
      await expect.poll(() => listener.isHearing).toBe(true);
      const id = randomUUID();
      await addCase(store, id);
      const read = () =>
        store.query(CVR, Prisma.sql`SELECT caseworker FROM cases WHERE case_id = ${id}`, 'kept').catch(() => 'failed');
      expect(await read()).toEqual([{ caseworker: 'anna' }]);
      await replicas.killPrimary();
      await expect.poll(() => listener.isHearing).toBe(false);
      await replicas.promote();
      await replicas.addStandby();
      await expect.poll(read, { timeout: 20_000 }).toEqual([{ caseworker: 'anna' }]);
      await expect.poll(() => listener.isHearing, { timeout: 20_000 }).toBe(true);
      await runSql(database.url, `NOTIFY failed_over, '${id}'`);
      await expect.poll(() => heard).toEqual([id]);
      await listener.stop();
      await store.close();
      await pooler?.close();
    },
  );

  it('says that it is read-only while the address leads to a standby', async () => {
    const store = open(database.url);
    expect(await store.check()).toMatchObject({ isAsynchronous: false });
    replicas.leadTo(replicas.standbys[0] as Replica);
    await expect.poll(() => store.check().catch(({ reason }) => reason)).toBe('read-only');
    await expect(addCase(store, randomUUID())).rejects.toSatisfy(isStoreUnavailable);
    replicas.leadTo(replicas.primary);
    await expect
      .poll(() =>
        addCase(store, randomUUID()).then(
          () => 'done',
          () => 'failed',
        ),
      )
      .toBe('done');
    await store.check();
    await store.close();
  });

  it('a primary that is cut off commits nothing more, also for those who still reach it', async () => {
    const store = open(database.url);
    await addCase(store, randomUUID());
    const { primary } = replicas;
    replicas.isolatePrimary();
    const id = randomUUID();
    await expect(addCase(store, id)).rejects.toThrow(CommitInDoubt);
    await replicas.promote({ keepsOpen: true });
    expect(await hasCase(database.ownerUrl, id)).toBe(false);
    expect(await hasCase(replicas.at(primary, database.ownerUrl), id)).toBe(false); // it still waits
    await addCase(store, id);
    expect(await hasCase(database.ownerUrl, id)).toBe(true);
    await store.close();
    await replicas.addStandby();
  });

  it('a COMMIT whose wait for the standbys an operator cancels is in doubt, though PostgreSQL answers that it is done, and so is what is answered again', async () => {
    const store = open(database.url, 30_000);
    for (const standby of [...replicas.standbys]) await replicas.killStandby(standby);
    const waiting = `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query = 'COMMIT'`;
    const inDoubt = async (doing: Promise<unknown>) => {
      const ending = expect(doing).rejects.toThrow(CommitInDoubt);
      await expect.poll(() => runSql(database.ownerUrl, waiting)).toHaveLength(1);
      await ending;
    };
    const id = randomUUID();
    await inDoubt(addCase(store, id));
    expect(await hasCase(database.ownerUrl, id)).toBe(true);
    await inDoubt(store.withTenantConnection(CVR, waitForStandbys));
    await store.close();
  });
});

describe('with an asynchronous standby', () => {
  it('the new primary lacks what was committed just before the failover', async () => {
    const replicas = await Replicas.start({ standbys: 1, isSynchronous: false });
    const database = await prepare(replicas);
    const store = open(database.url);
    expect(await store.check()).toMatchObject({ isAsynchronous: true });
    const [before, late] = [randomUUID(), randomUUID()];
    await addCase(store, before);
    await replicas.untilReplayed();
    replicas.isolatePrimary();
    await addCase(store, late);
    await replicas.killPrimary();
    await replicas.promote();
    expect(await hasCase(database.ownerUrl, before)).toBe(true);
    expect(await hasCase(database.ownerUrl, late)).toBe(false);
    await store.close();
    await replicas.stop();
  });
});

it.each(['off', 'local', 'remote_write'])('commits are waited for where the database says %s', async (setting) => {
  const database = await createTestDatabase();
  const name = pg.escapeIdentifier(new URL(database.url).pathname.slice(1));
  await database.sql(`ALTER DATABASE ${name} SET synchronous_commit = ${setting}`);
  await database.sql(`ALTER DATABASE ${name} SET client_min_messages = error`);
  const store = open(database.url);
  const session = `SELECT current_setting('synchronous_commit') AS commit, current_setting('client_min_messages') AS messages`;
  expect(await store.sweep(session)).toEqual([{ commit: 'on', messages: 'warning' }]);
  await store.close();
  await database.drop();
});

it('remote_apply stays', async () => {
  const database = await createTestDatabase();
  const name = pg.escapeIdentifier(new URL(database.url).pathname.slice(1));
  await database.sql(`ALTER DATABASE ${name} SET synchronous_commit = remote_apply`);
  const store = open(database.url);
  expect(await store.sweep('SHOW synchronous_commit')).toEqual([{ synchronous_commit: 'remote_apply' }]);
  await store.close();
  await database.drop();
});
