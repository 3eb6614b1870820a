// Folders that the server's user can reach, outside of a clone and a state folder that it cannot.

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
 * The folder of the cluster: in the state folder if the server's user reaches that, and the installed programs, else a new
 * one outside. An existing one stays.
 */
export function homeFor(stateDir: string, account: Account, canRunInstalled: () => boolean): string {
  const home = postgresHomeOf(stateDir);
  mkdirSync(home, { recursive: true });
  const isSettled = existsSync(clusterOf(home).cluster) || home !== postgresFolderOf(stateDir);
  if (account === undefined || (reaches(account, home) && (isSettled || canRunInstalled()))) return home;
  if (isSettled) {
    throw new Error(
      `PostgreSQL's own user (id ${account.uid}) can no longer reach ${home}. Let others pass through the folders above it (chmod o+x), or give the database up with: npm run reset`,
    );
  }
  rmSync(home, { recursive: true });
  return newHomeOutside(stateDir, account);
}

/** By really trying, because modes tell only half (access lists, mount options, security modules). */
function reaches(account: Account, folder: string): boolean {
  return spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { ...account, cwd: '/' }).status === 0;
}

/** A random name, because the folder of a deleted clone may still lie there with the data of that clone. */
function newHomeOutside(stateDir: string, account: NonNullable<Account>): string {
  const home = join(cloneFolderOutside(account), randomBytes(6).toString('hex'));
  makeSharedFolder(home);
  const locationFile = postgresLocationFileOf(stateDir);
  const draft = `${locationFile}.${basename(home)}`;
  writeFileSync(draft, `${home}\n`);
  try {
    linkSync(draft, locationFile); // unlike rename, this lets only the first of two processes have its way
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    rmSync(home, { recursive: true });
  } finally {
    rmSync(draft);
  }
  return postgresHomeOf(stateDir);
}

/** The folder of this clone in the first place outside that can be written to and reached. */
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
    `PostgreSQL's own user can reach neither this clone nor a folder outside of it (${faults.join('; ')}). Let others pass through the folders above the clone (chmod o+x), or run this command as an ordinary user.`,
  );
}

/** Readable by everybody, whatever the umask, and root's own: in a folder like /var/tmp anybody could have made it first. */
function makeSharedFolder(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const found = lstatSync(folder);
  if (!found.isDirectory() || found.uid !== 0) throw new Error(`${folder} is not a folder of root`);
  chmodSync(folder, 0o755);
}

/** Puts a finished folder where it belongs; when another process was first, that one's stays. */
export function renameOrDrop(draft: string, target: string): void {
  try {
    renameSync(draft, target);
  } catch (error) {
    if (!existsSync(target)) throw error;
    rmSync(draft, { recursive: true, force: true });
  }
}
