import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { prepareDatabase } from '../../../infra/src/local/database.js';
import { type Address, openAddress } from '../../../infra/src/testkit/address.js';
import { asTestDatabase, runSql } from '../../../infra/src/testkit/database.js';
import { type Replica, Replicas } from '../../../infra/src/testkit/replicas.js';
import {
  ODENSKOV,
  setUp,
  startTestStack,
  type TestStack,
  type TokenOptions,
  VESTERSUND,
} from '../../../infra/src/testkit/stack.js';
import { openStore, Prisma, type Store, withLimits } from '../../../shared/src/store/index.js';
import { deliverMemo, read } from '../../../shared/test/inbox/support.js';

// @module-tag long

let replicas: Replicas;
let stack: TestStack;
/** Another copy of all services, on the same database. */
let copy: TestStack;
let standby: Replica;
/** Of the standby. */
let address: Address;

const portOf = ({ url }: Replica) => Number(new URL(url).port);

beforeAll(async () => {
  replicas = await Replicas.start({ standbys: 2 });
  [standby] = replicas.standbys as [Replica];
  const database = await prepareDatabase(replicas.url, 'lists');
  await replicas.untilReplayed();
  address = await openAddress(portOf(standby));
  const env = { DATABASE_READ_URL: Object.assign(new URL(database.url), { port: String(address.port) }).href };
  const setup = await setUp(Promise.resolve(asTestDatabase(database)));
  stack = await startTestStack(env, {}, Promise.resolve(setup));
  copy = await startTestStack(env, {}, Promise.resolve({ ...setup, close: async () => {} }));
  for (const each of [stack, copy])
    await vi.waitUntil(async () => (await stateOfStandby(each)) === 'ready', { timeout: 10_000 });
});
afterAll(async () => {
  await copy?.close();
  await stack?.close();
  await address?.close();
  await replicas?.stop();
});

const stateOfStandby = async ({ url } = stack) =>
  ((await (await fetch(`${url}/readyz`)).json()) as { standby: string }).standby;

async function metric(name: string, { url } = stack): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const line = metrics.split('\n').find((each) => each.startsWith(name));
  return Number(line?.split(' ').at(-1));
}

/** @returns what `work` returns, and how many reads of it were done where */
async function counted<T>(
  work: () => Promise<T>,
  at = stack,
): Promise<{ result: T; standby: number; primary: number }> {
  const counts = async () => ({
    standby: await metric('indbakke_reads_total{from="standby"}', at),
    primary: await metric('indbakke_reads_total{from="primary"}', at),
  });
  const before = await counts();
  const result = await work();
  const after = await counts();
  return { result, standby: after.standby - before.standby, primary: after.primary - before.primary };
}

async function listed(path = '/incoming-documents?limit=200', as?: TokenOptions, at = stack): Promise<string[]> {
  const response = await at.call('GET', path, as && { as });
  expect(response.status).toBe(200);
  return ((await response.json()) as { items: { id: string }[] }).items.map(({ id }) => id);
}

/** On a busy machine a standby may be late for a read, which is then done at the primary. */
const patiently = (work: () => Promise<void>) => vi.waitFor(work, { timeout: 20_000, interval: 200 });

/** Resolves when its lists are read at the standby. */
const untilRead = (at: TestStack) =>
  expect
    .poll(async () => (await counted(() => listed(undefined, undefined, at), at)).standby, { timeout: 10_000 })
    .toBe(1);

const pause = (at: Replica) => runSql(at.url, 'SELECT pg_wal_replay_pause()');
const resume = (at: Replica) => runSql(at.url, 'SELECT pg_wal_replay_resume()');

