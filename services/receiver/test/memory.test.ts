import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { expect, onTestFinished, test } from 'vitest';
import { writeDistribution } from '../../../infra/src/local/distribution/write-distribution.js';
import { REST_PATH } from '../../../infra/src/testkit/deliver.js';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { type MemoSpec, streamMemo, writeMemo } from '../../../infra/src/testkit/write-memo.js';
import { newMemo } from './support/memos.js';
import { startReceiverProcess } from './support/receiver-process.js';
import { messageOf } from './support/stored.js';

const MiB = 2 ** 20;
// 99.5 MiB of XML, base64 included: Digital Post’s limit, if its MB are MiB.
const LARGEST = 104_333_312;
const MAX_GROWTH = 60 * MiB;
const WARM_UP = 50;

/** A MeMo whose XML has exactly this many bytes. */
function memoOf(bytes: number): MemoSpec & { messageUUID: string } {
  const frame = newMemo({ subject: '', documents: [fileOf(0)] });
  const rest = bytes - writeMemo(frame).length;
  // Base64 comes in fours; the subject takes the remainder.
  return { ...frame, subject: 'x'.repeat(rest % 4), documents: [fileOf(Math.floor(rest / 4) * 3)] };
}

function fileOf(size: number) {
  return { files: [{ name: 'stor.bin', type: 'application/octet-stream', content: randomBytes(size) }] };
}

async function deliver(url: string, body: Readable, length: number, path = REST_PATH): Promise<string> {
  const headers = { 'content-type': 'application/xml', 'content-length': length, accept: 'application/json' };
  const sent = request(url + path, { method: 'POST', headers });
  const answered = new Promise<IncomingMessage>((resolve, reject) => sent.on('response', resolve).on('error', reject));
  await pipeline(body, sent);
  return text(await answered);
}

/** Memory of a process, in bytes: VmRSS is current, VmHWM the peak. */
function memoryOf(pid: number, what: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`${what}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1_024;
}

/** What is delivered, in pieces. */
interface Delivery {
  readonly path?: string;
  readonly body: Iterable<Buffer> | AsyncIterable<Buffer>;
  readonly length: number;
}

/** The peak over idle, in bytes, while a receiver of its own takes a delivery. */
async function peakOf(
  { path, body, length }: Delivery,
  check: (stack: TestStack, receipt: string) => Promise<void>,
): Promise<number> {
  const stack = await startTestStack();
  const receiver = await startReceiverProcess(stack.env);
  onTestFinished(async () => {
    await receiver.stop();
    await stack.close();
  });
  for (let n = 0; n < WARM_UP; n += 1) await deliver(receiver.url, streamMemo({}), writeMemo({}).length);
  const idle = memoryOf(receiver.pid, 'VmRSS');
  const receipt = await deliver(receiver.url, Readable.from(body), length, path);

  const growth = memoryOf(receiver.pid, 'VmHWM') - idle;
  await check(stack, receipt);
  console.info(`idle ${(idle / MiB).toFixed(1)} MiB, at peak ${(growth / MiB).toFixed(1)} MiB more`);
  expect(await receiver.stop()).toBe(0);
  return growth;
}

const onlyOnLinux = (skip: (condition: boolean, note: string) => void) =>
  skip(process.platform !== 'linux', 'Only Linux shows the peak memory of another process, in /proc.');

test('the largest message takes the receiver less than 60 MiB of memory over idle', { tags: 'long' }, async ({
  skip,
}) => {
  onlyOnLinux(skip);
  const memo = memoOf(LARGEST);
  const growth = await peakOf({ body: streamMemo(memo), length: LARGEST }, async (stack, receipt) => {
    expect(JSON.parse(receipt)).toMatchObject({ receiptStatus: 'COMPLETED' });
    const content = memo.documents?.[0]?.files[0]?.content.length;
    expect((await messageOf(stack, memo.messageUUID)).content_size).toBe(String(content));
  });
  expect(growth).toBeLessThan(MAX_GROWTH);
});

test('so does one with a fault at its last byte, which is kept', { tags: 'long' }, async ({ skip }) => {
  onlyOnLinux(skip);
  const memo = memoOf(LARGEST);
  const body = followedBy(streamMemo(memo), '<');
  const growth = await peakOf({ body, length: LARGEST + 1 }, async (stack, receipt) => {
    expect(JSON.parse(receipt)).toMatchObject({ errorCode: 'not-xml' });
    const kept = { message_uuid: memo.messageUUID, size: String(LARGEST + 1), key: true };
    expect(await stack.sql('SELECT *, key_id IS NOT NULL AS key FROM quarantine_entries')).toMatchObject([kept]);
  });
  expect(growth).toBeLessThan(MAX_GROWTH);
});

async function* followedBy(body: AsyncIterable<Buffer> | Iterable<Buffer>, end: string): AsyncGenerator<Buffer> {
  yield* body;
  yield Buffer.from(end);
}

test('so does the largest form from Fordelingskomponenten', { tags: 'long' }, async ({ skip }) => {
  onlyOnLinux(skip);
  const [head = '', tail = ''] = writeDistribution({ object: { type: 'FORMULAR', content: Buffer.from('x') } }).split(
    'eA==',
  );
  const piece = Buffer.from(randomBytes(3 * 64 * 1_024).toString('base64'));
  const pieces = Math.floor((LARGEST - head.length - tail.length) / piece.length);
  const body = [Buffer.from(head), ...Array.from({ length: pieces }, () => piece), Buffer.from(tail)];
  const length = body.reduce((sum, bytes) => sum + bytes.length, 0);

  const growth = await peakOf({ path: '/sf2900/soap', body, length }, async (stack, receipt) => {
    expect(receipt).toContain('ACCEPTERET');
    expect(await stack.sql('SELECT content_size FROM messages WHERE channel = $1', ['sf2900'])).toEqual([
      { content_size: String((pieces * piece.length * 3) / 4) },
    ]);
  });

  expect(growth).toBeLessThan(MAX_GROWTH);
});
