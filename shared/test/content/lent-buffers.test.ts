import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Buffers, PIECE_SIZE } from '../../src/content/buffers.js';
import { HashingThread } from '../../src/content/hashing-thread.js';
import { createSealer, type SealedFile } from '../../src/content/index.js';
import { dataKeyContext } from '../../src/keys/index.js';
import { MEMO, MEMO_NAMESPACE } from '../../src/memo/index.js';
import { readXml } from '../../src/xml/index.js';
import { chunked, LIMITS } from '../memo/reading.js';
import { bytes, MESSAGE_ID, MUNICIPALITY, readFile, setting, writeLent } from './support.js';

const SEGMENT = 65_536;
const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');

describe('a file written from lent buffers', () => {
  it.each([
    ['nothing', [0]],
    ['a small one', [1000]],
    ['one segment', [SEGMENT]],
    ['a segment and a byte', [SEGMENT + 1]],
    ['a segment and a piece', [SEGMENT + PIECE_SIZE]],
    ['a large one', [3_000_001]],
    ['small ones after a large one', [1_000_000, 10, SEGMENT, 0, 70_000]],
    ['several large ones', [1_000_000, 2_000_000, 900_000]],
  ])('has its sums and reads back: %s', async (_what, sizes) => {
    const here = await setting();
    const contents = sizes.map((size, seed) => bytes(size, seed + 1));

    const message = await sealLent(here, contents);

    expect(message.files.map((file) => file.sha256)).toEqual(contents.map(sha256));
    expect(message.files.map((file) => file.crc32)).toEqual(contents.map((content) => crc32(content)));
    for (const [index, content] of contents.entries()) {
      const read = await readFile(here.blobs, message, message.files[index] as SealedFile);
      expect(read.equals(content)).toBe(true);
    }
  });

  it('is not mixed with others written at the same time, even more than there are blocks for', async () => {
    const here = await setting();
    const contents = Array.from({ length: 12 }, (_, seed) => bytes(1_000_000 + seed, seed));

    const messages = await Promise.all(contents.map((content) => sealLent(here, [content])));

    expect(messages.map(({ files }) => files[0]?.sha256)).toEqual(contents.map(sha256));
    expect(messages.map(({ files }) => files[0]?.crc32)).toEqual(contents.map((content) => crc32(content)));
  });

  it('fails when the thread ends, and the next file starts a new one', async () => {
    const here = await setting();
    const sealer = createSealer({ ...here, messageId: MESSAGE_ID, smallBytes: 0 });
    const file = sealer.openFile(0);
    await file.write(file.lend(0));
    // Invalid input ends the thread, as a lack of memory would.
    const faulty = { buffer: new SharedArrayBuffer(1), length: SEGMENT } as unknown as Buffer;
    const ended = here.hashingThread.begin().update(faulty);
    await expect(ended).rejects.toThrow();

    await expect(file.end()).rejects.toThrow();
    await sealer.abort();
    const content = bytes(1_000_000);
    expect((await sealLent(here, [content])).files[0]?.sha256).toBe(sha256(content));
  });
});

describe('the hashing thread', () => {
  it('does not keep the process alive', async () => {
    const module = new URL('../../dist/content/index.js', import.meta.url).href;
    const use =
      'const hash = thread.begin(); await hash.update(Buffer.from("x")); console.log((await hash.digest()).sha256);';
    for (const [then, printed] of [
      ['', ''],
      [use, `${sha256(Buffer.from('x'))}\n`],
    ]) {
      const code = `const { HashingThread } = await import(${JSON.stringify(module)}); const thread = new HashingThread(); ${then}`;
      const options = ['--input-type=module', '--eval', code];
      const { stdout } = await promisify(execFile)(process.execPath, options, { timeout: 10_000 });
      expect(stdout).toBe(printed);
    }
  });

  it('has no digest of a hash that was not begun', async () => {
    await expect(new HashingThread().begin().digest()).rejects.toThrow();
  });
});

describe('lent buffers', () => {
  it('come without their former content', () => {
    for (const isShared of [false, true]) {
      const [first, next] = [new Buffers(), new Buffers()];
      const both = (buffers: Buffers) =>
        [0, 1].map(() => {
          const lent = buffers.lend(64);
          buffers.swap();
          return lent;
        });
      if (isShared) first.share(first.lend(0));
      const used = both(first).map((lent) => lent.fill('bekymring').buffer);
      first.release();

      if (isShared) next.share(next.lend(0));
      const again = both(next);
      expect(new Set(again.map(({ buffer }) => buffer))).toEqual(new Set(used));
      for (const lent of again) expect(lent.equals(Buffer.alloc(lent.length))).toBe(true);
      next.release();
    }
  });

  it('are blocks for eight messages, and segments for others while all are in use', () => {
    const all = takeBlocks();

    expect(all).toHaveLength(8);
    const another = new Buffers();
    expect(another.share(another.lend(0))).toBeUndefined();
    expect(another.lend(0)).toHaveLength(SEGMENT);
    for (const buffers of [...all, another]) buffers.release();
  });

  it('are released by every message, however it ends', async () => {
    const here = await setting();
    const base64 = bytes(1_200_000).toString('base64');
    const ends = {
      well: `${base64}</m:content></m:File></m:Message>`,
      'cut off': base64,
      'with invalid base64': `${base64}!</m:content></m:File></m:Message>`,
    };
    for (let round = 0; round < 10; round += 1) {
      for (const [how, end] of Object.entries(ends)) {
        const sealer = createSealer({ ...here, messageId: MESSAGE_ID, smallBytes: 0 });
        const xml = Buffer.from(`<m:Message xmlns:m="${MEMO_NAMESPACE}"><m:File><m:content>${end}`);
        const reading = readXml(MEMO, chunked(xml, [65_536]), (index) => sealer.openFile(index), LIMITS);
        expect((await Promise.allSettled([reading]))[0]?.status).toBe(how === 'well' ? 'fulfilled' : 'rejected');
        if (how === 'well' && round % 2 === 0) await sealer.commit({ municipality: MUNICIPALITY });
        else await sealer.abort();
      }
    }

    const all = takeBlocks();
    expect(all).toHaveLength(8);
    for (const buffers of all) buffers.release();
  });
});

async function sealLent(here: Awaited<ReturnType<typeof setting>>, contents: readonly Buffer[]) {
  const sealer = createSealer({ ...here, messageId: MESSAGE_ID, smallBytes: 0 });
  const files: SealedFile[] = [];
  for (const [index, content] of contents.entries()) {
    const file = sealer.openFile(index);
    await writeLent(file, content);
    files.push(await file.end());
  }
  const container = await sealer.commit({ municipality: MUNICIPALITY });
  if (!container) throw new Error('There was no file to seal.');
  const dataKey = await here.keys.unwrap(container.wrappedKey, dataKeyContext(MESSAGE_ID, MUNICIPALITY));
  return { messageId: MESSAGE_ID, container, files, dataKey };
}

/** Takes all free blocks. */
function takeBlocks(): Buffers[] {
  const taken: Buffers[] = [];
  for (let buffers = new Buffers(); buffers.share(buffers.lend(0)); buffers = new Buffers()) taken.push(buffers);
  return taken;
}
