import type { Stats } from 'node:fs';
import { type FileHandle, link, lstat, open, readdir, unlink } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { SECOND } from '@indbakke/shared/config';
import type { Attributes } from 'ssh2';
import type { ServedFile, ServedFiles } from './sftp-server.js';

/** A folder of this machine as what an SFTP server serves: its own root. */
export function servedFolder(folder: string): ServedFiles {
  const here = (path: string) => join(folder, posix.resolve('/', path));
  const status = async (path: string) => attributesOf(await lstat(here(path)));
  return {
    status,
    open: async (path, flags) => servedFile(await open(here(path), flags)),
    async list(path) {
      const names = await readdir(here(path));
      return Promise.all(names.map(async (name) => ({ name, attributes: await status(posix.join(path, name)) })));
    },
    async rename(from, to) {
      await link(here(from), here(to)); // a rename would replace the other file
      await unlink(here(from));
    },
    remove: (path) => unlink(here(path)),
  };
}

function servedFile(handle: FileHandle): ServedFile {
  return {
    status: async () => attributesOf(await handle.stat()),
    async read(at, length) {
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, at);
      return buffer.subarray(0, bytesRead);
    },
    async write(at, bytes) {
      await handle.write(bytes, 0, bytes.length, at);
    },
    close: () => handle.close(),
  };
}

function attributesOf({ mode, uid, gid, size, atimeMs, mtimeMs }: Stats): Attributes {
  return { mode, uid, gid, size, atime: Math.floor(atimeMs / SECOND), mtime: Math.floor(mtimeMs / SECOND) };
}
