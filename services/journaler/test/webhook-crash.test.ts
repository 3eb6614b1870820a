import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type KeyRing, loadKeyRing } from '@indbakke/shared/keys';
import type { Queues } from '@indbakke/shared/queue';
import { newId, openStore, type Store } from '@indbakke/shared/store';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { Random } from '../../../infra/src/lab/random.js';
import { askUntil } from '../../../infra/src/testkit/inbox-client.js';
import { ODENSKOV, type Setup, setUp, VESTERSUND } from '../../../infra/src/testkit/stack.js';
import { numberChanges } from '../src/feed/number-changes.js';
import { enqueueDeliveries, makeDeliveries } from '../src/webhooks/dispatch.js';
import { createWebhook } from '../src/webhooks/webhooks.js';
import { type Receiver, startReceiver } from './support/receiver.js';

// @module-tag long

const WORKER = fileURLToPath(new URL('./support/webhook-worker.mjs', import.meta.url));

let setup: Setup;
let store: Store;
let keys: KeyRing;
let receiver: Receiver;
const workers = new Set<ChildProcess>();

beforeAll(async () => {
  setup = await setUp();
  store = openStore({ url: setup.serviceUrl, connections: 4, name: 'webhook-crash' });
  keys = await loadKeyRing(setup.env.KEY_FILE as string);
});

beforeEach(async () => {
  receiver = await startReceiver();
});

afterEach(async () => {
  await Promise.all([...workers].map(kill));
  await receiver.close();
  await setup.sql('DELETE FROM events; DELETE FROM feed_heads; DELETE FROM webhooks');
});

afterAll(async () => {
  await store.close();
  await setup.close();
});

