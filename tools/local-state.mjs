// What the tools and the local stack (infra/src/local) must agree on: where state lies, which processes are alive, and how
// the embedded PostgreSQL of a state folder is found and stopped. Plain Node, so that `npm run reset` works even when
// node_modules is missing or broken. The types are in local-state.d.mts.

import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, realpathSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const repository = dirname(dirname(fileURLToPath(import.meta.url)));

// A relative STATE_DIR is taken from the clone, so that every command finds the same folder wherever it is called from.
export function stateFolder(env = process.env) {
  return resolve(repository, env.STATE_DIR || '.indbakke');
}

export function localFileOf(stateDir) {
  return join(stateDir, 'local.json');
}

export function testFolderOf(stateDir) {
  return join(stateDir, 'test');
}

export function postgresFolderOf(stateDir) {
  return join(stateDir, 'postgres');
}

// Names the folder outside the state folder that holds PostgreSQL, when there is one (see infra/src/local/postgres/folders.ts).
export function postgresLocationFileOf(stateDir) {
  return join(stateDir, 'postgres-location');
}

// One file per process that uses the PostgreSQL of this state folder; the last one to leave stops it.
export function postgresUsersFolderOf(stateDir) {
  return join(stateDir, 'postgres-users');
}

const MARK = /^\d+-.+-[0-9a-f]+$/; // see newMark

/**
 * All that Indbakke makes in a state folder: the names, and for a folder the names in it. Nothing else is ever removed from
 * there, since STATE_DIR may name a folder that holds other things.
 */
const MADE = [
  { name: /^content$/, holds: /^([0-9a-f]{2}|check-[0-9a-f]+)$/ },
  { name: /^keys$/, holds: /^(master-keys\.json(\.[0-9a-f]+\.part)?|token-issuer\.(jwks|private)\.json)$/ },
  { name: /^postgres$/, holds: /^cluster(-.+)?$/ },
  { name: /^postgres-users$/, holds: MARK },
  { name: /^postgres-location(\.[0-9a-f]+)?$/ },
  { name: /^postgres\.log(\.1)?$/ },
  { name: /^local\.json(\.[0-9a-f]+)?$/ },
  { name: /^test$/, holds: MARK },
];

/** Removes from a state folder what Indbakke made, all or only the entries asked for, and the folder when it is empty then. */
export function removeMade(stateDir, isAskedFor = () => true) {
  for (const name of namesIn(stateDir).filter(isAskedFor)) {
    const made = MADE.find((entry) => entry.name.test(name));
    if (made === undefined) {
      continue;
    }
    const path = join(stateDir, name);
    const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
    if (made.holds === undefined && !isFolder) {
      rmSync(path, { force: true });
    } else if (made.holds !== undefined && isFolder) {
      for (const inner of namesIn(path).filter((entry) => made.holds.test(entry))) {
        rmSync(join(path, inner), { recursive: true, force: true, maxRetries: 3 });
      }
      removeIfEmpty(path);
    }
  }
  removeIfEmpty(stateDir);
}

/** The clusters, which are state folders themselves, of tests and demos. */
export function testClustersOf(stateDir) {
  const folder = testFolderOf(stateDir);
  return namesIn(folder)
    .filter((name) => MARK.test(name))
    .map((name) => join(folder, name));
}

function namesIn(folder) {
  return existsSync(folder) ? readdirSync(folder) : [];
}

function removeIfEmpty(folder) {
  try {
    rmdirSync(folder);
  } catch (error) {
    // Not empty, not there, or a mount point or a link, which stay.
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT', 'EBUSY', 'ENOTDIR'].includes(error.code)) {
      throw error;
    }
  }
}

/** Where root may keep PostgreSQL outside of the clone, in order of preference. */
export const OUTSIDE_PLACES = ['/var/lib/indbakke', '/var/tmp/indbakke'];

/** The folder that PostgreSQL lives in: outside when the location file says so, else inside the state folder. */
export function postgresHomeOf(stateDir) {
  const outside = readIfThere(postgresLocationFileOf(stateDir))?.trim();
  if (!outside) {
    return postgresFolderOf(stateDir);
  }
  // This folder is removed by reset, as root: nothing but what Indbakke made may be named here.
  if (resolve(outside) !== outside || !OUTSIDE_PLACES.includes(dirname(dirname(outside)))) {
    throw new Error(
      `${postgresLocationFileOf(stateDir)} names ${outside}, which is no folder of Indbakke. Remove that file.`,
    );
  }
  return outside;
}

// A cluster is complete or absent: it is made under another name and renamed to this one.
export function clusterOf(home) {
  const cluster = join(home, 'cluster');
  return { cluster, dataDir: join(cluster, 'data'), passwordFile: join(cluster, 'password') };
}

// Processes. A process id alone is no identity: ids are used again, in a container soon after every restart.

/** When the process started, in the system's own notation; undefined when there is none (or only a zombie). */
export function startOf(pid) {
  if (process.platform === 'linux') {
    const stat = readIfThere(`/proc/${pid}/stat`);
    // proc(5): the name in parentheses may hold anything; after it, field 3 is the state and field 22 the start time.
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields === undefined || 'ZX'.includes(fields[0]) ? undefined : fields[19];
  }
  const [state = 'Z', ...started] = ps(pid, 'stat=,lstart=').split(/\s+/).filter(Boolean);
  return state.startsWith('Z') ? undefined : started.join(' ');
}

