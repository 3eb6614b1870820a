import { randomUUID } from 'node:crypto';
import { BIG_MEMO_BYTES, bigMemo, contentOf, sha256Of } from '../../testkit/big-memo.js';
import { type Day, findMessage } from '../day.js';
import { FATHER } from '../people.js';
import { secondsSince } from '../story.js';
import { answerOf } from './messages-arrive.js';

export const BIG_SUBJECT = 'Hele sagsmappen, scannet';

const MIB = 1024 * 1024;
// Sender and receiver share this process. A message of any size adds only buffers and garbage.
const MEMORY_LIMIT_MIB = 90;

/** A message of Digital Post’s maximum size is delivered and downloaded, never in memory as a whole. */
export async function bigMemoArrives(day: Day): Promise<{ readonly seconds: string }> {
  day.story.act('A message of 99.5 MB');
  const file = { name: 'Sagsmappe, 1.200 sider på dansk.pdf', type: 'application/pdf' };
  const memo = bigMemo({ messageUUID: randomUUID(), subject: BIG_SUBJECT, sender: FATHER }, file);
  let seconds = '';
  const grown = await growthDuring(async () => {
    seconds = await send(day, memo.pieces());
    await compareWhole(day, memo.contentSize);
    await compareRange(day, memo.contentSize);
  });
  day.story.check(`meanwhile, memory grew by ${grown} MiB (limit ${MEMORY_LIMIT_MIB})`, grown < MEMORY_LIMIT_MIB);
  return { seconds };
}

async function send({ story, post }: Day, pieces: AsyncIterable<Buffer>): Promise<string> {
  const began = performance.now();
  const body = counted(pieces, story.progress('sending', BIG_MEMO_BYTES));
  const delivery = await post.deliver(BIG_SUBJECT, body, BIG_MEMO_BYTES);
  const seconds = secondsSince(began);
  story.check(`${BIG_MEMO_BYTES} bytes of XML are accepted in ${seconds} s`, answerOf(delivery), '200 COMPLETED');
  return seconds;
}

async function compareWhole({ story, caseworker }: Day, contentSize: number): Promise<void> {
  const { id, file } = await findBigFile(caseworker);
  const expected = await sha256Of(contentOf(0, contentSize));
  story.check(
    'its file has the size and the SHA-256 of the one sent',
    [file.size, file.sha256],
    [contentSize, expected],
  );
  const download = await caseworker.file(id, file.id);
  story.check(`downloaded, all its ${contentSize} bytes are the ones sent`, await sha256Of(bodyOf(download)), expected);
}

async function compareRange({ story, caseworker }: Day, contentSize: number): Promise<void> {
  const { id, file } = await findBigFile(caseworker);
  const [first, last] = [65_000_001, 65_299_999];
  const part = await caseworker.file(id, file.id, `bytes=${first}-${last}`);
  story.check(
    'a part from the middle (Range) is answered 206 with its range',
    [part.status, part.headers.get('content-range')],
    [206, `bytes ${first}-${last}/${contentSize}`],
  );
  const expected = await sha256Of(contentOf(first, last + 1));
  story.check(`its ${last + 1 - first} bytes are the ones sent`, await sha256Of(bodyOf(part)), expected);
}

async function findBigFile(caseworker: Day['caseworker']) {
  const { id, documents } = await findMessage(caseworker, { subject: BIG_SUBJECT });
  const file = documents[0]?.files[0];
  if (!file) throw new Error('The big message has no file.');
  return { id, file };
}

function bodyOf({ body }: Response): AsyncIterable<Uint8Array> {
  if (!body) throw new Error('The answer has no body.');
  return body;
}

async function* counted(pieces: AsyncIterable<Buffer>, report: (done: number) => void): AsyncGenerator<Buffer> {
  let done = 0;
  for await (const piece of pieces) {
    yield piece;
    done += piece.length;
    report(done);
  }
}

/** How much the memory of this process grows at most, in MiB. */
async function growthDuring(work: () => Promise<void>): Promise<number> {
  const before = process.memoryUsage.rss();
  let peak = before;
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 10);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return Math.round((peak - before) / MIB);
}
