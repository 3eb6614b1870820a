import { mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Only the process's own user may list it. */
export const OWNER_ONLY_FOLDER = 0o700;

/** Only the process's own user may read and write. */
export const OWNER_ONLY_FILE = 0o600;

/**
 * Puts the names in a folder on disk. fsync of a file covers its bytes, not its name: only after this is its creation,
 * renaming or removal durable (fsync(2), last paragraph of DESCRIPTION).
 */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Creates a folder and missing parents; an existing folder is left as it is. Node's `recursive` never ends below a folder
 * like /proc, where mkdir says that an existing parent is missing.
 *
 * @returns the highest folder that was created
 */
export async function makeFolders(folder: string, mode?: number): Promise<string | undefined> {
  try {
    await mkdir(folder, { mode });
    return folder;
  } catch (error) {
    if (await isFolder(folder)) return undefined;
    if (!hasCode(error, 'ENOENT') || dirname(folder) === folder) throw error;
    const highestCreated = await makeFolders(dirname(folder), mode);
    await mkdir(folder, { mode }).catch(async (again: unknown) => {
      if (!(await isFolder(folder))) throw again;
    });
    return highestCreated ?? folder;
  }
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}

/** Creates a folder and missing parents durably, mode 0700. An existing folder is left as it is. */
export async function makeFolder(folder: string): Promise<void> {
  const highestCreated = await makeFolders(folder, OWNER_ONLY_FOLDER);
  if (highestCreated === undefined) return;
  const highestChanged = dirname(highestCreated);
  for (let changed = dirname(folder); ; changed = dirname(changed)) {
    await syncFolder(changed);
    if (changed === highestChanged) return;
  }
}

/** Whether `error` is one of node's with this `code`, such as `ENOENT`. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
