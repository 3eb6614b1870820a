import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, runSql, type TestDatabase } from '../../../infra/src/testkit/database.js';
import { HAS_PGBOUNCER, startPgBouncer } from '../../../infra/src/testkit/pgbouncer.js';
import { openStore, type Store } from '../../src/store/index.js';
import { createListener, type Listener } from '../../src/store/listen.js';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const notify = (channel: string, payload = '') => runSql(database.url, 'SELECT pg_notify($1, $2)', [channel, payload]);

/** A listener, with what it has heard and how often it has sent itself an echo. */
function listenTo(url: string): { listener: Listener; heard: string[]; echoes: () => number } {
  const heard: string[] = [];
  let echoes = 0;
  const listener = createListener({
    url,
    name: 'listen-test',
    channels: ['one', 'two'],
    hear: (channel, payload) => heard.push(`${channel} ${payload}`),
    notify: (...sent) => {
      echoes += 1;
      return notify(...sent);
    },
    echoEveryMs: 50,
  });
  listener.start();
  return { listener, heard, echoes: () => echoes };
}

describe('a listener', () => {
  it('hears what others send on its channels', async () => {
    const { listener, heard } = listenTo(database.url);
    await expect.poll(() => listener.isHearing).toBe(true);
    await notify('one', 'a');
    await notify('other', 'b');
    await notify('two', 'c');
    await expect.poll(() => heard).toEqual(['one a', 'two c']);
    await listener.stop();
    expect(listener.isHearing).toBe(false);
  });

  it('hears again after its connection was cut', async () => {
    const { listener, heard } = listenTo(database.url);
    await expect.poll(() => listener.isHearing).toBe(true);
    await database.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'listen-test'`);
    await expect.poll(() => listener.isHearing).toBe(false);
    await expect.poll(() => listener.isHearing, { timeout: 5_000 }).toBe(true);
    await notify('one', 'after');
    await expect.poll(() => heard).toEqual(['one after']);
    await listener.stop();
  });

  it('does not hear without a database, and stops', async () => {
    const { listener } = listenTo('postgres://nobody@127.0.0.1:1/none');
    await listener.stop();
    expect(listener.isHearing).toBe(false);
  });

  it.runIf(HAS_PGBOUNCER)('hears through PgBouncer in session mode', async () => {
    const pooler = await startPgBouncer(database.url, { pool_mode: 'session' });
    const { listener, heard } = listenTo(pooler.url);
    await expect.poll(() => listener.isHearing).toBe(true);
    await notify('one', 'a');
    await expect.poll(() => heard).toEqual(['one a']);
    await listener.stop();
    await pooler.close();
  });

  it.runIf(HAS_PGBOUNCER)('knows that it hears nothing through PgBouncer in transaction mode', async () => {
    const pooler = await startPgBouncer(database.url, { pool_mode: 'transaction' });
    const { listener, heard, echoes } = listenTo(pooler.url);
    await notify('one', 'a');
    await expect.poll(echoes, { timeout: 10_000 }).toBe(3); // two of which did not come
    expect(listener.isHearing).toBe(false);
    expect(heard).toEqual([]);
    await listener.stop();
    await pooler.close();
  });
});

describe('the nudge after changes', () => {
  let store: Store;

  beforeAll(() => {
    store = openStore({ url: database.url, connections: 4, name: 'nudge' });
  });
  afterAll(() => store.close());

  it('does not come for a transaction that is rolled back', async () => {
    const heard: string[] = [];
    const listener = store.listen(['indbakke_changes', 'finish'], (channel) => heard.push(channel));
    listener.start();
    await expect.poll(() => listener.isHearing).toBe(true);
    const failing = store.withTenantConnection('22222222', async () => {
      throw new Error('rolled back');
    });
    await expect(failing).rejects.toThrow('rolled back');
    await notify('finish');
    await expect.poll(() => heard).toContain('finish');
    expect(heard).toEqual(['finish']);
    await listener.stop();
  });

  it('comes once for many commits at once, and once more for those after it', async () => {
    const heard: string[] = [];
    const listener = store.listen(['indbakke_changes'], (channel) => heard.push(channel));
    listener.start();
    await expect.poll(() => listener.isHearing).toBe(true);
    const commits = Array.from({ length: 100 }, () => store.withTenantConnection('22222222', async () => {}));
    await Promise.all(commits);
    await expect.poll(() => heard.length).toBeGreaterThan(1);
    expect(heard.length).toBeLessThan(20);
    await listener.stop();
  });
});
