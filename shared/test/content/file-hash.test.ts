import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { FileHash } from '../../src/content/file-hash.js';
import { HashingThread } from '../../src/content/hashing-thread.js';
import { createSealer, type FileSealer } from '../../src/content/index.js';
import { BLOCK_SIZE, giveBlockBack, PIECE_SIZE, sourceOf, takeBlock } from '../../src/flow/index.js';
import { type FileSink, MEMO_NAMESPACE, readXml } from '../../src/memo/index.js';
import { chunked, LIMITS } from '../memo/reading.js';
import { bytes, MESSAGE_ID, setting } from './support.js';

const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');
const thread = new HashingThread();

/** In pieces of these sizes, over and over. */
async function hashInPieces(content: Buffer, sizes: readonly number[], inBlock: boolean): Promise<string> {
  const hash = new FileHash(thread);
  const block = takeBlock() ?? expect.unreachable();
  for (let at = 0, piece = 0; at < content.length; piece += 1) {
    const end = at + (sizes[piece % sizes.length] as number);
    const size = content.copy(block, 0, at, end);
    await hash.update(inBlock ? block.subarray(0, size) : content.subarray(at, end));
    at = end;
  }
  giveBlockBack(block);
  return hash.digest();
}

describe('the hash of a file', () => {
  it.each([
    ['nothing', 0, [1]],
    ['a small one', 1000, [999]],
    ['one that began small', 1_000_000, [100, PIECE_SIZE]],
    ['one segment', 65_536, [65_536]],
    ['large pieces', 3_000_000, [65_536, PIECE_SIZE]],
    ['a large piece and small ones', 500_000, [65_536, 7, 10_000]],
  ])('is its SHA-256: %s', async (_what, size, sizes) => {
    const content = bytes(size);
    expect(await hashInPieces(content, sizes, true)).toBe(sha256(content));
    expect(await hashInPieces(content, sizes, false)).toBe(sha256(content));
  });

  it('is that of one piece larger than a block, too', async () => {
    const content = bytes(2_000_000);
    const hash = new FileHash(thread);
    await hash.update(content);
    expect(await hash.digest()).toBe(sha256(content));
  });

  it('is not mixed with those of other files that are made at the same time', async () => {
    const contents = [1, 2, 3, 4, 5].map((seed) => bytes(1_000_000 + seed, seed));
    const hashes = await Promise.all(contents.map((content) => hashInPieces(content, [65_536, PIECE_SIZE], true)));
    expect(hashes).toEqual(contents.map(sha256));
  });

  it('fails when its thread ends, and the next file has a new one', async () => {
    const broken = new HashingThread();
    const hash = new FileHash(broken);
    await hash.update(bytes(100_000));
    // What the thread cannot read ends it, as a lack of memory would.
    const faulty = { buffer: new SharedArrayBuffer(1), length: 65_536 } as unknown as Buffer;
    await expect(hash.update(faulty)).rejects.toThrow();
    await expect(hash.digest()).rejects.toThrow();
    hash.drop();

    const next = new FileHash(broken);
    await next.update(bytes(100_000));
    expect(await next.digest()).toBe(sha256(bytes(100_000)));
  });

  it('does not keep the process alive', async () => {
    const module = new URL('../../dist/content/index.js', import.meta.url).href;
    const use = 'const hash = thread.begin(); await hash.update(Buffer.from("x")); console.log(await hash.digest());';
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
});

describe('a block', () => {
  it('comes without what stood in it', () => {
    const block = takeBlock() ?? expect.unreachable();
    block.fill('bekymring');
    giveBlockBack(block);
    const again = takeBlock() ?? expect.unreachable();
    expect(again).toBe(block);
    expect(again.equals(Buffer.alloc(BLOCK_SIZE))).toBe(true);
    giveBlockBack(again);
  });

  it('is one of few, and what finds none goes on without', async () => {
    const taken = takeAll();
    expect(new Set(taken).size).toBe(24);
    const hash = new FileHash(thread);
    expect(hash.update(bytes(100_000))).toBeUndefined();
    expect(await hash.digest()).toBe(sha256(bytes(100_000)));
    for (const block of taken) giveBlockBack(block);
  });

  it('comes back from every letter, however it ends', async () => {
    const here = await setting();
    const base64 = bytes(1_200_000).toString('base64');
    const ends = {
      well: `${base64}</m:content></m:File></m:Message>`,
      'cut off': base64,
      'with what is not base64': `${base64}!</m:content></m:File></m:Message>`,
    };
    for (let round = 0; round < 10; round += 1) {
      for (const [how, end] of Object.entries(ends)) {
        const sealer = createSealer({ ...here, messageId: MESSAGE_ID, smallBytes: 0 });
        const xml = Buffer.from(`<m:Message xmlns:m="${MEMO_NAMESPACE}"><m:File><m:content>${end}`);
        const reading = readXml(sourceOf(chunked(xml, [65_536])), (index) => sinkOf(sealer.openFile(index)), LIMITS);
        expect((await Promise.allSettled([reading]))[0]?.status).toBe(how === 'well' ? 'fulfilled' : 'rejected');
        await sealer.abort();
      }
    }
    const taken = takeAll();
    expect(taken).toHaveLength(24);
    for (const block of taken) giveBlockBack(block);
  });
});

const sinkOf = (file: FileSealer): FileSink => ({
  write: (piece) => file.write(piece),
  end: async () => void (await file.end()),
});

function takeAll(): Buffer[] {
  const taken: Buffer[] = [];
  for (let block = takeBlock(); block; block = takeBlock()) taken.push(block);
  return taken;
}
