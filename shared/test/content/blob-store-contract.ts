import { describe, expect, it } from 'vitest';
import type { BlobReader, BlobStore, ByteRange } from '../../src/content/index.js';
import { bytes, entriesOf } from './support.js';

/** So much that some of it has gone to the store. */
const MORE_THAN_MEMORY = 6 * 2 ** 20;

/**
 * What every blob store does.
 * @param make returns an empty store; called once per test, inside it.
 */
export function blobStoreContract(name: string, make: () => Promise<BlobStore>): void {
  describe(`${name} as a blob store`, () => {
    it('reads back what was written, in the order of the writes', async () => {
      const store = await make();
      const blob = await store.create();
      await blob.write(bytes(300_000, 1));
      await blob.write(Buffer.alloc(0));
      await blob.write(bytes(5, 2));
      const blobName = await blob.commit();
      expect(await read(store, blobName, { start: 0, end: 300_005 })).toEqual(
        Buffer.concat([bytes(300_000, 1), bytes(5, 2)]),
      );
    });

    it('knows how much can still be written, or that nobody does', async () => {
      expect((await (await make()).free()) ?? Number.POSITIVE_INFINITY).toBeGreaterThan(2 ** 20);
    });

    it('does not keep the buffer of a write', async () => {
      const store = await make();
      const blob = await store.create();
      const reused = Buffer.from('first');
      await blob.write(reused);
      reused.write('other');
      await blob.write(reused);
      expect(await read(store, await blob.commit(), { start: 0, end: 10 })).toEqual(Buffer.from('firstother'));
    });

    it('names a blob before it is finished', async () => {
      const store = await make();
      const blob = await store.create();
      expect(await blob.commit()).toBe(blob.name);
    });

    it('gives every blob a different name', async () => {
      const store = await make();
      const first = await put(store, Buffer.from('a'));
      const second = await put(store, Buffer.from('a'));
      expect(first).not.toBe(second);
    });

    it('stores an empty blob', async () => {
      const store = await make();
      const blob = await store.create();
      expect(await read(store, await blob.commit(), { start: 0, end: 1 })).toEqual(Buffer.alloc(0));
    });

    it('reads a range, its end not included', async () => {
      const store = await make();
      const content = bytes(100_000);
      const blobName = await put(store, content);
      expect(await read(store, blobName, { start: 70_000, end: 70_010 })).toEqual(content.subarray(70_000, 70_010));
    });

    it('fills the buffer of each read until the range ends', async () => {
      const store = await make();
      const content = bytes(100_000);
      const reader = await opened(store, await put(store, content), { start: 1, end: 90_001 });
      const into = Buffer.alloc(60_000);
      expect(await reader.read(into)).toBe(60_000);
      expect(into).toEqual(content.subarray(1, 60_001));
      expect(await reader.read(into)).toBe(30_000);
      expect(into.subarray(0, 30_000)).toEqual(content.subarray(60_001, 90_001));
      expect(await reader.read(into)).toBe(0);
      await reader.close();
    });

    it('reads to the end of the blob when the range goes beyond', async () => {
      const store = await make();
      const content = bytes(1000);
      const blobName = await put(store, content);
      expect(await read(store, blobName, { start: 900, end: 5000 })).toEqual(content.subarray(900));
    });

    it('opens no blob that does not exist', async () => {
      const store = await make();
      expect(await store.open('0'.repeat(32), { start: 0, end: 1 })).toBeUndefined();
    });

    it('shows an unfinished blob only in the list, and as unfinished', async () => {
      const store = await make();
      const blob = await store.create();
      await blob.write(bytes(MORE_THAN_MEMORY));
      const unfinished = await entriesOf(store.list());
      expect(unfinished).toMatchObject([{ finished: false }]);
      expect(await store.open(unfinished[0]?.name ?? '', { start: 0, end: 1 })).toBeUndefined();
      await blob.abort();
    });

    it('lists finished blobs with size and time', async () => {
      const store = await make();
      const before = Date.now();
      const names = [await put(store, bytes(7)), await put(store, bytes(8))];
      const entries = await entriesOf(store.list());
      expect(new Map(entries.map(({ name, size, finished }) => [name, { size, finished }]))).toEqual(
        new Map(names.map((name, index) => [name, { size: 7 + index, finished: true }])),
      );
      // Clocks of file systems may lag by milliseconds; object stores have whole seconds only.
      for (const { modifiedAt } of entries) expect(Math.abs(modifiedAt.getTime() - before)).toBeLessThan(10_000);
    });

    it.each([1000, MORE_THAN_MEMORY])('leaves nothing of an aborted blob of %i bytes', async (size) => {
      const store = await make();
      const blob = await store.create();
      await blob.write(bytes(size));
      await blob.abort();
      await blob.abort();
      expect(await entriesOf(store.list())).toEqual([]);
    });

    it('keeps a committed blob when its writer is aborted afterwards', async () => {
      const store = await make();
      const blob = await store.create();
      await blob.write(Buffer.from('kept'));
      const blobName = await blob.commit();
      await blob.abort();
      expect(await read(store, blobName, { start: 0, end: 4 })).toEqual(Buffer.from('kept'));
    });

    it('removes a finished blob', async () => {
      const store = await make();
      const kept = await put(store, Buffer.from('kept'));
      const removed = await put(store, Buffer.from('removed'));
      await store.remove(removed);
      expect(await store.open(removed, { start: 0, end: 1 })).toBeUndefined();
      expect((await entriesOf(store.list())).map((entry) => entry.name)).toEqual([kept]);
    });

    it('removes an unfinished blob, whose commit then fails', async () => {
      const store = await make();
      const blob = await store.create();
      await blob.write(bytes(MORE_THAN_MEMORY));
      const [unfinished] = await entriesOf(store.list());
      await store.remove(unfinished?.name ?? '');
      expect(await entriesOf(store.list())).toEqual([]);
      await expect(blob.commit()).rejects.toThrow();
      await blob.abort();
    });

    it('discards what is unfinished, and keeps what is finished', async () => {
      const store = await make();
      const kept = await put(store, Buffer.from('kept'));
      const blob = await store.create();
      await blob.write(bytes(MORE_THAN_MEMORY));
      for (const each of [kept, blob.name]) await store.discard(each);
      expect((await entriesOf(store.list())).map((entry) => entry.name)).toEqual([kept]);
      expect(await read(store, kept, { start: 0, end: 4 })).toEqual(Buffer.from('kept'));
      await blob.abort();
    });

    it('removes a missing blob without an error', async () => {
      const store = await make();
      const blobName = await put(store, Buffer.from('x'));
      await store.remove(blobName);
      await expect(store.remove(blobName)).resolves.toBeUndefined();
    });

    it('refuses invalid names', async () => {
      const store = await make();
      for (const noName of [
        '',
        '..',
        '../../etc/passwd',
        `${'a'.repeat(32)}/x`,
        `${'a'.repeat(32)}\n`,
        'A'.repeat(32),
      ]) {
        await expect(store.open(noName, { start: 0, end: 1 })).rejects.toThrow('32 hexadecimal digits');
        await expect(store.remove(noName)).rejects.toThrow('32 hexadecimal digits');
      }
    });

    it('checks that it is writable, and leaves nothing behind', async () => {
      const store = await make();
      await store.check();
      expect(await entriesOf(store.list())).toEqual([]);
    });
  });
}

async function put(store: BlobStore, content: Buffer): Promise<string> {
  const blob = await store.create();
  await blob.write(content);
  return blob.commit();
}

async function opened(store: BlobStore, name: string, range: ByteRange): Promise<BlobReader> {
  const reader = await store.open(name, range);
  if (reader === undefined) throw new Error('The blob is not there.');
  return reader;
}

async function read(store: BlobStore, name: string, range: ByteRange): Promise<Buffer> {
  const reader = await opened(store, name, range);
  try {
    const into = Buffer.alloc(range.end - range.start);
    return into.subarray(0, await reader.read(into));
  } finally {
    await reader.close();
  }
}
