import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BlobStore, createSealer, openSealedFile } from '../../src/content/index.js';
import {
  alteredStore,
  blobNameOf,
  bytes,
  entriesOf,
  fileOf,
  filesBelow,
  MESSAGE_ID,
  MUNICIPALITY,
  openBelow,
  readFile,
  requestOf,
  sealMessage,
  setting,
} from './support.js';

const SEGMENT = 65_536;
const EDGES = [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT, 9 * SEGMENT + 7];

describe('sealing and opening', () => {
  it.each(EDGES)('returns a file of %i bytes', async (size) => {
    const here = await setting();
    const content = bytes(size);
    const message = await sealMessage(here, [content]);
    const sha256 = createHash('sha256').update(content).digest('hex');
    expect(fileOf(message, 0)).toMatchObject({ index: 0, size, sha256, crc32: crc32(content) });
    expect((await readFile(here.blobs, message, fileOf(message, 0))).equals(content)).toBe(true);
  });

  it.each([
    ['one byte', [1]],
    ['a segment', [SEGMENT]],
    ['a byte more than a segment', [SEGMENT + 1]],
    ['the borders on either side', [SEGMENT - 1, 2, SEGMENT + 1]],
    ['a quarter of a megabyte', [262_144]],
    ['nothing, then something', [0, 50_000]],
  ])('accepts pieces of %s', async (_name, pieceSizes) => {
    const here = await setting();
    const contents = EDGES.filter((size) => size < 3 * SEGMENT).map((size, seed) => bytes(size, seed));
    const message = await sealMessage(here, contents, { pieceSizes });
    for (const [index, content] of contents.entries()) {
      expect((await readFile(here.blobs, message, fileOf(message, index))).equals(content)).toBe(true);
      expect(fileOf(message, index).crc32).toBe(crc32(content));
    }
  });

  it('returns any files, written in any pieces', async () => {
    const here = await setting();
    const size = fc.oneof(fc.constantFrom(...EDGES), fc.nat(3 * SEGMENT));
    const piece = fc.oneof(fc.integer({ min: 1, max: 100_000 }), fc.constantFrom(SEGMENT, 196_608, 262_144));
    await fc.assert(
      fc.asyncProperty(
        fc.array(size, { minLength: 1, maxLength: 4 }),
        fc.array(piece, { minLength: 1, maxLength: 5 }),
        async (sizes, pieceSizes) => {
          const contents = sizes.map((each, seed) => bytes(each, seed));
          const message = await sealMessage(here, contents, {
            pieceSizes: pieceSizes.map((each) => Math.max(each, 500)),
          });
          for (const [index, content] of contents.entries()) {
            expect((await readFile(here.blobs, message, fileOf(message, index))).equals(content)).toBe(true);
          }
          await here.blobs.remove(blobNameOf(message.container));
        },
      ),
      { numRuns: 25 },
    );
  });

  it('keeps many small files in one container', async () => {
    const here = await setting();
    const contents = Array.from({ length: 300 }, (_, index) => bytes(index * 11, index));
    const message = await sealMessage(here, contents);
    const entries = await entriesOf(here.blobs.list());
    expect(entries).toMatchObject([
      { name: blobNameOf(message.container), size: message.container.size, finished: true },
    ]);
    for (const index of [0, 1, 150, 299]) {
      expect((await readFile(here.blobs, message, fileOf(message, index))).equals(contents[index] ?? bytes(0))).toBe(
        true,
      );
    }
  });

  it('accepts indexes with gaps', async () => {
    const { blobs, keys, hashingThread } = await setting();
    const sealer = createSealer({ blobs, keys, hashingThread, messageId: MESSAGE_ID, smallBytes: 0 });
    await sealer.openFile(3).end();
    expect(await sealer.openFile(4_294_967_294).end()).toMatchObject({ index: 4_294_967_294, size: 0 });
  });

  it('leaves nothing readable in the store', async () => {
    const here = await setting();
    const content = Buffer.alloc(200_000, 'bekymring');
    const { container } = await sealMessage(here, [content]);
    const reader = await here.blobs.open(blobNameOf(container), { start: 0, end: container.size });
    const stored = Buffer.alloc(container.size);
    await reader?.read(stored);
    await reader?.close();
    expect(stored.includes('bekymring')).toBe(false);
    expect(stored.includes(MESSAGE_ID)).toBe(false);
  });

  it('seals the same message under another key and name each time', async () => {
    const here = await setting();
    const first = await sealMessage(here, [bytes(10)]);
    const second = await sealMessage(here, [bytes(10)]);
    expect(first.dataKey).not.toEqual(second.dataKey);
    expect(blobNameOf(first.container)).not.toBe(blobNameOf(second.container));
  });

  it('stores nothing for a message without files', async () => {
    const { folder, blobs, keys, hashingThread } = await setting();
    const sealer = createSealer({ blobs, keys, hashingThread, messageId: MESSAGE_ID, smallBytes: 0 });
    expect(await sealer.commit({ municipality: MUNICIPALITY })).toBeUndefined();
    expect(await filesBelow(folder)).toEqual([]);
  });
});

