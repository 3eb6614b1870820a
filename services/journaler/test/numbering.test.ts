import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { CHAINED_COLUMNS, type ChainedRow, chainHash } from '@indbakke/shared/audit';
import { type KeyRing, loadKeyRing } from '@indbakke/shared/keys';
import { newId, openStore, type Store } from '@indbakke/shared/store';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { Random } from '../../../infra/src/lab/random.js';
import { ODENSKOV, type Setup, setUp, VESTERSUND } from '../../../infra/src/testkit/stack.js';
import { numberChanges } from '../src/feed/number-changes.js';
import { readEvents } from '../src/feed/read-events.js';

const NUMBERER = fileURLToPath(new URL('./support/numberer.mjs', import.meta.url));
const LOCK = /pg_try_advisory_xact_lock\([^)]*\)\)/;
const MUNICIPALITIES = [ODENSKOV, VESTERSUND];

let setup: Setup;
let store: Store;
let keys: KeyRing;

beforeAll(async () => {
  setup = await setUp();
  store = openStore({ url: setup.serviceUrl, connections: 4, name: 'numbering' });
  keys = await loadKeyRing(setup.env.KEY_FILE as string);
});

afterEach(() => setup.sql('TRUNCATE events, audit_events, feed_heads'));

afterAll(async () => {
  await store.close();
  await setup.close();
});

interface Change {
  readonly municipality: string;
  readonly messageId: string;
  readonly version: number;
  readonly at: Date;
}

const INSERT = `
  WITH event AS (
    INSERT INTO events (id, municipality, message_id, type, status, version, at) VALUES ($1, $2, $3, 'assigned', 'pending', $4, $5))
  INSERT INTO audit_events (id, municipality, message_id, action, at, actor_kind, actor, details)
  VALUES ($1, $2, $3, 'assigned', $5, 'user', 'anna', '{"kind": "user", "id": "bo"}')`;
const valuesOf = ({ municipality, messageId, version, at }: Change) => [newId(), municipality, messageId, version, at];
const write = (change: Change) => setup.sql(INSERT, valuesOf(change));

async function numberAll(of: Store = store, batch?: number): Promise<void> {
  while (await numberChanges({ store: of, keys }, batch));
}

const unnumbered = async () => {
  const [row] = await setup.sql<{ count: number }>(
    `SELECT ((SELECT count(*) FROM events WHERE position IS NULL)
       + (SELECT count(*) FROM audit_events WHERE position IS NULL))::int AS count`,
  );
  return row?.count;
};

/** All events of a municipality, as its feed has them. */
async function feedOf(municipality: string): Promise<{ position: number; messageId: string; version: number }[]> {
  const { events, head } = await readEvents(store, municipality, 0, 100_000);
  expect(events.map(({ position }) => position)).toEqual(events.map((_, index) => index + 1));
  expect(head).toBe(events.length);
  return events.map(({ position, messageId, version }) => ({ position, messageId, version }));
}

/** The audit rows must be a chain without gaps, as the head says. */
async function checkChain(municipality: string): Promise<number> {
  const rows = await setup.sql<ChainedRow & { hash: Buffer }>(
    `SELECT ${CHAINED_COLUMNS.join(', ')}, position, hash FROM audit_events WHERE municipality = $1 ORDER BY position`,
    [municipality],
  );
  let previous: Buffer | null = null;
  for (const [index, { hash, ...row }] of rows.entries()) {
    expect(Number(row.position)).toBe(index + 1);
    expect(hash).toEqual(chainHash(keys, previous, row));
    previous = hash;
  }
  const [head] = await setup.sql('SELECT audit_position, audit_hash FROM feed_heads WHERE municipality = $1', [
    municipality,
  ]);
  expect(head).toEqual({ audit_position: String(rows.length), audit_hash: previous });
  return rows.length;
}

/** Resolves when so many more have been counted, or nobody counts any more. */
class Counter {
  #count = 0;
  #isOver = false;
  readonly #waiting = new Set<{ at: number; resolve: () => void }>();

