import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { CRASH_POINT_CHANNEL, type CrashPointMessage } from '@indbakke/shared/crash-points';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { writeMemo } from '../../../infra/src/testkit/write-memo.js';
import { binaryFile, newMemo } from './support/memos.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack.close());

// Passed at its own time.
const NUMBERERS: readonly string[] = ['positions-written', 'positions-committed'];

/** The crash points passed between sending a message and its receipt, then the status. */
async function crashPointsOf(xml: string | Buffer): Promise<string[]> {
  const points: string[] = [];
  const listen = (message: unknown) => {
    const { point } = message as CrashPointMessage;
    if (!NUMBERERS.includes(point)) points.push(point);
  };
  subscribe(CRASH_POINT_CHANNEL, listen);
  try {
    const answer = await stack.deliver(xml);
    return [...points, String(answer.status)];
  } finally {
    unsubscribe(CRASH_POINT_CHANNEL, listen);
  }
}

/** Too large for the database. */
const withLargeFile = () => newMemo({ documents: [{ files: [binaryFile(100_000)] }] });

const CONTENT_DURABLE = ['content-written', 'content-synced', 'content-renamed', 'folder-synced'];

test('the content is durable before the rows, the rows before the receipt', async () => {
  expect(await crashPointsOf(writeMemo(withLargeFile()))).toEqual([...CONTENT_DURABLE, 'message-committed', '200']);
});

test('small content is durable with the rows', async () => {
  expect(await crashPointsOf(writeMemo())).toEqual(['message-committed', '200']);
});

test('a message without files has only rows', async () => {
  const xml = writeMemo()
    .toString()
    .replace(/<memo:MessageBody>.*<\/memo:MessageBody>/s, '');

  expect(await crashPointsOf(xml)).toEqual(['message-committed', '200']);
});

test('the content of a duplicate is removed before it gets the first receipt', async () => {
  const xml = writeMemo(withLargeFile());
  await stack.deliver(xml);

  expect(await crashPointsOf(xml)).toEqual([
    ...CONTENT_DURABLE,
    'message-committed',
    'content-removed',
    'removal-synced',
    '200',
  ]);
});

test('a refused message passes no crash point', async () => {
  expect(await crashPointsOf(writeMemo({ recipient: { id: '99999999' } }))).toEqual(['403']);
});

test('a delivery that cannot be read is sealed before its entry, and the entry is durable before the refusal', async () => {
  // The files that were read are sealed, and removed when the bytes as they came have been made of them.
  expect(await crashPointsOf(`${writeMemo(withLargeFile())}<`)).toEqual([
    ...CONTENT_DURABLE,
    'content-removed',
    'removal-synced',
    ...CONTENT_DURABLE,
    'quarantine-sealed',
    'quarantine-committed',
    '400',
  ]);
});