function start(does: 'make' | 'send', diesAt = 0): ChildProcess {
  const env = { ...process.env, ...setup.env };
  const worker = fork(WORKER, [does, String(diesAt), '127.0.0.1'], {
    env,
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  workers.add(worker);
  worker.once('exit', () => workers.delete(worker));
  return worker;
}

async function kill(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return;
  worker.kill('SIGKILL');
  await once(worker, 'exit');
}

async function create(municipality = ODENSKOV, eventTypes: 'rejected'[] = []): Promise<string> {
  const principal = {
    municipality,
    actor: { kind: 'system', id: 'dubu' },
    roles: new Set<never>(),
    teams: [],
  } as const;
  const request = { principal, at: new Date(), idempotencyKey: undefined };
  return (await createWebhook({ store, keys }, request, { url: receiver.url, eventTypes })).id;
}

/** Events of messages of their own, with their positions. */
async function change(count: number, municipality = ODENSKOV, type = 'accepted'): Promise<string[]> {
  const ids = Array.from({ length: count }, newId);
  await setup.sql(
    `INSERT INTO events (id, municipality, message_id, type, status, version, at)
     SELECT id, $1, $3::uuid, $4, 'pending', n, now() FROM unnest($2::uuid[]) WITH ORDINALITY AS one (id, n)`,
    [municipality, ids, randomUUID(), type],
  );
  while (await numberChanges({ store, keys }));
  return ids;
}

const deliveriesOf = async (webhookId: string) => {
  const rows = await setup.sql<{ id: string }>('SELECT id FROM webhook_deliveries WHERE webhook_id = $1', [webhookId]);
  return rows.map(({ id }) => id).toSorted();
};

it('whoever is killed when, each event has one delivery for each webhook that wants it', async () => {
  const random = new Random(20_261_129);
  const wanted = new Map<string, string[]>();
  const ours = [await create(), await create()];
  const theirs = await create(VESTERSUND);
  const rejections = await create(ODENSKOV, ['rejected']);
  for (const webhook of [...ours, theirs, rejections]) wanted.set(webhook, []);
  let isOver = false;
  const killing = (async () => {
    while (!isOver) {
      const both = [start('make'), start('make')];
      await pause(random.between(150, 500)); // a process takes as long to load
      await Promise.all(both.map(kill));
    }
  })();
  for (let round = 0; round < 30; round += 1) {
    const accepted = await change(random.between(1, 400));
    const rejected = await change(random.between(1, 20), ODENSKOV, 'rejected');
    for (const webhook of ours) wanted.get(webhook)?.push(...accepted, ...rejected);
    wanted.get(rejections)?.push(...rejected);
    wanted.get(theirs)?.push(...(await change(random.between(0, 50), VESTERSUND)));
  }
  isOver = true;
  await killing;
  while ((await makeDeliveries({ store })).hasMore);
  for (const [webhook, ids] of wanted) expect(await deliveriesOf(webhook)).toEqual(ids.toSorted());
  const rows = await setup.sql('SELECT DISTINCT body::jsonb #>> $1 = id::text AS "isOwn" FROM webhook_deliveries', [
    '{data,id}',
  ]);
  expect(rows).toEqual([{ isOwn: true }]);
});

it('however many enqueue at once, of one webhook 8 are in flight, and 1 when it has failed for long', async () => {
  const other = openStore({ url: setup.serviceUrl, connections: 1, name: 'other' });
  const jobs: object[] = [];
  const queues = { enqueue: (_definition: object, job: object) => void jobs.push(job) } as unknown as Queues;
  const enqueueAtOnce = async () => {
    const each = [store, other, store, other].map((one) => enqueueDeliveries({ store: one, queues }));
    await Promise.all(each);
    return jobs.splice(0).length;
  };
  await create();
  await change(50);
  await makeDeliveries({ store });
  expect(await enqueueAtOnce()).toBe(8);
  expect(await enqueueAtOnce()).toBe(0);
  await setup.sql('UPDATE webhook_deliveries SET is_taken = false, next_enqueue_at = now()');
  await setup.sql(`UPDATE webhooks SET failing_since = now() - interval '6 minutes'`);
  expect(await enqueueAtOnce()).toBe(1);
  await other.close();
});

it('one that is killed between an attempt and its record is sent again, with the same webhook-id', async () => {
  const webhook = await create();
  const ids = await change(3);
  const first = start('send', 2);
  await once(first, 'exit');
  expect(first.signalCode).toBe('SIGKILL');
  expect(receiver.received).toHaveLength(2);
  const recorded = () => setup.sql('SELECT FROM webhook_attempts');
  expect(await recorded()).toHaveLength(1);
  const taken = await setup.sql(
    `SELECT FROM webhook_deliveries WHERE is_taken AND next_enqueue_at > now() + interval '1 minute'`,
  );
  expect(taken).toHaveLength(2);
  await setup.sql('UPDATE webhook_deliveries SET next_enqueue_at = now()'); // as if two minutes had passed
  start('send');
  await askUntil(recorded, ({ length }) => length === 3);
  const times = (id: string) => receiver.received.filter((one) => one.id === id).length;
  expect(ids.map(times).toSorted()).toEqual([1, 1, 2]);
  expect(await deliveriesOf(webhook)).toEqual(ids.toSorted());
});

it('a webhook that was disabled for longer than the feed keeps events is told, and goes on with the oldest there is', async () => {
  const webhook = await create();
  const [, rejections] = [await change(1), await create(ODENSKOV, ['rejected'])];
  await makeDeliveries({ store });
  await setup.sql(`UPDATE webhooks SET status = 'disabled', disabled_cause = 'by-caller'`);
  const ids = await change(5);
  await setup.sql('DELETE FROM events WHERE position <= 4');
  await setup.sql('UPDATE feed_heads SET oldest_event_position = 5');
  expect(await makeDeliveries({ store })).toEqual({ isAny: false, hasMore: false });
  expect(await deliveriesOf(webhook)).toHaveLength(1);
  await setup.sql(`UPDATE webhooks SET status = 'active', disabled_cause = NULL`);
  expect(await makeDeliveries({ store })).toEqual({ isAny: true, hasMore: false });
  expect(await deliveriesOf(webhook)).toEqual(expect.arrayContaining(ids.slice(3)));
  const gone = await setup.sql(
    `SELECT webhook_id AS webhook, body->'data' AS data FROM webhook_deliveries WHERE body->>'type' = 'position-gone'`,
  );
  const data = { position: 1, oldest: 5 };
  expect(gone).toHaveLength(2);
  expect(gone).toEqual(expect.arrayContaining([webhook, rejections].map((each) => ({ webhook: each, data }))));
  expect(await makeDeliveries({ store })).toEqual({ isAny: true, hasMore: false });
  expect(await deliveriesOf(webhook)).toHaveLength(4);
});

it('a webhook that the feed is a whole batch ahead of has none twice, and none told for gone', async () => {
  const webhook = await create();
  const ids = [...(await change(1_500)), ...(await change(1_000))];
  let rounds = 1;
  while ((await makeDeliveries({ store })).hasMore) rounds += 1;
  expect(rounds).toBe(3);
  expect(await deliveriesOf(webhook)).toEqual(ids.toSorted());
});
