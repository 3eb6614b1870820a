import { CommonConfig, readConfig } from '@indbakke/shared/config';
import { openParts, type Parts } from '@indbakke/shared/service';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Relay, startRelay } from '../../../infra/src/testkit/relay.js';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { sweepDueScans } from '../../../services/journaler/src/scan/sweep.js';
import { deliverMemo } from '../inbox/support.js';

// Scans, since a stack without a scanner leaves their rows and jobs alone.

let stack: TestStack;
let relay: Relay;
let parts: Parts;
let ids: string[];

beforeAll(async () => {
  stack = await startTestStack();
  relay = await startRelay(stack.serviceUrl);
  parts = await openParts(readConfig(CommonConfig, { ...stack.env, QUEUE_URL: relay.url }), 'by-hand');
  ids = [await deliverMemo(stack), await deliverMemo(stack)].sort();
});

afterAll(async () => {
  await parts.queues.close();
  await parts.store.close();
  await relay.close();
  await stack.close();
});

const NOON = new Date('2026-11-02T12:00:00Z');
const afterNoon = (seconds: number) => new Date(NOON.getTime() + seconds * 1_000);

const makeDue = () =>
  stack.sql(
    `INSERT INTO message_scans (id, message_id, municipality, since, next_enqueue_at)
     SELECT id, id, municipality, $1, $1 FROM messages
     ON CONFLICT (message_id) DO UPDATE SET next_enqueue_at = $1, run = 0`,
    [NOON],
  );

const rows = () =>
  stack.sql<{ run: number; due: Date }>('SELECT run, next_enqueue_at AS due FROM message_scans ORDER BY message_id');
const jobs = () => stack.sql<{ id: string }>(`SELECT id FROM bullmq.job WHERE queue = 'scan-message' ORDER BY id`);

it('what the queue does not accept is due again in ten seconds, and is then enqueued', async () => {
  await makeDue();
  await relay.cut();
  await sweepDueScans(parts, NOON);
  const refused = { run: 1, due: afterNoon(10) };
  expect(await rows()).toEqual([refused, refused]);
  expect(await jobs()).toEqual([]);
  await relay.restore();
  await sweepDueScans(parts, afterNoon(9));
  expect(await rows()).toEqual([refused, refused]);
  await sweepDueScans(parts, afterNoon(10));
  expect(await jobs()).toEqual(ids.map((id) => ({ id: `${id}-2` })));
  const accepted = { run: 2, due: afterNoon(10 + 90 * 60) };
  expect(await rows()).toEqual([accepted, accepted]);
});

it('a job that is done before its sweep is over has the last word on when its row is due', async () => {
  await makeDue();
  const wanted = afterNoon(3_600);
  const makeAtOnce = async () => {
    await stack.sql('UPDATE message_scans SET next_enqueue_at = $2 WHERE message_id = $1', [ids[0], wanted]);
    return true;
  };
  await sweepDueScans({ ...parts, queues: { ...parts.queues, add: makeAtOnce } }, NOON);
  expect(await rows()).toEqual([
    { run: 1, due: wanted },
    { run: 1, due: afterNoon(90 * 60) },
  ]);
});
