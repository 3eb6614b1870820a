import { randomUUID } from 'node:crypto';
import { ReceiverConfig, startReceiver } from '@indbakke/receiver';
import { CommonConfig, readConfig } from '@indbakke/shared/config';
import { openParts, type Parts } from '@indbakke/shared/service';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { crashPointPassed } from '../../../infra/src/testkit/crash-points.js';
import { type Ground, layGround, ODENSKOV } from '../../../infra/src/testkit/stack.js';
import { writeMemo } from '../../../infra/src/testkit/write-memo.js';

import { JournalerConfig, startJournaler } from '../src/app.js';
import { sweepOverdueSuggestions } from '../src/suggestion/sweep.js';

// Receiver and journaler each by itself, as in production, so that jobs lie in the queue until a test wants them worked.

let ground: Ground;
let parts: Parts;

beforeAll(async () => {
  ground = await layGround();
  parts = await openParts(readConfig(CommonConfig, ground.env), 'by-hand');
  await ground.sql(`INSERT INTO cases (municipality, case_id) VALUES ($1, 'K-1')`, [ODENSKOV]);
  await ground.sql(`INSERT INTO sent_messages (municipality, message_uuid, case_id) VALUES ($1, $2, 'K-1')`, [
    ODENSKOV,
    SENT,
  ]);
});

afterAll(async () => {
  await parts.queues.close();
  await parts.store.close();
  await ground.close();
});

const SENT = randomUUID();

/** Takes replies in while no journaler runs. */
async function receiveReplies(count: number): Promise<void> {
  const receiver = await startReceiver(readConfig(ReceiverConfig, ground.env));
  for (let n = 0; n < count; n++) {
    const replyData = [{ messageUUID: randomUUID(), replyUUID: SENT }];
    const answer = await fetch(`${receiver.url}/sf1606/PostModtag`, {
      method: 'POST',
      headers: { 'content-type': 'application/xml' },
      body: writeMemo({ replyData }),
    });
    expect(answer.status).toBe(200);
  }
  await receiver.close(); // which puts what it gathered into the queue first
}

async function sweep(): Promise<number> {
  const count = await sweepOverdueSuggestions(parts);
  await parts.queues.flush();
  return count;
}

const makeAllDue = () =>
  ground.sql(`UPDATE messages SET next_enqueue_at = now() - interval '1 second' WHERE suggestion_run_at IS NULL`);

const jobs = () => ground.sql<{ id: string }>(`SELECT id FROM bullmq.job WHERE queue = 'suggest-case' ORDER BY id`);

const loseTheQueue = () => ground.sql('TRUNCATE bullmq.job, bullmq.event, bullmq.meta, bullmq.job_log CASCADE');

const awaitingSuggestion = async () =>
  (await ground.sql<{ count: number }>('SELECT count(*)::int FROM messages WHERE suggestion_run_at IS NULL'))[0]?.count;

it('a reply that was received while the journaler was away is looked at when it comes back', async () => {
  await receiveReplies(2);
  expect(await jobs()).toHaveLength(2);
  expect(await awaitingSuggestion()).toBe(2);

  const looked = crashPointPassed('suggestion-committed', 2);
  const journaler = await startJournaler(readConfig(JournalerConfig, ground.env));
  await looked;
  await journaler.close();
  expect(await awaitingSuggestion()).toBe(0);
});

it('a queue that loses everything loses no letter: the sweep brings all of them again', async () => {
  await receiveReplies(3);
  await loseTheQueue();
  const journaler = await startJournaler(readConfig(JournalerConfig, ground.env));
  expect(await sweep()).toBe(0); // their time has not come
  expect(await jobs()).toEqual([]);

  await makeAllDue();
  const looked = crashPointPassed('suggestion-committed', 3);
  expect(await sweep()).toBe(3);
  await looked;
  await journaler.close();
  expect(await awaitingSuggestion()).toBe(0);
  const suggested = await ground.sql(`SELECT FROM messages WHERE suggested_case_id = 'K-1'`);
  expect(suggested).toHaveLength(5);
});

it('a queue that loses everything while it is worked is mended the same way', async () => {
  const journaler = await startJournaler(readConfig(JournalerConfig, ground.env));
  await loseTheQueue();
  await receiveReplies(1);
  await loseTheQueue();
  try {
    await makeAllDue();
    await sweep(); // whether or not the job was worked in between
    await vi.waitFor(async () => expect(await awaitingSuggestion()).toBe(0), { timeout: 10_000 });
  } finally {
    await journaler.close();
  }
});

it('sweeps side by side take each message once, with a job id of its own', async () => {
  await receiveReplies(6);
  await loseTheQueue();
  await makeAllDue();
  const counts = await Promise.all([sweep(), sweep(), sweep()]);
  expect(counts.reduce((sum, count) => sum + count)).toBe(6);
  expect(await sweep()).toBe(0); // and not again at once
  const rows = await ground.sql<{ id: string }>(
    `SELECT id || '-2' AS id FROM messages WHERE suggestion_run_at IS NULL ORDER BY id`,
  );
  expect(await jobs()).toEqual(rows);
  expect((await jobs()).every(({ id }) => !id.includes(':') && !/^\d+$/.test(id))).toBe(true);
});

it('the sweep waits longer with each round, an hour at most', async () => {
  const secondsAfter = async (round: number) => {
    await ground.sql('UPDATE messages SET suggestion_run = $1 WHERE suggestion_run_at IS NULL', [round]);
    await makeAllDue();
    await sweep();
    const [row] = await ground.sql<{ seconds: number }>(
      'SELECT round(extract(epoch FROM min(next_enqueue_at) - now()))::int AS seconds FROM messages WHERE suggestion_run_at IS NULL',
    );
    return row?.seconds as number;
  };
  expect(await secondsAfter(1)).toBeCloseTo(60, -1);
  expect(await secondsAfter(3)).toBeCloseTo(240, -1);
  expect(await secondsAfter(50)).toBeCloseTo(3_600, -1);
});

it('the sweep leaves held, journalized and looked-at messages alone', async () => {
  await ground.sql(`UPDATE messages SET status = 'held', held_cause = 'replies-off' WHERE suggestion_run_at IS NULL`);
  await makeAllDue();
  expect(await sweep()).toBe(0);
});

it('a job holds ids, and nothing personal', async () => {
  const rows = await ground.sql<{ data: object }>(`SELECT data FROM bullmq.job`);
  expect(rows.length).toBeGreaterThan(0);
  for (const { data } of rows) {
    expect(data).toEqual({ messageId: expect.any(String), municipality: ODENSKOV, round: expect.any(Number) });
  }
});
