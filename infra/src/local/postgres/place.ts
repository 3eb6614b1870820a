import { existsSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type ClusterPaths, clusterOf } from '../../../../tools/local-state.mjs';
import { type Account, accountFor } from './account.js';
import { binariesFor, findInstalled, isRunnableBy } from './binaries.js';
import { homeFor } from './folders.js';

/** Where the server, its programs and its data are, and who runs it. */
export interface Place extends ClusterPaths {
  readonly account: Account;
  readonly home: string;
  /** The folder of postgres, initdb and pg_ctl. */
  readonly binaries: string;
  /** Their version, e.g. `18.4.0`. */
  readonly version: string;
  readonly logFile: string;
}

const LOG_LIMIT = 10 * 1024 * 1024; // bytes; a longer log is renamed to postgres.log.1 at start

/**
 * In the state folder. When the user that runs PostgreSQL for root cannot reach the clone or the state folder (below a 0700
 * folder, for example), binaries and data go to a folder outside both.
 */
export function findPlace(stateDir: string, onProgress: (line: string) => void): Place {
  const installed = findInstalled();
  const account = accountFor(stateDir);
  const home = homeFor(stateDir, account, () => isRunnableBy(account, installed));
  const binaries = binariesFor(account, installed, onProgress);
  return { ...clusterOf(home), account, home, binaries, version: installed.version, logFile: openLog(stateDir) };
}

/** In the state folder even when the data are outside: the server inherits the open file. */
function openLog(stateDir: string): string {
  const logFile = join(stateDir, 'postgres.log');
  if (existsSync(logFile) && statSync(logFile).size > LOG_LIMIT) renameSync(logFile, `${logFile}.1`);
  return logFile;
}

/** Without the caller's PGDATA, PGPORT and so on; in English, because messages are parsed here. */
export function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: 'C' };
}

export function tail(text: string): string {
  return text.trim().split('\n').slice(-15).join('\n');
}
