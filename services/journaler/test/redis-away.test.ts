import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { HAS_REDIS, type OwnRedis, startOwnRedis } from '../../../infra/src/testkit/redis.js';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { awaitSuggestion, deliverMemo, registerSentMessage } from '../../../shared/test/inbox/support.js';

// @module-tag long

// The row of a message is its outbox, so nothing depends on what Redis holds.

describe.runIf(HAS_REDIS)('with the queue on Redis', () => {
  let redis: OwnRedis;
  let stack: TestStack;
  const sent = randomUUID();
  const reply = () => ({ replyData: [{ messageUUID: randomUUID(), replyUUID: sent }] });

  beforeAll(async () => {
    redis = await startOwnRedis();
    stack = await startTestStack(redis.env);
    await registerSentMessage(stack, sent, { caseId: 'K-1' });
  });

  afterAll(async () => {
    await stack?.close();
    await redis?.close();
  });

  it('a reply gets its suggestion', async () => {
    await awaitSuggestion(stack, await deliverMemo(stack, reply()));
  });

  it('receipts go on while Redis is down, and suggestions catch up when it is back, empty', async () => {
    await redis.kill();
    const ids = [await deliverMemo(stack, reply()), await deliverMemo(stack, reply())]; // each asserts its receipt
    const ready = await fetch(`${stack.url}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([200, expect.objectContaining({ queue: 'no-answer' })]);

    await redis.start();
    await stack.sql(`UPDATE messages SET next_enqueue_at = now() WHERE suggestion_run_at IS NULL`); // overdue for the sweep

    const waiting = () => stack.sql('SELECT FROM messages WHERE suggestion_run_at IS NULL AND id = ANY($1)', [ids]);
    await vi.waitFor(async () => expect(await waiting()).toEqual([]), { timeout: 20_000, interval: 100 });
  });
});
