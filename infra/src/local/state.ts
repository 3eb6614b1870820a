import { randomBytes } from 'node:crypto';
import { accessSync, constants, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isRunning, localFileOf, stateFolder, testFolderOf, thisProcess } from '../../../tools/local-state.mjs';

/** The folders and files that hold the state of a local stack. None need exist yet. */
export interface StatePaths {
  /** The state folder: `STATE_DIR`, or `.indbakke` in the clone. */
  readonly root: string;
  /** Sealed content of messages. */
  readonly content: string;
  /** The generated local master key. */
  readonly keys: string;
  /** What a running local stack wrote about itself. */
  readonly localFile: string;
  /** One folder per test cluster. */
  readonly test: string;
}

/** What a running local stack tells to other commands, such as `npm run send`. */
export interface LocalStack {
  /** Where its HTTP server answers. */
  readonly url: string;
  readonly pid: number;
}

/** Where the state lies. Touches nothing. A relative `STATE_DIR` is taken from the clone. */
export function statePaths(env: NodeJS.ProcessEnv = process.env): StatePaths {
  const root = stateFolder(env);
  return {
    root,
    content: join(root, 'content'),
    keys: join(root, 'keys'),
    localFile: localFileOf(root),
    test: testFolderOf(root),
  };
}

/**
 * Makes what `make` makes in the state folder, and first the folder itself.
 *
 * @throws Error in a sentence when it cannot be written to
 */
export async function inStateFolder<T>(root: string, make: () => Promise<T>): Promise<T> {
  try {
    // It stays open: as root, PostgreSQL runs as a user who must get into it.
    mkdirSync(root, { recursive: true });
    accessSync(root, constants.W_OK | constants.X_OK);
    return await make();
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException;
    if (path === undefined) throw error; // not of a file
    throw new Error(
      `The state folder ${root} cannot be written to (${code} at ${path}). Set STATE_DIR to a folder that this user may write to.`,
      { cause: error },
    );
  }
}

/** Tells other commands where this process's stack is reached. Written at once or not at all, readable by its owner only. */
export function writeLocalStack(paths: StatePaths, url: string): void {
  mkdirSync(dirname(paths.localFile), { recursive: true });
  const draft = `${paths.localFile}.${randomBytes(6).toString('hex')}`;
  const text = JSON.stringify({ url, ...thisProcess() }, null, 2);
  writeFileSync(draft, `${text}\n`, { mode: 0o600 });
  renameSync(draft, paths.localFile);
}

/** The local stack that runs on this state; undefined when there is none, also when one was killed and left its file. */
export function readLocalStack(paths: StatePaths): LocalStack | undefined {
  let stack: LocalStack & { started: string };
  try {
    stack = JSON.parse(readFileSync(paths.localFile, 'utf8'));
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['ENOENT', 'ENOTDIR'].includes(code)) {
      return undefined;
    }
    throw new Error(
      `${paths.localFile} cannot be read (${(error as Error).message}). Remove it when no local stack is running, or set STATE_DIR to another folder.`,
    );
  }
  return isRunning(stack) ? { url: stack.url, pid: stack.pid } : undefined;
}

/** Takes back what this process told; leaves the file of another stack alone. */
export function removeLocalStack(paths: StatePaths): void {
  if (readLocalStack(paths)?.pid === process.pid) {
    rmSync(paths.localFile, { force: true });
  }
}
