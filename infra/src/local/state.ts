import { randomBytes } from 'node:crypto';
import { accessSync, constants, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolders } from '@indbakke/shared/content';
import { isRunning, localFileOf, stateFolder, testFolderOf, thisProcess } from '../../../tools/local-state.mjs';

/** The folders and files of a local stack. They may not exist yet. */
export interface StatePaths {
  /** The state folder: `STATE_DIR`, or `.indbakke` in the clone. */
  readonly root: string;
  /** Sealed content of messages. */
  readonly content: string;
  /** The generated local master key. */
  readonly keys: string;
  /** What the SFTP server of the stand-in for Fordelingskomponenten serves: IN and OUT. */
  readonly sftp: string;
  /** Where a running local stack registers itself. */
  readonly localFile: string;
  /** One folder per test cluster. */
  readonly test: string;
}

/** How other commands, such as `npm run send`, find a running local stack. */
export interface LocalStack {
  readonly url: string;
  readonly pid: number;
  /** Where files of documents are put for it; undefined without the stand-in for Fordelingskomponenten. */
  readonly inFolder?: string | undefined;
}

/** Paths only: nothing is created. A relative `STATE_DIR` is relative to the clone. */
export function statePaths(env: NodeJS.ProcessEnv = process.env): StatePaths {
  const root = stateFolder(env);
  return {
    root,
    content: join(root, 'content'),
    keys: join(root, 'keys'),
    sftp: join(root, 'sftp'),
    localFile: localFileOf(root),
    test: testFolderOf(root),
  };
}

/**
 * Creates the state folder and runs `work`, which writes to it.
 *
 * @throws Error that names STATE_DIR when the folder is not writable
 */
export async function inStateFolder<T>(root: string, work: () => Promise<T>): Promise<T> {
  try {
    // Not 0700: as root, PostgreSQL runs as another user, who must reach it.
    await makeFolders(root);
    accessSync(root, constants.W_OK | constants.X_OK);
    return await work();
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException;
    if (path === undefined) throw error; // not a file error
    throw new Error(
      `The state folder ${root} is not writable (${code} at ${path}). Set STATE_DIR to a folder that this user may write to.`,
      { cause: error },
    );
  }
}

/** Registers the stack of this process for other commands. Written atomically, readable by its owner only. */
export function writeLocalStack(paths: StatePaths, url: string, inFolder?: string): void {
  mkdirSync(dirname(paths.localFile), { recursive: true });
  const draft = `${paths.localFile}.${randomBytes(6).toString('hex')}`;
  const text = JSON.stringify({ url, inFolder, ...thisProcess() }, null, 2);
  writeFileSync(draft, `${text}\n`, { mode: 0o600 });
  renameSync(draft, paths.localFile);
}

/** The local stack running on this state; undefined when there is none or it was killed. */
export function readLocalStack(paths: StatePaths): LocalStack | undefined {
  let stack: LocalStack & { started: string };
  try {
    stack = JSON.parse(readFileSync(paths.localFile, 'utf8'));
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['ENOENT', 'ENOTDIR'].includes(code)) return undefined;
    throw new Error(
      `${paths.localFile} cannot be read (${(error as Error).message}). Remove it when no local stack is running, or set STATE_DIR to another folder.`,
    );
  }
  return isRunning(stack) ? { url: stack.url, pid: stack.pid, inFolder: stack.inFolder } : undefined;
}

/** Removes the registration of this process, but not that of another stack. */
export function removeLocalStack(paths: StatePaths): void {
  if (readLocalStack(paths)?.pid === process.pid) rmSync(paths.localFile, { force: true });
}