  count(): void {
    this.#count += 1;
    this.#wake();
  }

  end(): void {
    this.#isOver = true;
    this.#wake();
  }

  more(n: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.add({ at: this.#count + n, resolve });
      this.#wake();
    });
  }

  #wake(): void {
    for (const waiting of this.#waiting) {
      if (!this.#isOver && waiting.at > this.#count) continue;
      this.#waiting.delete(waiting);
      waiting.resolve();
    }
  }
}

const WRITERS = 32;
const CHANGES_EACH = 24;
const BATCH = 7;

/** A writer of one message’s changes. The slow ones hold each transaction open while others commit. */
async function writeChanges(writer: number, commits: Counter, random: Random): Promise<void> {
  const client = new pg.Client({ connectionString: setup.ownerUrl });
  await client.connect();
  const [municipality, messageId] = [MUNICIPALITIES[writer % 2] as string, randomUUID()];
  for (let version = 1; version <= CHANGES_EACH; version += 1) {
    const at = new Date(Date.now() + random.between(-60_000, 60_000));
    await client.query('BEGIN');
    await client.query(INSERT, valuesOf({ municipality, messageId, version, at }));
    if (writer % 3 === 0) await commits.more(random.between(1, 40));
    await client.query('COMMIT');
    commits.count();
  }
  await client.end();
}

/** Follows a feed until it has seen so many events. @returns what it saw, in order */
async function follow(municipality: string, count: number): Promise<{ position: number; messageId: string }[]> {
  const seen: { position: number; messageId: string; version: number }[] = [];
  while (seen.length < count) {
    const { events } = await readEvents(store, municipality, seen.at(-1)?.position ?? 0, 10);
    seen.push(...events.map(({ position, messageId, version }) => ({ position, messageId, version })));
  }
  return seen;
}

