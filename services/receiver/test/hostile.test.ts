import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startTestStack, type TestStack } from '../../../infra/test/support/stack.js';
import type { Hostile } from './hostile/hostile.js';
import { HOSTILE } from './hostile/index.js';
import { openConnection } from './support/raw-http.js';
import { type ReceiverProcess, startReceiverProcess } from './support/receiver-process.js';
import { whatIsStored } from './support/stored.js';

const MiB = 2 ** 20;
const MAX_GROWTH = 30 * MiB;
const PATIENCE = { timeout: 15_000, interval: 50 };

let stack: TestStack;
let receiver: ReceiverProcess;
beforeAll(async () => {
  stack = await startTestStack();
  receiver = await startReceiverProcess({ ...stack.env, MAX_UPLOAD_SECONDS: '1' });
});
afterAll(async () => {
  expect(await receiver.stop()).toBe(0);
  await stack.close();
});

async function answerTo(hostile: Hostile): Promise<string> {
  if ('play' in hostile) {
    const connection = await openConnection(receiver.url);
    return hostile.play(connection).finally(() => connection.close());
  }
  const { body, headers = {}, path = '/sf1606/PostModtag' } = hostile;
  const answer = await fetch(`${receiver.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/xml', ...headers },
    body: body(),
  });
  const text = await answer.text();
  if (text.includes('COMPLETED')) return 'accepted';
  return /<errorCode>([^<]+)</.exec(text)?.[1] ?? `http ${answer.status}`;
}

/** Messages, and whatever has no business without one: containers, unfinished files. */
async function messagesAndOrphans() {
  const { rows, files } = await whatIsStored(stack);
  const [named] = await stack.sql<{ count: number }>('SELECT count(*)::int FROM messages WHERE blob_name IS NOT NULL');
  return {
    messages: rows.messages ?? 0,
    details: rows.message_details ?? 0,
    orphans: files.length - (named?.count ?? 0),
  };
}

async function expectAnswer(hostile: Hostile): Promise<void> {
  const { messages } = await messagesAndOrphans();

  const answer = await answerTo(hostile);

  const now = messages + (answer === 'accepted' ? 1 : 0);
  expect(answer).toBe(hostile.answer);
  // A peer that went away is noticed a little later.
  await vi.waitFor(
    async () => expect(await messagesAndOrphans()).toEqual({ messages: now, details: now, orphans: 0 }),
    PATIENCE,
  );
  expect((await fetch(`${receiver.url}/healthz`)).status).toBe(200);
}

const residentBytes = () =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${receiver.pid}/status`, 'utf8'))?.[1]) * 1_024;

const cases = Object.entries(HOSTILE);

describe('what is hostile gets its answer, leaves nothing, and the process lives:', () => {
  test.each(cases)('%s', async (_fault, hostile) => expectAnswer(hostile));
});

test('all of it once more takes no more memory', { timeout: 300_000 }, async ({ skip }) => {
  skip(process.platform !== 'linux', 'Only Linux tells the memory of another process, in /proc.');
  const before = residentBytes();

  for (const [, hostile] of cases) await expectAnswer(hostile);

  const growth = residentBytes() - before;
  const inMiB = (growth / MiB).toFixed(1);
  console.info(`hostile: ${cases.length} cases, all answered as expected; second pass ${inMiB} MiB more memory`);
  expect(growth).toBeLessThan(MAX_GROWTH);
});

test('the process said nothing on standard error, and ended no upload badly', async () => {
  const faults = receiver.lines.filter((line) => !line.startsWith('{') || line.includes('"level":"error"'));
  expect(faults).toEqual([]);
});
