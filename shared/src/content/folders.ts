import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Only the process's own user may look in. */
export const OWNER_ONLY_FOLDER = 0o700;

/** Only the process's own user may read and write. */
export const OWNER_ONLY_FILE = 0o600;

/**
 * Puts the names in a folder on disk. fsync of a file covers its bytes, not its name: a file that was created, renamed
 * or removed is safely so only after this (fsync(2), last paragraph of DESCRIPTION).
 */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a folder and what is missing above it, mode 0700, all of it on disk. An existing one is left as it is. */
export async function makeFolder(folder: string): Promise<void> {
  const highestMade = await mkdir(folder, { recursive: true, mode: OWNER_ONLY_FOLDER });
  if (highestMade === undefined) return;
  const highestChanged = dirname(highestMade);
  for (let changed = dirname(folder); ; changed = dirname(changed)) {
    await syncFolder(changed);
    if (changed === highestChanged) return;
  }
}

/** Whether `error` is node's, with this `code`, such as `ENOENT`. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