export function thisProcess() {
  return { pid: process.pid, started: startOf(process.pid) };
}

export function isRunning({ pid, started }) {
  return Number.isInteger(pid) && pid > 0 && started !== undefined && startOf(pid) === started;
}

/** Whether any process has this id, a zombie too. */
export function isTaken(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

// Linux: /proc/<pid>/cmdline, because slim images have no ps, and because reading another user's /proc/<pid>/cwd needs a
// capability that root in a container lacks.
function commandLine(pid) {
  if (process.platform === 'linux') {
    return readIfThere(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ') ?? '';
  }
  return ps(pid, 'command=');
}

function ps(pid, columns) {
  try {
    return execFileSync('ps', ['-o', columns, '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return ''; // ps exits with 1 when there is no such process
  }
}

/** A name for a file or folder that belongs to this process, unique, from which markIsAlive tells whether it still runs. */
export function newMark() {
  const { pid, started } = thisProcess();
  return [pid, encodeURIComponent(started), randomBytes(4).toString('hex')].join('-');
}

export function markIsAlive(mark) {
  const [pid, started] = mark.split('-');
  return isRunning({ pid: Number(pid), started: decodeURIComponent(started ?? '') });
}

/** The marks of the living processes that use the PostgreSQL of this state folder; those of dead ones are removed. */
export function postgresUsersOf(stateDir) {
  const folder = postgresUsersFolderOf(stateDir);
  const marks = namesIn(folder).filter((name) => MARK.test(name));
  for (const mark of marks.filter((name) => !markIsAlive(name))) {
    rmSync(join(folder, mark), { force: true });
  }
  return marks.filter(markIsAlive);
}

// PostgreSQL.

/**
 * The server that runs on this data folder, as its postmaster.pid tells, checked against the process of that id.
 * Source: PostgreSQL 18, src/include/utils/pidfile.h (pid, data folder, start, port, socket folder, address, shared
 * memory, status).
 */
export function serverOf(dataDir) {
  const lines = readIfThere(join(dataDir, 'postmaster.pid'))?.split('\n') ?? [];
  const [pid, folder] = [Number(lines[0]), lines[1] ?? ''];
  if (!(pid > 0) || startOf(pid) === undefined || !commandLine(pid).includes(` -D ${folder} `)) {
    return undefined;
  }
  // A state folder that was moved takes its running server along; one that was copied does not.
  if (existsSync(folder) && realpathSync(folder) !== realpathSync(dataDir)) {
    return undefined;
  }
  return { pid, port: Number(lines[3]), ready: (lines[7] ?? '').trim() === 'ready' };
}

/**
 * Stops the server of this data folder, if one runs: fast (open transactions are rolled back, everything is written
 * out), and after half a minute at once (the next start then recovers from the log).
 */
export async function stopServer(dataDir) {
  const server = serverOf(dataDir);
  if (server === undefined) {
    return;
  }
  for (const [signal, seconds] of [
    ['SIGINT', 30],
    ['SIGQUIT', 10],
  ]) {
    if (await stopsWith(signal, server.pid, seconds)) {
      return;
    }
  }
  throw new Error(
    `PostgreSQL (process ${server.pid}) of ${dataDir} does not stop. Stop it by hand: kill -9 ${server.pid}`,
  );
}

async function stopsWith(signal, pid, seconds) {
  const started = startOf(pid);
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (error.code === 'ESRCH') {
      return true;
    }
    throw new Error(`PostgreSQL (process ${pid}) belongs to another user. Run this command as that user or as root.`);
  }
  for (const until = Date.now() + seconds * 1000; Date.now() < until; await pause(20)) {
    if (!isRunning({ pid, started })) {
      return true;
    }
  }
  return false;
}

/** Stops the PostgreSQL of a state folder and removes everything it left, also outside the state folder. */
export async function removePostgres(stateDir) {
  const home = postgresHomeOf(stateDir);
  await stopServer(clusterOf(home).dataDir);
  if (home !== postgresFolderOf(stateDir)) {
    rmSync(home, { recursive: true, force: true });
  }
  removeMade(stateDir, (name) => /^postgres(-|$)/.test(name));
}

/** The folders outside that may hold what belongs to this clone: one folder per state folder, and the binaries once. */
export function foldersOutside() {
  const clone = createHash('sha256').update(repository).digest('hex').slice(0, 16);
  return OUTSIDE_PLACES.map((place) => join(place, clone));
}

const BINARIES = 'binaries-';

/** The name, in there, of the copy of PostgreSQL's binaries of this version. */
export function binariesNameOf(version) {
  return `${BINARIES}${version}`;
}

/** Removes the copies of the binaries, where no cluster is left that may use them. */
export function removeUnusedBinaries() {
  for (const folder of foldersOutside().filter(existsSync)) {
    if (readdirSync(folder).every((name) => name.startsWith(BINARIES))) {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'ENOTDIR'].includes(error.code)) {
      return undefined;
    }
    throw new Error(`${basename(file)} in ${dirname(file)} cannot be read: ${error.message}`);
  }
}
