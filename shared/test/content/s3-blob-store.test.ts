import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type S3Proxy, startS3Proxy } from '../../../infra/src/testkit/s3-proxy.js';
import { HAS_SWIFT, type OwnSwift, startOwnSwift } from '../../../infra/src/testkit/swift.js';
import { type BlobStore, type ContentPlace, openBlobStore } from '../../src/content/index.js';
import { blobStoreContract } from './blob-store-contract.js';
import { bytes, duringCrashPoints, entriesOf } from './support.js';

// @module-tag long

const MiB = 2 ** 20;

describe.runIf(HAS_SWIFT)('with a real S3 server', () => {
  let swift: OwnSwift;
  let proxy: S3Proxy;

  beforeAll(async () => {
    swift = await startOwnSwift();
  });

  afterAll(() => swift.close());

  beforeEach(async () => {
    proxy = await startS3Proxy(swift.settings.AWS_ENDPOINT_URL_S3);
    return () => proxy.close();
  });

  /** An empty place, through the proxy. */
  const open = async (settings: object = {}, prefix = `test/${randomUUID()}`): Promise<ContentPlace> => {
    const through = { ...swift.settings, AWS_ENDPOINT_URL_S3: proxy.url, ...settings };
    const place = await openBlobStore(`${swift.bucketUrl}/${prefix}`, through);
    await put(place, Buffer.from('x')).then((name) => place.remove(name)); // now it knows that Swift knows no conditions
    proxy.calls.length = 0;
    return place;
  };

  blobStoreContract('S3', open);

  describe('a blob in S3', () => {
    it('of less than a part is one conditional PUT, and one GET', async () => {
      const store = await open();
      const name = await put(store, bytes(3 * MiB));
      expect(await read(store, name)).toEqual(bytes(3 * MiB));
      expect(proxy.calls).toEqual(['PUT', 'GET']);
    });

    it('of exactly a part is one PUT', async () => {
      const store = await open();
      await put(store, bytes(5 * MiB));
      expect(proxy.calls).toEqual(['PUT']);
    });

    it('of more goes in parts of 5 MiB, and is read back whole', async () => {
      const store = await open();
      const content = randomBytes(12 * MiB + 7);
      const name = await put(store, content);
      expect(proxy.calls).toEqual(['POST ?uploads', ...Array(3).fill('PUT ?partNumber&uploadId'), 'POST ?uploadId']);
      expect((await read(store, name)).equals(content)).toBe(true);
      expect(await entriesOf(store.list())).toMatchObject([{ name, size: content.length, finished: true }]);
    });

    it('is written on condition that there is none, unless the server says that it knows no conditions', async () => {
      const settings = { ...swift.settings, AWS_ENDPOINT_URL_S3: proxy.url };
      const store = await openBlobStore(`${swift.bucketUrl}/test/${randomUUID()}`, settings);
      proxy.calls.length = 0;
      await put(store, Buffer.from('first'));
      await put(store, Buffer.from('second'));
      expect(proxy.calls).toEqual(['PUT if-none-match', 'PUT', 'PUT']);
    });

    it('is not mistaken for one that was there before', async () => {
      const store = await open();
      proxy.harm('PUT', 'refuse');
      await expect(put(store, Buffer.from('x'))).rejects.toMatchObject({ name: 'PreconditionFailed' });
    });

    it('is listed beyond the first page', async () => {
      const store = await open();
      const names: string[] = [];
      const putMany = async () => {
        while (names.length < 105) names.push(await put(store, Buffer.from('x')));
      };
      await Promise.all(Array.from({ length: 8 }, putMany));
      const listed = await entriesOf(store.list());
      expect(new Set(listed.map(({ name }) => name))).toEqual(new Set(names));
    });

    it('announces that it is durable after S3 has said so', async () => {
      const store = await open();
      const seen: string[] = [];
      const look = (point: string) => seen.push(`${point}: ${proxy.calls.join(', ')}`);
      const small = await store.create();
      await small.write(bytes(10));
      await duringCrashPoints(look, () => small.commit());
      proxy.calls.length = 0;
      const large = await store.create();
      await large.write(bytes(6 * MiB));
      await duringCrashPoints(look, () => large.commit());
      const parts = 'POST ?uploads, PUT ?partNumber&uploadId, PUT ?partNumber&uploadId';
      expect(seen).toEqual([
        'content-written: ',
        'folder-synced: PUT',
        expect.stringMatching(/^content-written: POST \?uploads/),
        `content-synced: ${parts}`,
        `folder-synced: ${parts}, POST ?uploadId`,
      ]);
    });
  });

  /** Most MiB that a process of its own takes while so many blobs of 9.75 MiB are written at once. */
  const memoryOf = async (uploads: number): Promise<number> => {
    const module = new URL('../../dist/content/index.js', import.meta.url).href;
    const code = `
      const { openBlobStore } = await import(${JSON.stringify(module)});
      const store = await openBlobStore('${swift.bucketUrl}/test/${randomUUID()}', process.env);
      const piece = Buffer.alloc(384 * 1024, 1);
      const writeAll = async () => {
        const blob = await store.create();
        for (let written = 0; written < 9.75; written += 0.375) await blob.write(piece);
        return blob.commit();
      };
      await writeAll(); // so that all is loaded
      const before = process.memoryUsage.rss();
      let most = 0;
      const watch = setInterval(() => { most = Math.max(most, process.memoryUsage.rss()); }, 5);
      await Promise.all(Array.from({ length: ${uploads} }, writeAll));
      clearInterval(watch);
      console.log(Math.round((most - before) / 2 ** 20));`;
    const env = { ...process.env, ...swift.settings };
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], { env });
    return Number(stdout);
  };

  it('takes 5 MiB for each upload, and the same for eight that collect ahead', async () => {
    expect(await memoryOf(30)).toBeLessThan(30 * 5 + 8 * 5 + 40);
  });

  it('takes that for a hundred uploads at once', { tags: 'lab', timeout: 300_000 }, async () => {
    const memory = await memoryOf(100);
    console.info(`100 uploads at once take ${memory} MiB`);
    expect(memory).toBeLessThan(100 * 5 + 8 * 5 + 60);
  });

  describe('a fault of S3', () => {
    const PART = 'PUT ?partNumber&uploadId';
    const COMPLETE = 'POST ?uploadId';

    it.each(['error', 'cut'] as const)('that passes (%s) is not noticed', async (how) => {
      const store = await open();
      const content = bytes(6 * MiB);
      for (const call of ['POST ?uploads', PART, COMPLETE, 'GET']) proxy.harm(call, how);
      expect((await read(store, await put(store, content))).equals(content)).toBe(true);
    });

    it.each([
      ['PUT', 10],
      [COMPLETE, 6 * MiB],
    ] as const)('that loses the answer to %s neither loses the blob nor has it twice', async (call, size) => {
      const store = await open();
      proxy.harm(call, 'lose-answer');
      const name = await put(store, bytes(size));
      expect(await entriesOf(store.list())).toMatchObject([{ name, size, finished: true }]);
    });

    it.each([
      ['PUT', 10],
      [COMPLETE, 6 * MiB],
    ] as const)('that loses all answers to %s is found out by asking', async (call, size) => {
      const store = await open();
      proxy.harm(call, 'lose-answer', 3);
      const name = await put(store, bytes(size));
      expect(await entriesOf(store.list())).toMatchObject([{ name, size }]);
    });

    it.each([
      ['PUT', 10],
      ['POST ?uploads', 6 * MiB],
      [PART, 6 * MiB],
      [COMPLETE, 6 * MiB],
    ] as const)('that stays in %s fails the blob, and leaves nothing', async (call, size) => {
      const store = await open();
      proxy.harm(call, 'error', 99);
      const blob = await store.create();
      await expect(blob.write(bytes(size)).then(() => blob.commit())).rejects.toThrow();
      await blob.abort();
      expect(await entriesOf(store.list())).toEqual([]);
      expect(await store.open(blob.name, { start: 0, end: 1 })).toBeUndefined();
    });

    it.each([
      ['PUT', 10],
      [PART, 6 * MiB],
    ] as const)('that changes what is sent by %s is refused', async (call, size) => {
      const store = await open();
      proxy.harm(call, 'flip-sent', 99);
      const blob = await store.create();
      await expect(blob.write(bytes(size)).then(() => blob.commit())).rejects.toMatchObject({
        name: expect.stringMatching(/^(XAmzContentSHA256Mismatch|BadDigest|UnprocessableEntity)$/),
      });
      await blob.abort();
      expect(await entriesOf(store.list())).toEqual([]);
    });

    it('that does not answer once is not noticed, but for 13 s', async () => {
      const store = await open();
      proxy.harm('PUT', 'silence');
      const began = performance.now();
      await put(store, bytes(10));
      expect(Math.round((performance.now() - began) / 1_000)).toBeOneOf([13, 14]);
    });

    it('that never answers fails a blob within 80 s', { tags: 'lab', timeout: 120_000 }, async () => {
      const store = await open();
      proxy.harm('PUT', 'silence', 99);
      proxy.harm('HEAD', 'silence', 99);
      const began = performance.now();
      await expect(put(store, bytes(10))).rejects.toMatchObject({ name: 'TimeoutError' });
      expect(performance.now() - began).toBeLessThan(80_000);
    });

    it('that loses an answer, and then says that the blob is there, is found out by asking', async () => {
      const store = await open();
      proxy.harm(COMPLETE, 'lose-answer');
      proxy.harm(COMPLETE, 'refuse');
      const name = await put(store, bytes(6 * MiB));
      expect(await entriesOf(store.list())).toMatchObject([{ name, size: 6 * MiB }]);
    });

    it('that cuts a read lets it go on where it was', async () => {
      const store = await open();
      const content = randomBytes(3 * MiB);
      const name = await put(store, content);
      proxy.harm('GET', 'halve', 2);
      expect((await read(store, name)).equals(content)).toBe(true);
      expect(proxy.calls.filter((call) => call === 'GET')).toHaveLength(3);
    });

    it.each(['shorten', 'shift'] as const)('that answers a read otherwise (%s) fails it', async (how) => {
      const store = await open();
      const name = await put(store, bytes(1000));
      proxy.harm('GET', how, 99);
      await expect(read(store, name, { start: 100, end: 900 })).rejects.toThrow('S3 sent another range');
    });
  });

  describe('a reader', () => {
    it('never gets bytes of another object', async () => {
      const store = await open();
      const content = randomBytes(3 * MiB);
      const name = await put(store, content);
      proxy.harm('GET', 'halve');
      const cut = await store.open(name, { start: 0, end: content.length });
      await store.remove(name);
      const other = await store.createAs(name);
      await other.write(randomBytes(3 * MiB));
      await other.commit();
      await expect(cut?.read(Buffer.alloc(content.length))).rejects.toMatchObject({ code: 'content-gone' });
      await cut?.close();
    });

    it('that takes long does not read removed content to its end', async () => {
      const store = await open();
      const content = bytes(4 * MiB);
      const name = await put(store, content);
      const reader = await store.open(name, { start: 0, end: content.length });
      expect(await reader?.read(Buffer.alloc(1000))).toBe(1000);
      await store.remove(name);
      const now = performance.now() + 6_000;
      vi.spyOn(performance, 'now').mockReturnValue(now);
      onTestFinished(() => void vi.restoreAllMocks());
      await expect(reader?.read(Buffer.alloc(1000))).rejects.toMatchObject({ code: 'content-gone' });
      await reader?.close();
    });
  });

  describe('opening', () => {
    const NOBODY = { AWS_ACCESS_KEY_ID: 'test:nobody', AWS_SECRET_ACCESS_KEY: 'hidden-secret' };

    it.each([
      ['a wrong bucket', 's3://missing/content', {}, /^127\.0\.0\.1:\d+ has no bucket missing\. /],
      ['an unknown key', 's3://content/content', NOBODY, /^127\.0\.0\.1:\d+ refuses the key\. /],
      ['a wrong secret', 's3://content/content', { AWS_SECRET_ACCESS_KEY: 'hidden-secret' }, /refuses the key\. /],
      ['another region', 's3://content/content', { AWS_REGION: 'eu-north-1' }, /refuses the key\. .*AWS_REGION/],
      [
        'a host that is none',
        's3://content/content',
        { AWS_ENDPOINT_URL_S3: 'http://s3.invalid' },
        /^there is no host s3\.invalid\. /,
      ],
    ])('with %s fails with a sentence, without any key in it', async (_, url, settings, sentence) => {
      const opened = openBlobStore(url, { ...swift.settings, ...settings });
      await expect(opened).rejects.toThrow(sentence);
      const { message } = (await opened.catch((error: Error) => error)) as Error;
      expect(message).not.toMatch(/hidden|nobody|tester|testing/);
    });

    it('with a key that may do nothing there says what it lacks', async () => {
      const opened = openBlobStore('s3://content/content', { ...swift.settings, ...swift.stranger });
      await expect(opened).rejects.toThrow(
        /^the key may not list objects \(s3:ListBucket\) in content\/content\. Allow it/,
      );
    });

    it('goes on while S3 is away, and the check says so then', async () => {
      const away = await open();
      await proxy.close();
      const settings = { ...swift.settings, AWS_ENDPOINT_URL_S3: proxy.url };
      const store = await openBlobStore('s3://content/content', settings);
      await expect(store.check()).rejects.toMatchObject({ reason: 'no-answer' });
      await expect(away.check()).rejects.toMatchObject({ reason: 'no-answer' });
      proxy = await startS3Proxy(swift.settings.AWS_ENDPOINT_URL_S3); // for the hook that closes it
    });

    it.each([
      's3://bucket',
      's3://bucket/',
      's3://key:secret@bucket/x',
      's3:///x',
      's3://bucket/a?b=c',
      's3://bucket/a#b',
    ])('refuses %s, and does not quote it', async (url) => {
      const { message } = (await openBlobStore(url, swift.settings).catch((error: Error) => error)) as Error;
      expect(message).toContain('s3://bucket/prefix, without a key');
      expect(message).not.toContain('secret');
    });
  });

  it('says by its check that S3 fails', async () => {
    const store = await open();
    proxy.harm('PUT', 'error', 99);
    await expect(store.check()).rejects.toMatchObject({ reason: 'no-answer' });
  });

  it('marks durably, and asks for the mark once', async () => {
    const prefix = `test/${randomUUID()}`;
    const store = await open({}, prefix);
    expect(await store.isMarked()).toBe(false);
    await store.mark();
    const again = await open({}, prefix);
    expect([await again.isMarked(), await again.isMarked()]).toEqual([true, true]);
    expect(proxy.calls).toEqual(['HEAD']);
  });
});

async function put(store: BlobStore, content: Buffer): Promise<string> {
  const blob = await store.create();
  for (let at = 0; at < content.length; at += 384 * 1024) await blob.write(content.subarray(at, at + 384 * 1024));
  return blob.commit();
}

async function read(store: BlobStore, name: string, range?: { start: number; end: number }): Promise<Buffer> {
  const { start, end } = range ?? { start: 0, end: Number.MAX_SAFE_INTEGER };
  const reader = await store.open(name, { start, end });
  if (!reader) throw new Error('The blob is not there.');
  try {
    const pieces: Buffer[] = [];
    for (;;) {
      const piece = Buffer.alloc(MiB);
      const filled = await reader.read(piece);
      if (filled === 0) return Buffer.concat(pieces);
      pieces.push(piece.subarray(0, filled));
    }
  } finally {
    await reader.close();
  }
}
