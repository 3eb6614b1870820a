import { mkdir, mkdtemp, rename, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BlobStore, inTwoPlaces, onlyMarked, openFileBlobStore } from '../../src/content/index.js';

// What happens when a mount is missing, so that its folder is empty.

let parent: string;
let folder: string;
let names: boolean;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'indbakke-marked-'));
  folder = join(parent, 'content');
  names = false;
});
afterEach(() => rm(parent, { recursive: true, force: true }));

/** As a service opens it when it starts. */
const open = async (): Promise<BlobStore> => onlyMarked(await openFileBlobStore(folder), async () => names);

async function store(blobs: BlobStore): Promise<string> {
  const writer = await blobs.create();
  await writer.write(Buffer.from('sealed'));
  names = true;
  return writer.commit();
}

describe('a blob store', () => {
  it('that is new takes content, and opens again', async () => {
    await store(await open());
    await store(await open());
    await (await open()).check();
  });

  it('that is empty although the database names content takes none, at a start or while running', async () => {
    const running = await open();
    await store(running);
    await rename(folder, `${folder}-unmounted`);
    await mkdir(folder);

    for (const blobs of [await open(), running]) {
      await expect(blobs.check()).rejects.toMatchObject({ reason: 'empty' });
      await expect(store(blobs)).rejects.toMatchObject({ reason: 'empty' });
    }

    await rm(folder, { recursive: true });
    await rename(`${folder}-unmounted`, folder);
    await running.check();
    await store(running);
  });

  it('from before there were marks is marked', async () => {
    await store(await open());
    await rmdir(join(folder, 'indbakke'));
    const blobs = await open();
    await blobs.check();
    await store(blobs);
  });

  it('whose folder is gone is not made anew', async () => {
    const blobs = await open();
    await rm(folder, { recursive: true });
    await expect(store(blobs)).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(blobs.check()).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('two places', () => {
  const openBoth = async (): Promise<BlobStore> =>
    onlyMarked(
      inTwoPlaces(await openFileBlobStore(join(parent, 'new')), await openFileBlobStore(folder)),
      async () => names,
    );

  it('take no content while a folder of one is empty and has no mark, though the other has content', async () => {
    await store(await open());
    await expect((await openBoth()).check()).rejects.toMatchObject({ reason: 'empty' });
    await expect(store(await openBoth())).rejects.toMatchObject({ reason: 'empty' });
  });

  it('do once an operator has marked the new one', async () => {
    await store(await open());
    await openBoth();
    await mkdir(join(parent, 'new', 'indbakke'));
    await store(await openBoth());
    await (await openBoth()).check();
  });
});
