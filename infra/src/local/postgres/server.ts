import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, fstatSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { isRunning, isTaken, serverOf, startOf, stopServer } from '../../../../tools/local-state.mjs';
import { freePort } from '../free-port.js';
import { SUPERUSER } from './cluster.js';
import { environment, type Place, tail } from './place.js';

export interface Server {
  readonly pid: number;
  readonly port: number;
}

const SECOND = 1000;
const START_LIMIT_SECONDS = 120; // after a crash the server first replays its log
const WATCH_EVERY = SECOND;

/** Transient failures: a port taken meanwhile, remaining processes of a killed server, another process starting it too. */
const TRANSIENT = /Address already in use|pre-existing shared memory block|lock file "postmaster.pid" already exists/;

export async function adoptOrStart(
  place: Place,
  settings: Readonly<Record<string, string>>,
  onProgress: (line: string) => void,
): Promise<Server> {
  let server = await adopt(place, onProgress);
  for (let attemptsLeft = 5; server === undefined; attemptsLeft -= 1) {
    const logged = await start(place, { ...settings, port: String(await freePort()) });
    server = await adopt(place, onProgress);
    if (server !== undefined) break;
    if (attemptsLeft === 1 || !TRANSIENT.test(logged)) {
      throw new Error(
        `PostgreSQL did not start on ${place.dataDir}. The end of its log (${place.logFile}):\n${logged}`,
      );
    }
    await pause(SECOND / 2);
  }
  return server;
}

/** The server running on these data, once it accepts connections. One that refuses our login is stopped. */
async function adopt(place: Place, onProgress: (line: string) => void): Promise<Server | undefined> {
  for (const until = Date.now() + START_LIMIT_SECONDS * SECOND; Date.now() < until; await pause(20)) {
    const server = serverOf(place.dataDir);
    if (server === undefined) {
      dropForeignPidFile(place.dataDir);
      return undefined;
    }
    if (!server.ready) continue;
    const refusal = await refusalOf(place, server.port);
    if (refusal === undefined) return server;
    onProgress(`stopping a PostgreSQL (process ${server.pid}) that refuses our login: ${refusal}`);
    break;
  }
  await stopServer(place.dataDir);
  return undefined;
}

/**
 * PostgreSQL takes a postmaster.pid for a running server when any process of its user has that id: often another program
 * after a container restart, or the killed server itself until its parent reaps it. Removing the file is safe: PostgreSQL
 * also checks the shared memory for processes that still use the data.
 */
export function dropForeignPidFile(dataDir: string): void {
  const file = join(dataDir, 'postmaster.pid');
  const pid = existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) : 0;
  if (pid > 0 && isTaken(pid) && serverOf(dataDir) === undefined) rmSync(file, { force: true });
}

/** Why the server refuses our login; undefined when it does not. */
async function refusalOf(place: Place, port: number): Promise<string | undefined> {
  const login = { host: '127.0.0.1', port, user: SUPERUSER, database: 'postgres', password: passwordOf(place) };
  const client = new pg.Client({ ...login, connectionTimeoutMillis: 5 * SECOND });
  client.on('error', () => {}); // the server may go away in between; the query then fails
  try {
    await client.connect();
    await client.query('SELECT 1');
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    await client.end().catch(() => {});
  }
}

export function passwordOf({ passwordFile }: Place): string {
  return readFileSync(passwordFile, 'utf8');
}

/** Starts the server and waits until it is ready or has failed. @returns what was logged meanwhile */
async function start(place: Place, settings: Readonly<Record<string, string>>): Promise<string> {
  const options = Object.entries(settings).map(([name, value]) => `-c ${name}='${value}'`);
  return runPgCtl(place, ['start', '--options', options.join(' ')]);
}

/**
 * Runs pg_ctl and waits for it. It starts the server in its own session, and finishes even if this process ends.
 *
 * @returns what it and the server logged
 */
export async function runPgCtl(
  { account, binaries, dataDir, logFile }: Pick<Place, 'account' | 'binaries' | 'dataDir' | 'logFile'>,
  args: readonly string[],
): Promise<string> {
  const log = openSync(logFile, 'a', 0o600);
  const before = fstatSync(log).size;
  try {
    const always = ['--pgdata', dataDir, '--wait', '--timeout', String(START_LIMIT_SECONDS), '--silent'];
    const child = spawn(join(binaries, 'pg_ctl'), [...args, ...always], {
      ...account,
      cwd: '/',
      env: environment(),
      detached: true, // so that Ctrl-C does not reach it
      stdio: ['ignore', log, log],
    });
    await once(child, 'exit');
    return tail(readFileSync(logFile).subarray(before).toString());
  } finally {
    closeSync(log);
  }
}

/**
 * Resolves with an Error when the server has ended without being stopped. It polls, because an adopted server is not our
 * child.
 */
export function watch({ pid }: Server, { logFile }: Place, isStopping: () => boolean): Promise<Error> {
  const started = startOf(pid);
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (!isStopping() && isRunning({ pid, started })) return;
      clearInterval(timer);
      if (isStopping()) return;
      resolve(
        new Error(
          `PostgreSQL (process ${pid}) has ended, and nothing works without it. Its log is ${logFile}. Restart with npm start; stored data is still there.`,
        ),
      );
    }, WATCH_EVERY);
    timer.unref();
  });
}