describe('while a standby follows', () => {
  it('lists, searches, ids, counts, figures and Excel files are read there, and are in the audit log as ever', async () => {
    const id = await deliverMemo(stack);
    const calls: [string, string, unknown?][] = [
      ['GET', '/incoming-documents'],
      ['POST', '/incoming-documents/search', { q: 'aflastning' }],
      ['POST', '/incoming-documents/ids', {}],
      ['GET', '/incoming-documents/summary'],
      ['GET', '/figures'],
      ['POST', '/incoming-documents/export', {}],
    ];
    for (const [method, path, body] of calls) {
      await patiently(async () => {
        const { result, ...reads } = await counted(() =>
          stack.call(method, path, { body, as: { user: 'reader-1', roles: ROLES } }),
        );
        await result.arrayBuffer();
        expect({ path, status: result.status, ...reads }).toEqual({ path, status: 200, standby: 1, primary: 0 });
      });
    }
    expect(await listed()).toContain(id);
    const rows = await stack.sql<{ action: string; shown: string | null }>(
      `SELECT DISTINCT action, details->>'shown' AS shown FROM audit_events WHERE actor = 'reader-1' ORDER BY action`,
    );
    expect(rows.map(({ action }) => action)).toEqual(['export-began', 'exported', 'list', 'list-ids', 'search']);
    expect(rows[2]?.shown).toBe('1');
  });

  it('a list shows what was changed just before it', async () => {
    const { standby: reads } = await counted(async () => {
      for (let n = 0; n < 30; n += 1) {
        const id = await deliverMemo(stack);
        expect(await listed()).toContain(id);
        const { version } = await read(stack, id);
        const body = { reason: 'unwanted', explanation: 'Reklame' };
        expect((await stack.call('POST', `/incoming-documents/${id}/rejection`, { version, body })).status).toBe(200);
        expect(await listed()).not.toContain(id);
      }
    });
    expect(reads).toBeGreaterThan(0);
  });

  it('a list of one copy shows what was changed at another, though the standby does not have it yet', async () => {
    await untilRead(copy);
    await pause(standby);
    const id = await deliverMemo(stack);
    expect(await listed(undefined, undefined, copy)).toContain(id);
    await resume(standby);
    for (const each of [stack, copy]) await untilRead(each);
  });

  it('a list shows it too while the standby does not replay, and comes from the primary', async () => {
    await pause(standby);
    const id = await deliverMemo(stack);
    const { result, ...reads } = await counted(() => listed());
    expect(result).toContain(id);
    expect(reads).toEqual({ standby: 0, primary: 1 });
    expect(await metric('indbakke_standby_lag_seconds')).toBeGreaterThan(0);
    await expect.poll(() => stateOfStandby(), { timeout: 20_000 }).toBe('behind');
    await resume(standby);
    await expect.poll(() => stateOfStandby()).toBe('ready');
    await untilRead(stack);
  });

  it('lists go on without an error when it is gone, and when it comes back', async () => {
    address.moveTo(0);
    for (let n = 0; n < 10; n += 1) await listed();
    await expect.poll(() => stateOfStandby()).toBe('no-answer');
    address.moveTo(portOf(standby));
    await expect.poll(() => stateOfStandby()).toBe('ready');
    await untilRead(stack);
  });

  it('a municipality sees its own messages only', async () => {
    const other = await deliverMemo(stack, { recipient: { id: VESTERSUND } });
    expect(await listed()).not.toContain(other);
    expect(await listed('/incoming-documents', { municipality: VESTERSUND })).toEqual([other]);
  });

  it('what the limits of a caller hide is hidden there too', async () => {
    await deliverMemo(stack, { recipient: { id: VESTERSUND } });
    await withStore(async (store) => {
      const pending = Prisma.sql`SELECT FROM messages WHERE status = 'pending'`;
      const count = () =>
        store.reading(async ({ from, query }) => [from, (await query(VESTERSUND, pending, 'fresh')).length]);
      expect(await count()).not.toContain(0);
      await patiently(async () => {
        await store.standby?.look();
        expect(await withLimits('[{"kle":["05"]}]', count)).toEqual(['standby', 0]);
      });
    });
  });

  it('what reads there is bound to one municipality, and can write nothing', async () => {
    await withStore(async (store) => {
      const all = Prisma.sql`SELECT DISTINCT municipality FROM messages`;
      await patiently(async () => {
        await store.standby?.look();
        const read = store.reading(async ({ from, query }) => ({ from, rows: await query(VESTERSUND, all, 'fresh') }));
        expect(await read).toEqual({ from: 'standby', rows: [{ municipality: VESTERSUND }] });
      });
      await patiently(async () => {
        await store.standby?.look();
        const seen: string[] = [];
        await store.reading(async ({ from, query }) => {
          seen.push(from);
          await query(ODENSKOV, Prisma.sql`UPDATE messages SET late = late`, 'fresh');
        });
        expect(seen).toEqual(['standby', 'primary']); // the standby has refused it
      });
    });
  });
});

const ROLES = ['IndkomneDokumenter.Læs', 'IndkomneDokumenter.SeAlle', 'Indbakke.Opsætning'];

/** A store that reads at the standby of the stack. */
async function withStore(work: (store: Store) => Promise<void>): Promise<void> {
  const { DATABASE_URL: url = '', DATABASE_READ_URL: readUrl } = stack.env;
  const store = openStore({ url, readUrl, connections: 2, name: 'standby-test' });
  await work(store).finally(() => store.close());
}

describe('after a failover', () => {
  it('lists come from the new primary until the standby has written a checkpoint of its history', async () => {
    await failOver(replicas.standbys.find((each) => each !== standby) as Replica);
    await expect.poll(() => stateOfStandby(), { timeout: 20_000 }).toBe('other-timeline');
    const id = await deliverMemo(stack);
    const { result, ...reads } = await counted(() => listed());
    expect(result).toContain(id);
    expect(reads).toEqual({ standby: 0, primary: 1 });
    await runSql(replicas.primary.url, 'CHECKPOINT');
    await replicas.untilReplayed();
    await runSql(standby.url, 'CHECKPOINT');
    await untilRead(stack);
  });

  it('a standby that was promoted is not read', async () => {
    await failOver(standby);
    await expect.poll(() => stateOfStandby(), { timeout: 20_000 }).toBe('not-a-standby');
    const id = await deliverMemo(stack);
    const { result, ...reads } = await counted(() => listed());
    expect(result).toContain(id);
    expect(reads).toEqual({ standby: 0, primary: 1 });
  });
});

async function failOver(to: Replica): Promise<void> {
  await replicas.killPrimary();
  await replicas.promote({ to });
  await replicas.addStandby();
  const status = async () => (await stack.call('GET', '/incoming-documents')).status;
  await expect.poll(status, { timeout: 20_000 }).toBe(200);
}