describe('a range', () => {
  it('is the slice of the file, for any start and end', async () => {
    const here = await setting();
    const contents = [bytes(1000, 1), bytes(9 * SEGMENT + 7, 2), bytes(2 * SEGMENT, 3)];
    const message = await sealMessage(here, contents);
    const near = (size: number) =>
      fc.oneof(fc.nat(size), fc.constantFrom(0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 4 * SEGMENT, size - 1, size));
    const ranges = fc.nat(2).chain((index) => {
      const size = contents[index]?.length ?? 0;
      return fc.tuple(fc.constant(index), near(size), near(size)).filter(([, ...ends]) => Math.max(...ends) <= size);
    });
    await fc.assert(
      fc.asyncProperty(ranges, async ([index, one, other]) => {
        const range = { start: Math.min(one, other), end: Math.max(one, other) };
        const part = await readFile(here.blobs, message, fileOf(message, index), range);
        expect(part.equals(contents[index]?.subarray(range.start, range.end) ?? part)).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  const noting = (blobs: BlobStore, asked: number[]) =>
    alteredStore(blobs, {
      open: (name, range) => {
        asked.push(range.end - range.start);
        return blobs.open(name, range);
      },
    });

  it('and a whole file are one read of the store, of the first file with the header before it', async () => {
    const here = await setting();
    const message = await sealMessage(here, [bytes(10), bytes(3 * SEGMENT), bytes(0)]);
    const asked: number[] = [];
    for (const index of [0, 1, 2]) await readFile(noting(here.blobs, asked), message, fileOf(message, index));
    expect(asked).toEqual([256 + 10 + 16, 3 * (SEGMENT + 16), 16]);
  });

  it('reads only the segments that it overlaps', async () => {
    const here = await setting();
    const message = await sealMessage(here, [bytes(10 * SEGMENT)]);
    const asked: number[] = [];
    const counting = noting(here.blobs, asked);
    await readFile(counting, message, fileOf(message, 0), { start: SEGMENT, end: 2 * SEGMENT });
    await readFile(counting, message, fileOf(message, 0), { start: SEGMENT - 1, end: SEGMENT + 1 });
    expect(asked).toEqual([SEGMENT + 16, 256 + 2 * (SEGMENT + 16)]);
  });

  it.each([
    { start: -1, end: 5 },
    { start: 6, end: 5 },
    { start: 0, end: 11 },
    { start: 0.5, end: 5 },
    { start: Number.NaN, end: 5 },
  ])('outside the file is refused at once ($start to $end of 10)', async (range) => {
    const here = await setting();
    const message = await sealMessage(here, [bytes(10)]);
    await expect(readFile(here.blobs, message, fileOf(message, 0), range)).rejects.toBeInstanceOf(RangeError);
  });
});

describe('a small container', () => {
  const smallBytes = 10_000;

  it('is returned instead of stored, and reads the same', async () => {
    const here = await setting();
    const contents = [bytes(4_000, 1), bytes(0), bytes(3_000, 2)];
    const message = await sealMessage(here, contents, { smallBytes });
    const { place, size } = message.container;
    expect('bytes' in place && place.bytes).toHaveLength(size);
    expect(await filesBelow(here.folder)).toEqual([]);
    for (const [index, content] of contents.entries()) {
      const file = fileOf(message, index);
      expect((await readFile(here.blobs, message, file)).equals(content)).toBe(true);
      const range = { start: Math.min(100, file.size), end: Math.min(200, file.size) };
      expect(await readFile(here.blobs, message, file, range)).toEqual(content.subarray(range.start, range.end));
    }
  });

  it('is one up to the limit, and not beyond', async () => {
    const here = await setting();
    const { size } = (await sealMessage(here, [bytes(4_000)])).container;
    const atLimit = await sealMessage(here, [bytes(4_000)], { smallBytes: size });
    expect(atLimit.container.place).toHaveProperty('bytes');
    const over = await sealMessage(here, [bytes(4_000)], { smallBytes: size - 1 });
    expect(over.container.place).toHaveProperty('blobName');
  });

  it('detects tampering as a stored one does', async () => {
    const here = await setting();
    const message = await sealMessage(here, [bytes(4_000)], { smallBytes });
    const { place } = message.container;
    if ('bytes' in place) place.bytes.writeUInt8(place.bytes.readUInt8(1_000) ^ 1, 1_000);
    await expect(readFile(here.blobs, message, fileOf(message, 0))).rejects.toMatchObject({ code: 'content-damaged' });
  });
});

describe('a reader that stops early', () => {
  it.runIf(process.platform === 'linux')('leaves nothing open', async () => {
    const here = await setting();
    const message = await sealMessage(here, [bytes(20 * SEGMENT)]);
    const request = requestOf(here.blobs, message, fileOf(message, 0));

    const neverRead = openSealedFile(request);
    neverRead.destroy();
    await once(neverRead, 'close');

    const leftAtOnce = openSealedFile(request);
    leftAtOnce.resume();
    leftAtOnce.destroy();
    await once(leftAtOnce, 'close');

    for await (const _chunk of openSealedFile(request)) break;

    const brokenSink = new Writable({ write: (_chunk, _encoding, done) => done(new Error('gone')) });
    await expect(pipeline(openSealedFile(request), brokenSink)).rejects.toThrow('gone');

    const slow = openSealedFile(request);
    await once(slow, 'readable');
    expect(await openBelow(here.folder)).toHaveLength(1);
    slow.destroy();
    await once(slow, 'close');
    expect(await openBelow(here.folder)).toEqual([]);
  });

  it('fails with a Problem when the container is missing', async () => {
    const here = await setting();
    const message = await sealMessage(here, [bytes(10)]);
    await here.blobs.remove(blobNameOf(message.container));
    await expect(readFile(here.blobs, message, fileOf(message, 0))).rejects.toMatchObject({
      name: 'Problem',
      code: 'content-gone',
    });
  });
});

describe('aborting', () => {
  it.each([
    ['before any file', async () => {}],
    [
      'in a small file',
      async (sealer: ReturnType<typeof createSealer>) => void (await sealer.openFile(0).write(bytes(10))),
    ],
    [
      'in a large file',
      async (sealer: ReturnType<typeof createSealer>) => void (await sealer.openFile(0).write(bytes(1_000_000))),
    ],
    ['after a file', async (sealer: ReturnType<typeof createSealer>) => void (await sealer.openFile(0).end())],
  ])('%s leaves nothing', async (_when, before) => {
    const { folder, blobs, keys, hashingThread } = await setting();
    const sealer = createSealer({ blobs, keys, hashingThread, messageId: MESSAGE_ID, smallBytes: 0 });
    await before(sealer);
    await sealer.abort();
    await sealer.abort();
    expect(await filesBelow(folder)).toEqual([]);
    expect(await openBelow(folder)).toEqual([]);
  });

  it('makes writes, and a commit, fail from then on', async () => {
    const { folder, blobs, keys, hashingThread } = await setting();
    const sealer = createSealer({ blobs, keys, hashingThread, messageId: MESSAGE_ID, smallBytes: 0 });
    await sealer.openFile(0).end();
    const file = sealer.openFile(1);
    await sealer.abort();
    await expect(file.write(bytes(10))).rejects.toThrow('discarded');
    const other = createSealer({ blobs, keys, hashingThread, messageId: MESSAGE_ID, smallBytes: 0 });
    await other.openFile(0).end();
    await other.abort();
    await expect(other.commit({ municipality: MUNICIPALITY })).rejects.toThrow('discarded');
    expect(await filesBelow(folder)).toEqual([]);
  });

  it('makes a write fail that waits for the store', async () => {
    const here = await setting();
    const store = held(here.blobs);
    const sealer = createSealer({ ...here, blobs: store.blobs, messageId: MESSAGE_ID, smallBytes: 0 });
    const waiting = sealer.openFile(0).write(bytes(2_000_000));
    const aborting = sealer.abort();
    store.release();
    await expect(waiting).rejects.toThrow('discarded');
    await aborting;
    expect(await filesBelow(here.folder)).toEqual([]);
    expect(await openBelow(here.folder)).toEqual([]);
  });

  it('during or after a commit removes nothing', async () => {
    const { blobs, keys, hashingThread } = await setting();
    const sealer = createSealer({ blobs, keys, hashingThread, messageId: MESSAGE_ID, smallBytes: 0 });
    await sealer.openFile(0).end();
    const committing = sealer.commit({ municipality: MUNICIPALITY });
    await sealer.abort();
    const container = await committing;
    await sealer.abort();
    expect(await entriesOf(blobs.list())).toMatchObject([{ name: blobNameOf(container), finished: true }]);
  });
});

describe('a sealer', () => {
  it('accepts one file at a time, each index once, in increasing order', async () => {
    const { blobs, keys, hashingThread } = await setting();
    const sealer = createSealer({ blobs, keys, hashingThread, messageId: MESSAGE_ID, smallBytes: 0 });
    for (const index of [-1, 0.5, 4_294_967_295]) expect(() => sealer.openFile(index)).toThrow('is not a whole number');
    const file = sealer.openFile(1);
    expect(() => sealer.openFile(2)).toThrow('File 1 has not ended.');
    await expect(sealer.commit({ municipality: MUNICIPALITY })).rejects.toThrow('File 1 has not ended.');
    await file.end();
    expect(() => file.write(bytes(1))).toThrow('File 1 has ended.');
    await expect(file.end()).rejects.toThrow('File 1 has ended.');
    for (const index of [1, 0]) expect(() => sealer.openFile(index)).toThrow('is not a whole number from 2');
    await sealer.commit({ municipality: MUNICIPALITY });
    expect(() => sealer.openFile(2)).toThrow('already committed');
    await expect(sealer.commit({ municipality: MUNICIPALITY })).rejects.toThrow('already committed');
  });

  it('makes the caller wait only while the store is behind, and buffers no more than two writes', async () => {
    const here = await setting();
    const store = held(here.blobs);
    const sealer = createSealer({ ...here, blobs: store.blobs, messageId: MESSAGE_ID, smallBytes: 0 });
    const content = bytes(40 * SEGMENT);
    const file = sealer.openFile(0);
    let taken = 0;
    let waiting: Promise<void> | undefined;
    while (waiting === undefined) {
      waiting = file.write(content.subarray(taken, taken + 50_000));
      taken += 50_000;
    }
    // Twice six segments are buffered; the first six are being written.
    expect(taken).toBe(Math.ceil((12 * SEGMENT) / 50_000) * 50_000);
    expect(() => file.write(content)).toThrow('has not settled');
    store.release();
    await waiting;
    await file.write(content.subarray(taken));
    expect(Math.max(...store.sizes)).toBe(256 + 6 * (SEGMENT + 16));
    const sealed = await file.end();
    await sealer.commit({ municipality: MUNICIPALITY });
    expect(sealed.sha256).toBe(createHash('sha256').update(content).digest('hex'));
  });

  it('also waits for the store at the end of a file', async () => {
    const here = await setting();
    const store = held(here.blobs);
    const sealer = createSealer({ ...here, blobs: store.blobs, messageId: MESSAGE_ID, smallBytes: 0 });
    const first = sealer.openFile(0);
    for (let half = 0; half < 24; half += 1) expect(first.write(bytes(SEGMENT / 2))).toBeUndefined();
    await first.end();
    // The header is in the first write only: the second has room for its 256 bytes, 16 empty files.
    for (let index = 1; index <= 16; index += 1) await sealer.openFile(index).end();
    const ending = sealer.openFile(17).end();
    store.release();
    await ending;
    await sealer.commit({ municipality: MUNICIPALITY });
    expect(store.sizes).toEqual([256 + 6 * (SEGMENT + 16), 6 * (SEGMENT + 16) + 256, 16]);
  });

  it('writes a small message in one write', async () => {
    const here = await setting();
    const store = held(here.blobs);
    store.release();
    await sealMessage({ ...here, blobs: store.blobs }, [bytes(3000), bytes(0), bytes(100_000)]);
    expect(store.sizes).toEqual([256 + 3016 + 16 + 100_032]);
  });

  it('passes an error of the store to the waiting call, and leaves nothing', async () => {
    const here = await setting();
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    const store = held(here.blobs);
    const sealer = createSealer({ ...here, blobs: store.blobs, messageId: MESSAGE_ID, smallBytes: 0 });
    const file = sealer.openFile(0);
    const waiting = file.write(bytes(2_000_000));
    store.fail(full);
    await expect(waiting).rejects.toBe(full);
    await sealer.abort();
    expect(await filesBelow(here.folder)).toEqual([]);
    expect(await openBelow(here.folder)).toEqual([]);
  });
});

/** A store whose writes wait until they are released or made to fail. */
function held(blobs: BlobStore) {
  const sizes: number[] = [];
  let writing = false;
  const gate = new EventEmitter();
  const opened = once(gate, 'open');
  opened.catch(() => {}); // in some tests it fails before a write waits for it
  const create: BlobStore['create'] = async () => {
    const blob = await blobs.create();
    return {
      name: blob.name,
      write: async (...pieces) => {
        if (writing) throw new Error('A second write began before the first ended.');
        writing = true;
        sizes.push(Buffer.concat(pieces).length);
        await opened;
        await blob.write(...pieces);
        writing = false;
      },
      commit: () => blob.commit(),
      abort: () => blob.abort(),
    };
  };
  return {
    blobs: alteredStore(blobs, { create }),
    sizes,
    release: () => gate.emit('open'),
    fail: (error: Error) => gate.emit('error', error),
  };
}
