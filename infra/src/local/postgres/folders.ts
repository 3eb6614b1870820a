// Folders that the server's user can reach when it cannot reach the clone or the state folder.

import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, linkSync, lstatSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import {
  clusterOf,
  foldersOutside,
  postgresFolderOf,
  postgresHomeOf,
  postgresLocationFileOf,
} from '../../../../tools/local-state.mjs';
import type { Account } from './account.js';

/**
 * The folder of the cluster: in the state folder if the server's user can reach it and the installed programs, else a new
 * folder outside. An existing cluster is not moved.
 */
export function homeFor(stateDir: string, account: Account, canRunInstalled: () => boolean): string {
  const home = postgresHomeOf(stateDir);
  mkdirSync(home, { recursive: true });
  const isSettled = existsSync(clusterOf(home).cluster) || home !== postgresFolderOf(stateDir);
  if (account === undefined || (reaches(account, home) && (isSettled || canRunInstalled()))) return home;
  if (isSettled) {
    throw new Error(
      `PostgreSQL's own user (id ${account.uid}) can no longer reach ${home}. Make the folders above it accessible (chmod o+x), or delete the database with: npm run reset`,
    );
  }
  rmSync(home, { recursive: true });
  return newHomeOutside(stateDir, account);
}

/** Tries it, because file modes are not everything (access lists, mount options, security modules). */
function reaches(account: Account, folder: string): boolean {
  return spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { ...account, cwd: '/' }).status === 0;
}

/** A random name, because a deleted clone may have left its data there. */
function newHomeOutside(stateDir: string, account: NonNullable<Account>): string {
  const home = join(cloneFolderOutside(account), randomBytes(6).toString('hex'));
  makeSharedFolder(home);
  const locationFile = postgresLocationFileOf(stateDir);
  const draft = `${locationFile}.${basename(home)}`;
  writeFileSync(draft, `${home}\n`);
  try {
    linkSync(draft, locationFile); // unlike rename, this succeeds for only one of two processes
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    rmSync(home, { recursive: true });
  } finally {
    rmSync(draft);
  }
  return postgresHomeOf(stateDir);
}

/** The folder of this clone in the first place outside that is writable and that the server's user can reach. */
export function cloneFolderOutside(account: NonNullable<Account>): string {
  const faults: string[] = [];
  for (const folder of foldersOutside()) {
    try {
      makeSharedFolder(dirname(folder));
      makeSharedFolder(folder);
      if (reaches(account, folder)) return folder;
      faults.push(`user ${account.uid} cannot reach ${folder}`);
    } catch (error) {
      faults.push((error as Error).message);
    }
  }
  throw new Error(
    `PostgreSQL's own user can reach neither this clone nor a folder outside it (${faults.join('; ')}). Make the folders above the clone accessible (chmod o+x), or run this command as an ordinary user.`,
  );
}

/** World-readable despite the umask, and owned by root: in a folder like /var/tmp anyone could have created it first. */
function makeSharedFolder(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const found = lstatSync(folder);
  if (!found.isDirectory() || found.uid !== 0) throw new Error(`${folder} is not a folder owned by root`);
  chmodSync(folder, 0o755);
}

/** Moves a finished folder to its place; if another process was first, its folder stays. */
export function renameOrDrop(draft: string, target: string): void {
  try {
    renameSync(draft, target);
  } catch (error) {
    if (!existsSync(target)) throw error;
    rmSync(draft, { recursive: true, force: true });
  }
}
