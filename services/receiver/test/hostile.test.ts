import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { good, type Hostile } from './hostile/hostile.js';
import { HOSTILE } from './hostile/index.js';
import { openConnection } from './support/raw-http.js';
import { type ReceiverProcess, startReceiverProcess } from './support/receiver-process.js';
import { contentFiles } from './support/stored.js';

// @module-tag long

const MiB = 2 ** 20;
const MAX_GROWTH = 30 * MiB;
const MAX_PASSES = 3;
const PATIENCE = { timeout: 15_000, interval: 50 };

type Named = readonly [fault: string, hostile: Hostile];

let stack: TestStack;
let receiver: ReceiverProcess;
beforeAll(async () => {
  stack = await startTestStack();
  receiver = await startReceiverProcess({ ...stack.env, MAX_UPLOAD_SECONDS: '3', QUARANTINE_LOOP_AFTER: '1000' });
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

/** Messages, and what must not exist without one: details, containers, unfinished files. */
async function countStored() {
  const [rows] = await stack.sql<{ messages: number; details: number; named: number }>(
    `SELECT (SELECT count(*)::int FROM messages) AS messages, (SELECT count(*)::int FROM message_details) AS details,
       (SELECT count(*)::int FROM messages WHERE blob_name IS NOT NULL)
         + (SELECT count(*)::int FROM quarantine_entries WHERE blob_name IS NOT NULL) AS named`,
  );
  const { messages = 0, details = 0, named = 0 } = rows ?? {};
  return { messages, details, orphans: (await contentFiles(stack)).length - named };
}

/** Expects from each its answer, and that only the accepted ones are stored. */
async function expectAnswers(
  sent: readonly Named[],
  send: (sent: readonly Named[]) => Promise<string[]>,
): Promise<void> {
  const { messages } = await countStored();

  const answers = await send(sent);

  const now = messages + answers.filter((answer) => answer === 'accepted').length;
  const byFault = (found: readonly string[]) => Object.fromEntries(sent.map(([fault], at) => [fault, found[at]]));
  expect(byFault(answers)).toEqual(byFault(sent.map(([, { answer }]) => answer)));
  // A disconnected peer is noticed a little later.
  await vi.waitFor(
    async () => expect(await countStored()).toEqual({ messages: now, details: now, orphans: 0 }),
    PATIENCE,
  );
  expect((await fetch(`${receiver.url}/healthz`)).status).toBe(200);
}

const concurrently = (sent: readonly Named[]) => Promise.all(sent.map(([, hostile]) => answerTo(hostile)));

async function inTurn(sent: readonly Named[]): Promise<string[]> {
  const answers: string[] = [];
  for (const [, hostile] of sent) answers.push(await answerTo(hostile));
  return answers;
}

const ORDINARY_MEMOS = 150;

/** The minimum while ordinary messages arrive, which make Node collect the garbage of earlier ones. */
async function residentBytes(): Promise<number> {
  let minimum = Number.POSITIVE_INFINITY;
  for (let sent = 0; sent < ORDINARY_MEMOS; sent += 1) {
    expect(await answerTo({ body: good, answer: 'accepted' })).toBe('accepted');
    const status = readFileSync(`/proc/${receiver.pid}/status`, 'utf8');
    minimum = Math.min(minimum, Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1_024);
  }
  return minimum;
}

const cases = Object.entries(HOSTILE);
const waits = ([, hostile]: Named) => 'waits' in hostile;
const [waiting, prompt] = [cases.filter(waits), cases.filter((named) => !waits(named))];

describe('a hostile message or peer gets its answer, leaves nothing, and does not stop the process:', () => {
  test.each(prompt)('%s', async (...named) => expectAnswers([named], inTurn));
  test(`concurrently: ${waiting.map(([fault]) => fault).join('; ')}`, () => expectAnswers(waiting, concurrently));
});

// Without those that wait: they take the longest, and hardly any memory.
test('a further pass takes no more memory', { timeout: 300_000 }, async ({ skip }) => {
  skip(process.platform !== 'linux', 'Only Linux shows the memory of another process, in /proc.');
  const growths: number[] = [];
  // Once, the heap may still be finding its size; a leak grows each time.
  while (growths.length < MAX_PASSES && growths.every((growth) => growth >= MAX_GROWTH)) {
    const before = await residentBytes();
    await expectAnswers(prompt, inTurn);
    growths.push((await residentBytes()) - before);
  }

  const inMiB = growths.map((growth) => (growth / MiB).toFixed(1)).join(', ');
  console.info(`hostile: ${cases.length} cases, all answered as expected; a further pass ${inMiB} MiB more memory`);
  expect(Math.min(...growths)).toBeLessThan(MAX_GROWTH);
});

test('the process logged no error', async () => {
  const faults = receiver.lines.filter((line) => !line.startsWith('{') || line.includes('"level":"error"'));
  expect(faults).toEqual([]);
});
