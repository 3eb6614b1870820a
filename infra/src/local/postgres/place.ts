import { existsSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type ClusterPaths, clusterOf } from '../../../../tools/local-state.mjs';
import { type Account, accountFor } from './account.js';
import { binariesFor, findInstalled, isRunnableBy } from './binaries.js';
import { homeFor } from './folders.js';

/** All that is settled before a server is looked for or started. */
export interface Place extends ClusterPaths {
  readonly account: Account;
  readonly home: string;
  /** The folder of postgres, initdb and pg_ctl. */
  readonly binaries: string;
  /** Of those, e.g. `18.4.0`. */
  readonly version: string;
  readonly logFile: string;
}

const LOG_LIMIT = 10 * 1024 * 1024; // bytes; at start a longer log is put aside as postgres.log.1

/**
 * In the state folder. When the user that runs PostgreSQL for root cannot reach the clone or the state folder (a 0700 folder
 * above them, say), binaries and data go to a folder outside of both.
 */
export function findPlace(stateDir: string, onProgress: (line: string) => void): Place {
  const installed = findInstalled();
  const account = accountFor(stateDir);
  const home = homeFor(stateDir, account, () => isRunnableBy(account, installed));
  const binaries = binariesFor(account, installed, onProgress);
  return { ...clusterOf(home), account, home, binaries, version: installed.version, logFile: openLog(stateDir) };
}

/** In the state folder also when the data are outside: the server inherits it open. */
function openLog(stateDir: string): string {
  const logFile = join(stateDir, 'postgres.log');
  if (existsSync(logFile) && statSync(logFile).size > LOG_LIMIT) renameSync(logFile, `${logFile}.1`);
  return logFile;
}

/** Nothing of the caller's PGDATA, PGPORT and the like; messages in English, because they are read here. */
export function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: 'C' };
}

export function tail(text: string): string {
  return text.trim().split('\n').slice(-15).join('\n');
}
