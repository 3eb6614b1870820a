/**
 * Blobs as files: `<folder>/<first two digits of the name>/<name>`, and `<name>.part` while unfinished.
 *
 * The 256 folders stay small for years (a million blobs are 4000 a folder) and exist from the start, so that a new blob
 * never needs a sync above its own folder. Beside them is a folder that marks the store (marked.ts).
 */

import { randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { announce } from '../crash-points/index.js';
import { Problem } from '../errors/index.js';
import { isBlobName, newBlobName, requireBlobName } from './blob-name.js';
import type { BlobEntry, BlobReader, BlobWriter, ByteRange } from './blob-store.js';
import { hasCode, makeFolder, OWNER_ONLY_FILE, OWNER_ONLY_FOLDER, syncFolder } from './folders.js';
import type { ContentPlace } from './place.js';

const UNFINISHED = '.part';
const MARK = 'indbakke'; // an empty folder
const NOTHING = Buffer.alloc(0);
const SHARDS = Array.from({ length: 256 }, (_, index) => index.toString(16).padStart(2, '0'));

/**
 * Opens the blob store in `folder`, which is created if missing.
 * @throws node's own error when the folder cannot be created or read.
 */
export async function openFileBlobStore(folder: string): Promise<ContentPlace> {
  const root = resolve(folder);
  await makeFolder(root);
  const present = new Set(await readdir(root));
  for (const shard of SHARDS) {
    if (!present.has(shard)) await makeIfMissing(join(root, shard));
  }
  // Always: the process that created them may have died before its sync.
  await syncFolder(root);
  return new FileBlobStore(root);
}

// While 16 MiB are sealed the disk writes the previous 16: the sync at the end of 78 MB then takes 8 ms instead of 45.
const EARLY_SYNC_BYTES = 16 * 2 ** 20;

/** Syncs of blobs before their end. One at a time per store: each occupies one of the few threads that write. */
interface EarlySyncs {
  inFlight: boolean;
}

class FileBlobStore implements ContentPlace {
  readonly isFolder = true;
  readonly #root: string;
  readonly #earlySyncs: EarlySyncs = { inFlight: false };

  constructor(root: string) {
    this.#root = root;
  }

  async create(): Promise<BlobWriter> {
    return this.#begin(newBlobName());
  }

  async createAs(name: string): Promise<BlobWriter> {
    await this.discard(name); // who moved it was killed
    return this.#begin(name);
  }

  async #begin(name: string): Promise<BlobWriter> {
    const shard = this.#shardOf(name);
    const handle = await open(join(shard, name + UNFINISHED), 'wx', OWNER_ONLY_FILE);
    return new FileBlobWriter(shard, name, handle, this.#earlySyncs);
  }

  async open(name: string, range: ByteRange): Promise<BlobReader | undefined> {
    try {
      return new FileBlobReader(await open(join(this.#shardOf(name), name), 'r'), range);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  async remove(name: string): Promise<void> {
    const shard = this.#shardOf(name);
    await rm(join(shard, name), { force: true });
    await rm(join(shard, name + UNFINISHED), { force: true });
    announce('content-removed');
    // Even when nothing was there: an earlier attempt may have died before its sync.
    await syncFolder(shard);
    announce('removal-synced');
  }

  async discard(name: string): Promise<void> {
    const shard = this.#shardOf(name);
    await rm(join(shard, name + UNFINISHED), { force: true });
    await syncFolder(shard);
  }

  async *list(): AsyncGenerator<BlobEntry> {
    for (const shard of SHARDS) {
      for (const fileName of await readdir(join(this.#root, shard))) {
        const finished = !fileName.endsWith(UNFINISHED);
        const name = finished ? fileName : fileName.slice(0, -UNFINISHED.length);
        if (!isBlobName(name)) continue;
        const stats = await statIfThere(join(this.#root, shard, fileName));
        if (stats !== undefined) yield { name, size: stats.size, modifiedAt: stats.mtime, finished };
      }
    }
  }

  async free(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#root);
    return bavail * bsize;
  }

  async check(): Promise<void> {
    const probe = join(this.#root, `check-${randomBytes(8).toString('hex')}`);
    try {
      await writeFile(probe, 'writable', { flag: 'wx', mode: OWNER_ONLY_FILE });
    } finally {
      await rm(probe, { force: true });
    }
  }

  async isMarked(): Promise<boolean> {
    return (await statIfThere(join(this.#root, MARK))) !== undefined;
  }

  async mark(): Promise<void> {
    await makeIfMissing(join(this.#root, MARK));
    await syncFolder(this.#root);
  }

  /** Every path is built from this, so only checked names reach the disk. */
  #shardOf(name: string): string {
    requireBlobName(name);
    return join(this.#root, name.slice(0, 2));
  }
}

class FileBlobWriter implements BlobWriter {
  readonly #shard: string;
  readonly name: string;
  readonly #handle: FileHandle;
  #path: string;
  readonly #earlySyncs: EarlySyncs;
  #unsynced = 0;
  #earlySync: Promise<void> = Promise.resolve();
  #committed = false;

  constructor(shard: string, name: string, handle: FileHandle, earlySyncs: EarlySyncs) {
    this.#earlySyncs = earlySyncs;
    this.#shard = shard;
    this.name = name;
    this.#handle = handle;
    this.#path = join(shard, name + UNFINISHED);
  }

  async write(...pieces: readonly Buffer[]): Promise<void> {
    const size = pieces.reduce((sum, { length }) => sum + length, 0);
    let { bytesWritten: written } = await this.#handle.writev(pieces);
    // writev(2) may write less than it is given, as it does on a disk that fills up.
    const bytes = written < size ? Buffer.concat(pieces) : NOTHING;
    while (written < size) written += (await this.#handle.write(bytes, written)).bytesWritten;
    this.#unsynced += size;
    if (this.#unsynced >= EARLY_SYNC_BYTES && !this.#earlySyncs.inFlight) this.#startEarlySync();
  }

  #startEarlySync(): void {
    this.#unsynced = 0;
    this.#earlySyncs.inFlight = true;
    this.#earlySync = this.#earlySync
      .then(() => this.#handle.datasync())
      .finally(() => {
        this.#earlySyncs.inFlight = false;
      });
    this.#earlySync.catch(() => {}); // commit reports it
  }

  // In this order, so that no power cut leaves a name without its bytes.
  async commit(): Promise<string> {
    announce('content-written');
    // Linux reports a failed write once: the next sync would succeed.
    await this.#earlySync;
    await this.#handle.sync();
    announce('content-synced');
    await this.#handle.close();
    const finished = join(this.#shard, this.name);
    await rename(this.#path, finished);
    this.#path = finished;
    announce('content-renamed');
    await syncFolder(this.#shard);
    announce('folder-synced');
    this.#committed = true;
    return this.name;
  }

  async abort(): Promise<void> {
    if (this.#committed) return;
    await this.#earlySync.catch(() => {});
    await this.#handle.close();
    await rm(this.#path, { force: true });
  }
}

class FileBlobReader implements BlobReader {
  readonly #handle: FileHandle;
  readonly #end: number;
  #position: number;

  constructor(handle: FileHandle, range: ByteRange) {
    this.#handle = handle;
    this.#position = range.start;
    this.#end = range.end;
  }

  async read(into: Buffer): Promise<number> {
    const wanted = Math.min(into.length, this.#end - this.#position);
    let filled = 0;
    while (filled < wanted) {
      const { bytesRead } = await this.#handle.read(into, filled, wanted - filled, this.#position);
      if (bytesRead === 0) break;
      // An open file outlives its removal, but deleted content must not be read to its end.
      if ((await this.#handle.stat()).nlink === 0) throw removed();
      filled += bytesRead;
      this.#position += bytesRead;
    }
    return filled;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

function removed(): Problem {
  return new Problem('content-gone', 'The content was removed while it was being read.');
}

async function makeIfMissing(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: OWNER_ONLY_FOLDER });
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error; // another process is opening the same store
  }
}

async function statIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
