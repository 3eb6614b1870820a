import { randomUUID } from 'node:crypto';
import { ReceiverConfig, startReceiver } from '@indbakke/receiver';
import { CommonConfig, readConfig } from '@indbakke/shared/config';
import { openParts, type Parts } from '@indbakke/shared/service';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { crashPointPassed } from '../../../infra/src/testkit/crash-points.js';
import { ODENSKOV, type Setup, setUp } from '../../../infra/src/testkit/stack.js';
import { writeMemo } from '../../../infra/src/testkit/write-memo.js';

import { JournalerConfig, startJournaler } from '../src/app.js';
import { sweepOverdueSuggestions } from '../src/suggestion/sweep.js';

// @module-tag long

// Receiver and journaler run separately, as in production, so that jobs stay in the queue until a test starts the journaler.

let setup: Setup;
let parts: Parts;

beforeAll(async () => {
  setup = await setUp();
  parts = await openParts(readConfig(CommonConfig, setup.env), 'by-hand');
  await setup.sql(`INSERT INTO cases (municipality, case_id) VALUES ($1, 'K-1')`, [ODENSKOV]);
  await setup.sql(`INSERT INTO sent_messages (municipality, message_uuid, case_id) VALUES ($1, $2, 'K-1')`, [
    ODENSKOV,
    SENT,
  ]);
});

afterAll(async () => {
  await parts.queues.close();
  await parts.store.close();
  await setup.close();
});

const SENT = randomUUID();

/** Receives replies while no journaler runs. */
async function receiveReplies(count: number): Promise<void> {
  const receiver = await startReceiver(readConfig(ReceiverConfig, setup.env));
  for (let n = 0; n < count; n++) {
    const replyData = [{ messageUUID: randomUUID(), replyUUID: SENT }];
    const answer = await fetch(`${receiver.url}/sf1606/PostModtag`, {
      method: 'POST',
      headers: { 'content-type': 'application/xml' },
      body: writeMemo({ replyData }),
    });
    expect(answer.status).toBe(200);
  }
  await receiver.close(); // which flushes its jobs to the queue
}

async function sweep(): Promise<number> {
  const count = await sweepOverdueSuggestions(parts);
  await parts.queues.flush();
  return count;
}

const makeAllDue = () =>
  setup.sql(`UPDATE messages SET next_enqueue_at = now() - interval '1 second' WHERE suggestion_run_at IS NULL`);

const jobs = () => setup.sql<{ id: string }>(`SELECT id FROM bullmq.job WHERE queue = 'suggest-case' ORDER BY id`);

// Again after a deadlock with a worker that is just taking jobs.
const loseTheQueue = () =>
  vi.waitFor(() => setup.sql('TRUNCATE bullmq.job, bullmq.event, bullmq.meta, bullmq.job_log CASCADE'), {
    timeout: 10_000,
  });

const awaitingSuggestion = async () =>
  (await setup.sql<{ count: number }>('SELECT count(*)::int FROM messages WHERE suggestion_run_at IS NULL'))[0]?.count;

it('a reply that was received while the journaler was down gets its suggestion run when it is back', async () => {
  await receiveReplies(2);
  expect(await jobs()).toHaveLength(2);
  expect(await awaitingSuggestion()).toBe(2);

  const suggested = crashPointPassed('suggestion-committed', 2);
  const journaler = await startJournaler(readConfig(JournalerConfig, setup.env));
  await suggested;
  await journaler.close();
  expect(await awaitingSuggestion()).toBe(0);
});

it('a queue that loses everything loses no message: the sweep enqueues all of them again', async () => {
  await receiveReplies(3);
  await loseTheQueue();
  const journaler = await startJournaler(readConfig(JournalerConfig, setup.env));
  expect(await sweep()).toBe(0); // not overdue yet
  expect(await jobs()).toEqual([]);

  await makeAllDue();
  const suggested = crashPointPassed('suggestion-committed', 3);
  expect(await sweep()).toBe(3);
  await suggested;
  await journaler.close();
  expect(await awaitingSuggestion()).toBe(0);
  expect(await setup.sql(`SELECT FROM messages WHERE suggested_case_id = 'K-1'`)).toHaveLength(5);
});

it('the sweep also recovers from a queue that loses everything while the journaler runs', async () => {
  const journaler = await startJournaler(readConfig(JournalerConfig, setup.env));
  await loseTheQueue();
  await receiveReplies(1);
  await loseTheQueue();
  try {
    await makeAllDue();
    await sweep(); // whether or not the job was handled before it was lost
    await vi.waitFor(async () => expect(await awaitingSuggestion()).toBe(0), { timeout: 10_000 });
  } finally {
    await journaler.close();
  }
});

it('concurrent sweeps take each message once, with a job id of its own', async () => {
  await receiveReplies(6);
  await loseTheQueue();
  await makeAllDue();
  const counts = await Promise.all([sweep(), sweep(), sweep()]);
  expect(counts.reduce((sum, count) => sum + count)).toBe(6);
  expect(await sweep()).toBe(0); // not overdue any more
  const rows = await setup.sql<{ id: string }>(
    `SELECT id || '-2' AS id FROM messages WHERE suggestion_run_at IS NULL ORDER BY id`,
  );
  expect(await jobs()).toEqual(rows);
  expect((await jobs()).every(({ id }) => !id.includes(':') && !/^\d+$/.test(id))).toBe(true);
});

it('the sweep waits longer with each run, up to an hour', async () => {
  const secondsAfter = async (run: number) => {
    await setup.sql('UPDATE messages SET suggestion_run = $1 WHERE suggestion_run_at IS NULL', [run]);
    await makeAllDue();
    await sweep();
    const [row] = await setup.sql<{ seconds: number }>(
      'SELECT round(extract(epoch FROM min(next_enqueue_at) - now()))::int AS seconds FROM messages WHERE suggestion_run_at IS NULL',
    );
    return row?.seconds as number;
  };
  expect(await secondsAfter(1)).toBeCloseTo(60, -1);
  expect(await secondsAfter(3)).toBeCloseTo(240, -1);
  expect(await secondsAfter(50)).toBeCloseTo(3_600, -1);
});

it('the sweep ignores messages that are not pending', async () => {
  await setup.sql(`UPDATE messages SET status = 'held', held_cause = 'replies-off' WHERE suggestion_run_at IS NULL`);
  await makeAllDue();
  expect(await sweep()).toBe(0);
});

it('a job contains ids and nothing personal', async () => {
  const rows = await setup.sql<{ data: object }>(`SELECT data FROM bullmq.job`);
  expect(rows.length).toBeGreaterThan(0);
  for (const { data } of rows) {
    expect(data).toEqual({ messageId: expect.any(String), municipality: ODENSKOV, run: expect.any(Number) });
  }
});