function startNumberer(diesAt: number): ChildProcess {
  return fork(NUMBERER, [String(BATCH), String(diesAt)], {
    execArgv: [],
    env: { PATH: process.env.PATH, DATABASE_URL: setup.serviceUrl, KEY_FILE: setup.env.KEY_FILE },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

async function killedBySignal(child: ChildProcess): Promise<unknown> {
  const [, signal] = await once(child, 'exit');
  return signal;
}

it('32 writers, two numberers of which one is killed: what was read stays, without gaps and in order', {
  tags: 'long',
}, async () => {
  const random = new Random(32);
  const commits = new Counter();
  const quick = Array.from({ length: WRITERS }, (_, n) => n);
  const writing = quick.map((n) => writeChanges(n, commits, random.fork(String(n))));
  void Promise.all(writing.filter((_, n) => n % 3 !== 0)).then(() => commits.end());
  const reading = MUNICIPALITIES.map((municipality) => follow(municipality, (WRITERS / 2) * CHANGES_EACH));

  expect(await killedBySignal(startNumberer(3))).toBe('SIGKILL');
  const second = startNumberer(0);
  expect(await killedBySignal(startNumberer(2))).toBe('SIGKILL');
  const third = startNumberer(0);
  await commits.more(50);
  const ended = killedBySignal(second);
  second.kill('SIGKILL');
  await ended;
  await Promise.all(writing);
  await expect.poll(unnumbered, { timeout: 20_000 }).toBe(0);
  third.disconnect();

  for (const [index, municipality] of MUNICIPALITIES.entries()) {
    const feed = await feedOf(municipality);
    expect(await reading[index]).toEqual(feed);
    for (const messageId of new Set(feed.map((event) => event.messageId))) {
      const versions = feed.filter((event) => event.messageId === messageId).map(({ version }) => version);
      expect(versions).toEqual(Array.from({ length: CHANGES_EACH }, (_, n) => n + 1));
    }
    expect(await checkChain(municipality)).toBe((WRITERS / 2) * CHANGES_EACH);
  }
});

it.each([1, 2, 3])('the changes of a message are in order when its times are not, in batches of %i', async (batch) => {
  const [one, other] = [randomUUID(), randomUUID()];
  const before = (minutes: number) => new Date(Date.now() - minutes * 60_000);
  for (const [version, minutes] of [5, 20, 1, 30, 2].entries()) {
    await write({ municipality: ODENSKOV, messageId: one, version: version + 1, at: before(minutes) });
    await write({ municipality: ODENSKOV, messageId: other, version: version + 1, at: before(30 - minutes) });
  }
  await numberAll(store, batch);
  const feed = await feedOf(ODENSKOV);
  for (const id of [one, other]) {
    const versions = feed.filter(({ messageId }) => messageId === id).map(({ version }) => version);
    expect(versions).toEqual([1, 2, 3, 4, 5]);
  }
  expect(await checkChain(ODENSKOV)).toBe(10);
});

it('the changes of a batch are in the order of their times', async () => {
  const ids = [randomUUID(), randomUUID(), randomUUID()].sort().reverse();
  for (const [n, messageId] of ids.entries()) {
    await write({ municipality: ODENSKOV, messageId, version: 1, at: new Date(Date.now() + n) });
  }
  await numberAll();
  expect((await feedOf(ODENSKOV)).map(({ messageId }) => messageId)).toEqual(ids);
});

it('even without its lock, numberers at once give each position once', async () => {
  const trusting: Store = {
    ...store,
    sweepTogether: (first, work) => {
      expect(first).toMatch(LOCK);
      return store.sweepTogether(first.replace(LOCK, 'true'), work);
    },
  };
  for (let n = 0; n < 60; n += 1) {
    const municipality = MUNICIPALITIES[n % 2] as string;
    await write({ municipality, messageId: randomUUID(), version: 1, at: new Date() });
  }
  const rounds = Array.from({ length: 20 }, async () => numberChanges({ store: trusting, keys }, 5));
  const outcomes = await Promise.allSettled(rounds);
  expect(outcomes.some(({ status }) => status === 'fulfilled')).toBe(true);
  await numberAll();
  for (const municipality of MUNICIPALITIES) {
    expect(await feedOf(municipality)).toHaveLength(30);
    expect(await checkChain(municipality)).toBe(30);
  }
});

it('where one row cannot get its position, none of the batch gets one: the chain has no hole', async () => {
  await setup.sql(`
    CREATE FUNCTION hold_back() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
    CREATE TRIGGER hold_back BEFORE UPDATE ON audit_events FOR EACH ROW WHEN (NEW.position = 2) EXECUTE FUNCTION hold_back()`);
  for (let n = 0; n < 3; n += 1)
    await write({ municipality: ODENSKOV, messageId: randomUUID(), version: 1, at: new Date() });
  await expect(numberAll()).rejects.toThrow('2 of 3 audit rows could be numbered.');
  expect(await setup.sql('SELECT FROM feed_heads')).toEqual([]);
  await setup.sql('DROP TRIGGER hold_back ON audit_events; DROP FUNCTION hold_back');
  await numberAll();
  expect(await checkChain(ODENSKOV)).toBe(3);
});

it('a hash covers every column of an audit row but itself', async () => {
  const rows = await setup.sql<{ name: string }>(
    `SELECT attname AS name FROM pg_attribute WHERE attrelid = 'audit_events'::regclass AND attnum > 0 AND NOT attisdropped`,
  );
  expect(rows.map(({ name }) => name).sort()).toEqual([...CHAINED_COLUMNS, 'position', 'hash'].sort());
});

it('what has a position cannot be numbered again', async () => {
  await write({ municipality: ODENSKOV, messageId: randomUUID(), version: 1, at: new Date() });
  await numberAll();
  for (const table of ['events', 'audit_events']) {
    expect(await store.sweep(`UPDATE ${table} SET position = 7 RETURNING position`)).toEqual([]);
  }
});
