import { execFile } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { type FileHandle, open, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type BlobWriter, openBlobStore, openFileBlobStore } from '../../src/content/index.js';
import { blobStoreContract } from './blob-store-contract.js';
import {
  bytes,
  duringCrashPoints,
  entriesOf,
  filesBelow,
  openBelow,
  pathOf,
  setting,
  temporaryFolder,
} from './support.js';

// @module-tag long

blobStoreContract('a folder', async () => (await setting()).blobs);

describe('a folder of blobs', () => {
  it('is created with missing parents, for its owner only', async () => {
    const folder = join(await temporaryFolder(), 'state', 'blobs');
    await openFileBlobStore(folder);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    const shards = await readdir(folder);
    expect(shards).toHaveLength(256);
    for (const shard of shards) expect((await stat(join(folder, shard))).mode & 0o777).toBe(0o700);
  });

  it('can be opened several times at once, and again', async () => {
    const folder = join(await temporaryFolder(), 'blobs');
    const [first] = await Promise.all([1, 2, 3].map(() => openFileBlobStore(folder)));
    const blob = await first?.create();
    await blob?.write(Buffer.from('x'));
    const name = await blob?.commit();
    const again = await openFileBlobStore(folder);
    expect(await entriesOf(again.list())).toMatchObject([{ name }]);
  });

  it('stores blobs for its owner only', async () => {
    const folder = await temporaryFolder();
    const blob = await (await openFileBlobStore(folder)).create();
    const name = await blob.commit();
    expect((await stat(pathOf(folder, name))).mode & 0o777).toBe(0o600);
  });

  it('writes, syncs, renames and syncs the folder, in this order', async () => {
    const folder = await temporaryFolder();
    const store = await openFileBlobStore(folder);
    const blob = await store.create();
    await blob.write(bytes(100_000));
    const seen: string[] = [];
    const look = (point: string) => {
      const [path] = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.length > 2);
      seen.push(
        `${point}: ${path?.endsWith('.part') ? 'unfinished' : 'finished'}, ${statSync(join(folder, path ?? '')).size}`,
      );
    };
    await duringCrashPoints(look, () => blob.commit());
    expect(seen).toEqual([
      'content-written: unfinished, 100000',
      'content-synced: unfinished, 100000',
      'content-renamed: finished, 100000',
      'folder-synced: finished, 100000',
    ]);
  });

  // The last write that partly fits is written in part, without an error.
  it('does not mistake a partial write for a complete one when the disk is full', async () => {
    const folder = await temporaryFolder();
    const module = new URL('../../dist/content/index.js', import.meta.url).href;
    const code = `
      const { openFileBlobStore } = await import(${JSON.stringify(module)});
      const blob = await (await openFileBlobStore(${JSON.stringify(folder)})).create();
      const write = blob.write(Buffer.alloc(70_000), Buffer.alloc(70_000));
      console.log(await write.then(() => 'written', ({ code }) => code));`;
    const limited = 'ulimit -f 100; exec "$0" --input-type=module --eval "$1"'; // files of at most 100 KiB
    const { stdout } = await promisify(execFile)('bash', ['-c', limited, process.execPath, code]);
    expect(stdout).toBe('EFBIG\n');
  });

  describe('of more than 16 MiB', () => {
    const write40MiB = async (blob: BlobWriter) => {
      for (let written = 0; written < 40; written += 1) await blob.write(Buffer.alloc(2 ** 20));
    };
    const spyOnDatasync = async () => {
      const handle = await open(import.meta.filename, 'r');
      await handle.close();
      const spy = vi.spyOn(Object.getPrototypeOf(handle) as FileHandle, 'datasync');
      onTestFinished(() => spy.mockRestore());
      return spy;
    };

    it('is synced while it grows, one sync at a time', async () => {
      const datasync = await spyOnDatasync();
      let finish = () => {};
      datasync.mockReturnValueOnce(
        new Promise((resolve) => {
          finish = resolve;
        }),
      );
      const { blobs } = await setting();
      const blob = await blobs.create();
      await write40MiB(blob);
      expect(datasync).toHaveBeenCalledTimes(1);
      finish();
      await write40MiB(blob);
      expect(datasync.mock.calls.length).toBeGreaterThan(1);
      await blob.commit();
    });

    it('is not committed when an early sync failed, and leaves nothing', async () => {
      const lost = Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' });
      (await spyOnDatasync()).mockRejectedValueOnce(lost);
      const { blobs, folder } = await setting();
      const blob = await blobs.create();
      await write40MiB(blob);
      await expect(blob.commit()).rejects.toBe(lost);
      await blob.abort();
      expect([await filesBelow(folder), await openBelow(folder)]).toEqual([[], []]);
    });
  });

  it('syncs the folder of a removal, even when there was nothing to remove', async () => {
    const store = await openFileBlobStore(await temporaryFolder());
    const points: string[] = [];
    await duringCrashPoints(
      (point) => points.push(point),
      () => store.remove('0'.repeat(32)),
    );
    expect(points).toEqual(['content-removed', 'removal-synced']);
  });

  it('lists only files with the name of a blob', async () => {
    const folder = await temporaryFolder();
    const store = await openFileBlobStore(folder);
    await writeFile(join(folder, 'ab', 'notes.txt'), 'not a blob');
    expect(await entriesOf(store.list())).toEqual([]);
  });

  it('passes errors of the disk through', async () => {
    const folder = await temporaryFolder();
    const store = await openFileBlobStore(folder);
    await rm(folder, { recursive: true });
    await expect(store.create()).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(store.check()).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('leaves nothing when a commit fails and the writer is aborted', async () => {
    const folder = await temporaryFolder();
    const blob = await (await openFileBlobStore(folder)).create();
    await blob.write(bytes(10));
    const [part] = await filesBelow(folder);
    await rm(join(folder, part ?? ''));
    await expect(blob.commit()).rejects.toMatchObject({ code: 'ENOENT' });
    await blob.abort();
    expect(await filesBelow(folder)).toEqual([]);
  });

  it.runIf(process.platform === 'linux')('leaves nothing open between calls', async () => {
    const folder = await temporaryFolder();
    const store = await openFileBlobStore(folder);
    const committed = await store.create();
    const name = await committed.commit();
    const aborted = await store.create();
    await aborted.abort();
    const reader = await store.open(name, { start: 0, end: 1 });
    await reader?.close();
    await store.remove(name);
    await store.check();
    expect(await openBelow(folder)).toEqual([]);
  });
});

describe('the URL of a blob store', () => {
  it('names a folder', async () => {
    const folder = join(await temporaryFolder(), 'blåbær og fløde');
    const store = await openBlobStore(pathToFileURL(folder).href);
    await store.check();
    expect(await readdir(folder)).toHaveLength(256);
  });

  it('is refused below a folder that takes no folders', async () => {
    await expect(openBlobStore('file:///proc/content')).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(openBlobStore('file:///proc/a/b')).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('is refused with a sentence when it is of another kind, and not quoted', async () => {
    await expect(openBlobStore('ftp://key:secret@bucket')).rejects.toThrow(
      'The blob store must be file:///folder or s3://bucket/prefix; this is a ftp: URL.',
    );
    await expect(openBlobStore('/var/lib/secret')).rejects.toThrow(
      'The blob store must be file:///folder or s3://bucket/prefix; this is not a URL.',
    );
  });
});
