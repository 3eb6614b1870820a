import { randomBytes, randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { DAY, HOUR, readConfig } from '@indbakke/shared/config';
import { openBlobStore } from '@indbakke/shared/content';
import { openParts } from '@indbakke/shared/service';
import { openStore } from '@indbakke/shared/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sweepOrphans } from '../../services/receiver/src/intake/sweep-orphans.js';
import { StackConfig } from '../src/local/services.js';
import { type S3Proxy, startS3Proxy } from '../src/testkit/s3-proxy.js';
import { startTestStack, type TestStack } from '../src/testkit/stack.js';
import { HAS_SWIFT, type OwnSwift, startOwnSwift } from '../src/testkit/swift.js';
import { unzip } from '../src/testkit/unzip.js';
import { TEST_CITIZEN, writeMemo } from '../src/testkit/write-memo.js';

// @module-tag long

describe.runIf(HAS_SWIFT)('all services with content in S3', () => {
  let swift: OwnSwift;
  let proxy: S3Proxy;
  let stack: TestStack;

  beforeAll(async () => {
    swift = await startOwnSwift();
    proxy = await startS3Proxy(swift.settings.AWS_ENDPOINT_URL_S3);
    stack = await startTestStack({
      ...swift.settings,
      AWS_ENDPOINT_URL_S3: proxy.url,
      BLOB_URL: `${swift.bucketUrl}/${randomUUID()}`,
      SMALL_CONTENT_BYTES: '0',
    });
  }, 60_000);
  afterAll(async () => {
    await stack.close();
    await proxy.close();
    await swift.close();
    await rm(stack.contentFolder, { recursive: true, force: true });
  });

  const files = [300, 70_000, 0, 1_000].map((size, index) => ({
    name: `bilag-${index}.bin`,
    type: 'application/octet-stream',
    content: randomBytes(size),
  }));
  const newLetter = () => writeMemo({ messageUUID: randomUUID(), sender: TEST_CITIZEN, documents: [{ files }] });
  const get = async (path: string) => {
    const response = await stack.call('GET', path);
    expect(response.status).toBe(200);
    return response;
  };
  /** Without what readiness and the ledgers ask meanwhile. */
  const reads = () => proxy.calls.filter((call) => call === 'GET');
  const openBlobs = () => openBlobStore(stack.env.BLOB_URL ?? '', stack.env);

  it('each file of a letter is one GET, and so in a zip, after one for its end', async () => {
    expect((await stack.deliver(newLetter())).status).toBe(200);

    const [{ id } = { id: '' }] = await stack.sql<{ id: string }>(
      'SELECT id FROM messages ORDER BY received_at DESC LIMIT 1',
    );
    const { documents } = (await (await get(`/incoming-documents/${id}`)).json()) as {
      documents: { files: { id: string; name: string }[] }[];
    };
    proxy.calls.length = 0;
    for (const [index, { id: fileId }] of (documents[0]?.files ?? []).entries()) {
      const content = await (await get(`/incoming-documents/${id}/files/${fileId}`)).arrayBuffer();
      expect(Buffer.from(content)).toEqual(files[index]?.content);
    }
    expect(reads()).toEqual(files.map(() => 'GET'));

    proxy.calls.length = 0;
    const zip = unzip(Buffer.from(await (await get(`/incoming-documents/${id}/zip`)).arrayBuffer()));
    expect(zip.size).toBeGreaterThanOrEqual(files.length);
    // One of each that is not empty, and one that sees whether all of the letter is there.
    expect(reads()).toHaveLength(files.length - 1 + 1);
  });

  it('a letter is answered send-again while S3 fails, and is accepted then', async () => {
    const letter = newLetter();
    proxy.harm('PUT', 'error', 3);
    const refused = await stack.deliver(letter);
    expect(await refused.json()).toMatchObject({ errorCode: 'send-again' });
    expect((await stack.deliver(letter)).status).toBe(200);
  });

  it('readiness says that S3 does not answer', async () => {
    proxy.harm('PUT', 'cut', 3);
    const response = await fetch(`${stack.url}/readyz`);
    expect([response.status, await response.text()]).toEqual([503, expect.stringContaining('no-answer')]);
    expect((await fetch(`${stack.url}/readyz`)).status).toBe(200);
  });

  it('no process starts with a wrong bucket, and it says why', async () => {
    const config = readConfig(StackConfig, { ...stack.env, BLOB_URL: 's3://missing/content' });
    await expect(openParts(config, 'test')).rejects.toThrow(
      /^BLOB_URL: 127\.0\.0\.1:\d+ has no bucket missing\. Create .+\.$/,
    );
  });

  it('nobody is told how much is free', async () => {
    const metrics = await (await fetch(`${stack.operationsUrl}/metrics`)).text();
    expect(metrics).toContain('indbakke_room_bytes{what="database"}');
    expect(metrics).not.toContain('content-free"} ');
    const headers = { authorization: `Bearer ${await stack.operatorsToken()}` };
    expect((await fetch(`${stack.operationsUrl}/ops/rum`, { headers })).status).toBeLessThan(500);
  });

  it('the sweep removes unfinished uploads and old orphans, and keeps what rows name', async () => {
    const blobs = await openBlobs();
    const store = openStore({ url: stack.serviceUrl, connections: 2, name: 'test' });
    const listed = async () => {
      const names: string[] = [];
      for await (const { name } of blobs.list()) names.push(name);
      return names.sort();
    };
    const before = await listed();
    const unfinished = await blobs.create();
    await unfinished.write(Buffer.alloc(6 * 2 ** 20));
    const orphan = await blobs.create();
    await orphan.write(Buffer.from('no row has this'));
    await orphan.commit();
    try {
      expect(await sweepOrphans({ store, blobs }, new Date(Date.now() + 2 * HOUR))).toBe(1);
      expect(await listed()).toEqual([...before, orphan.name].sort());
      expect(await sweepOrphans({ store, blobs }, new Date(Date.now() + 31 * DAY))).toBe(1);
      expect(await listed()).toEqual(before);
    } finally {
      await store.close();
    }
  });
});
