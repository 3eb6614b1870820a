import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { FileHash } from '../../src/content/file-hash.js';
import { HashingThread } from '../../src/content/hashing-thread.js';
import { BLOCK_SIZE, giveBlockBack, PIECE_SIZE, takeBlock } from '../../src/flow/index.js';
import { bytes } from './support.js';

const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');
const thread = new HashingThread();

/** In pieces of these sizes, over and over. */
async function hashInPieces(content: Buffer, sizes: readonly number[], inBlock: boolean): Promise<string> {
  const hash = new FileHash(thread);
  const block = takeBlock();
  for (let at = 0, piece = 0; at < content.length; piece += 1) {
    const end = at + (sizes[piece % sizes.length] as number);
    const size = content.copy(block, 0, at, end);
    await hash.update(inBlock ? block.subarray(0, size) : content.subarray(at, end));
    at = end;
  }
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

    const next = new FileHash(broken);
    await next.update(bytes(100_000));
    expect(await next.digest()).toBe(sha256(bytes(100_000)));
  });

  it('does not keep the process alive', async () => {
    const module = new URL('../../dist/content/index.js', import.meta.url).href;
    const code = `const { HashingThread } = await import(${JSON.stringify(module)}); new HashingThread().begin();`;
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], { timeout: 10_000 });
  });
});

describe('a block', () => {
  it('comes without what stood in it', () => {
    const block = takeBlock();
    block.fill('bekymring');
    giveBlockBack(block);
    const again = takeBlock();
    expect(again).toBe(block);
    expect(again.equals(Buffer.alloc(BLOCK_SIZE))).toBe(true);
  });

  it('is not given to two', () => {
    const [first, second] = [takeBlock(), takeBlock()];
    giveBlockBack(first);
    expect(takeBlock()).toBe(first);
    expect(takeBlock()).not.toBe(second);
  });
});
