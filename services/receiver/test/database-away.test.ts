import { type Env, readConfig } from '@indbakke/shared/config';
import type { Running } from '@indbakke/shared/service';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Relay, startRelay } from '../../../infra/src/testkit/relay.js';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { writeMemo } from '../../../infra/src/testkit/write-memo.js';
import { ReceiverConfig, startReceiver } from '../src/app.js';
import { binaryFile, newMemo, receiptOf, replyTo } from './support/memos.js';
import { messageOf, messagesOf, NOTHING, whatIsStored } from './support/stored.js';

let stack: TestStack;
let relay: Relay;
let receiver: Running | undefined;

beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack.close());

beforeEach(async () => {
  relay = await startRelay(stack.serviceUrl);
});
afterEach(async () => {
  await receiver?.close();
  await relay.close();
});

/** Starts another receiver on the stack’s database and content folder. */
async function start(env: Env): Promise<(xml: Buffer) => Promise<Response>> {
  const running = await startReceiver(readConfig(ReceiverConfig, { ...stack.env, ...env }));
  receiver = running;
  const headers = { 'content-type': 'application/xml', accept: 'application/json' };
  return (body) => fetch(`${running.url}/sf1606/PostModtag`, { method: 'POST', headers, body });
}

/** With a file, so that there is content on disk to leave behind. */
const memoWithContent = () => newMemo({ documents: [{ files: [binaryFile(1_000_000)] }] });

async function expectRetry(answer: Response): Promise<void> {
  expect(answer.status).toBe(503);
  expect(answer.headers.get('retry-after')).toBe('30');
  expect(await receiptOf(answer)).toMatchObject({ receiptStatus: 'INVALID', errorCode: 'send-again' });
}

describe('while the database is down', () => {
  test('a delivery must retry and leaves nothing; when it is back, the message is accepted', async () => {
    const deliver = await start({ DATABASE_URL: relay.url });
    const memo = memoWithContent();
    await relay.cut();

    const refused = await deliver(writeMemo(memo));

    await expectRetry(refused);
    expect(await whatIsStored(stack)).toEqual(NOTHING);
    await relay.restore();
    expect((await deliver(writeMemo(memo))).status).toBe(200);
    expect((await messageOf(stack, memo.messageUUID)).status).toBe('pending');
  });

  test('a service that starts before its database accepts messages once that is up', async () => {
    await relay.cut();
    const deliver = await start({ DATABASE_URL: relay.url });

    await expectRetry(await deliver(writeMemo()));

    await relay.restore();
    expect((await deliver(writeMemo())).status).toBe(200);
  });
});

test('when PostgreSQL ends every connection, at most one delivery must retry', async () => {
  const deliver = await start({ DATABASE_URL: relay.url });
  await Promise.all(Array.from({ length: 4 }, () => deliver(writeMemo())));

  await stack.sql(
    `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'receiver' AND pid <> pg_backend_pid()`,
  );

  const first = await deliver(writeMemo());
  const second = await deliver(writeMemo());
  expect([200, 503]).toContain(first.status);
  expect(second.status).toBe(200);
});

describe('when the connection to the database breaks', () => {
  test.each(['lock-ids', 'insert-messages'])(
    'in the transaction (%s), the sender must retry, and no row is left',
    async (statement) => {
      const deliver = await start({ DATABASE_URL: relay.url });
      const memo = memoWithContent();
      const before = await whatIsStored(stack);
      relay.cutAfter(statement);

      const refused = await deliver(writeMemo(memo));

      await expectRetry(refused);
      expect(await messagesOf(stack, memo.messageUUID)).toEqual([]);
      expect((await whatIsStored(stack)).files).toEqual(before.files);
      await relay.restore();
      expect((await deliver(writeMemo(memo))).status).toBe(200);
      expect(await messagesOf(stack, memo.messageUUID)).toHaveLength(1);
    },
  );

  // The receiver cannot know whether it committed: the message is not acknowledged, and its content stays.
  test('after the commit, the retry gets the receipt, and the content is there', async () => {
    const deliver = await start({ DATABASE_URL: relay.url });
    const memo = memoWithContent();
    relay.cutAfter('COMMIT', 'insert-messages'); // not that of a heartbeat

    const refused = await deliver(writeMemo(memo));

    await expectRetry(refused);
    const { id, transmission_id } = await messageOf(stack, memo.messageUUID);
    await relay.restore();
    expect(await receiptOf(await deliver(writeMemo(memo)))).toMatchObject({ transmissionId: transmission_id });
    const [file] = await stack.sql<{ id: string }>('SELECT id FROM files WHERE message_id = $1', [id]);
    const content = await stack.call('GET', `/incoming-documents/${id}/files/${file?.id}`);
    const sent = memo.documents[0]?.files[0]?.content as Buffer;
    expect(sent.equals(Buffer.from(await content.arrayBuffer()))).toBe(true);
  });
});

// The transaction has locked the id and waits for a client that will never return.
test('a transaction of a receiver whose machine is gone does not keep another one from accepting the message', {
  tags: 'long',
}, async () => {
  const deliverToGone = await start({ DATABASE_URL: relay.url });
  const memo = newMemo({});
  relay.failAt('insert-messages', { when: 'after', how: 'silence' });
  void deliverToGone(writeMemo(memo)).catch(() => {});
  await vi.waitFor(async () => {
    const idle = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'`;
    expect(await stack.sql(idle)).toHaveLength(1);
  }, 10_000);

  const answers = await Promise.all([memo, newMemo({})].map((each) => stack.deliver(writeMemo(each))));

  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  expect((await messageOf(stack, memo.messageUUID)).status).toBe('pending');
});

test('the receipt does not wait for the queue', async () => {
  const deliver = await start({ QUEUE_URL: relay.url });
  const memo = newMemo(replyTo('9d3e7e2c-0a5b-4d0e-8a2e-0f3f5f0f4c11'));
  await relay.cut();

  const answer = await deliver(writeMemo(memo));

  expect(answer.status).toBe(200);
  expect((await messageOf(stack, memo.messageUUID)).status).toBe('pending');
});
