import { readConfig } from '@indbakke/shared/config';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { writeMemo } from '../../../infra/src/testkit/write-memo.js';
import { ReceiverConfig, startReceiver } from '../src/app.js';
import { newMemo } from './support/memos.js';

const AT_ONCE = 8;

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack.close());

// PostgreSQL caches the plans of named statements and of foreign keys. A plan made for a nearly empty table would scan all
// later rows, until the next ANALYZE.
test('a message reads no more rows when the database has grown since its plans were made', {
  tags: 'long',
}, async () => {
  await rowsReadBy(50);
  await stack.sql('ANALYZE');
  expect(await rowsReadBy(300)).toBeLessThan(20);
});

/** @returns rows of `messages` read per delivery, of `count` deliveries to a new receiver */
async function rowsReadBy(count: number): Promise<number> {
  const before = await rowsRead();
  const receiver = await startReceiver(readConfig(ReceiverConfig, { ...stack.env, PORT: '0' }));
  try {
    let sent = 0;
    const send = async () => {
      while (sent++ < count) {
        const answer = await fetch(`${receiver.url}/sf1606/PostModtag`, {
          method: 'POST',
          body: writeMemo(newMemo({})),
        });
        expect(answer.status).toBe(200);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, send));
  } finally {
    await receiver.close();
  }
  return ((await rowsRead()) - before) / count;
}

/** Complete once the connections that did the reading are closed. */
async function rowsRead(): Promise<number> {
  const [row] = await stack.sql<{ read: string }>(
    `SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) AS read FROM pg_stat_user_tables WHERE relname = 'messages'`,
  );
  return Number(row?.read);
}
