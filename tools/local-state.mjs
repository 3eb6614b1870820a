// Shared by the tools and the local stack (infra/src/local): where state is, which processes run, and how the embedded
// PostgreSQL of a state folder is found and stopped. Plain Node, so that `npm run reset` works when node_modules is missing
// or broken. Types: local-state.d.mts.

import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, realpathSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const repository = dirname(dirname(fileURLToPath(import.meta.url)));

// A relative STATE_DIR is relative to the clone, so that every command finds the same folder from any directory.
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

// A file with the path of the folder that holds PostgreSQL when that is outside (infra/src/local/postgres/folders.ts).
export function postgresLocationFileOf(stateDir) {
  return join(stateDir, 'postgres-location');
}

// One file per process that uses the PostgreSQL of this state folder; the last one stops it.
export function postgresUsersFolderOf(stateDir) {
  return join(stateDir, 'postgres-users');
}

const MARK = /^\d+-.+-[0-9a-f]+$/; // see newMark

/**
 * What Indbakke creates in a state folder: names, and for a folder the names in it. Nothing else is removed, because
 * STATE_DIR may be a folder with other files.
 */
const CREATED = [
  { name: /^content(-deletions|-ledger)?$/, holds: /^(indbakke|[0-9a-f]{2}|check-[0-9a-f]+)$/ },
  {
    name: /^keys$/,
    holds:
      /^(master-keys\.json(\.[0-9a-f]+\.part)?|token-issuer\.(jwks|private)\.json|sftp-(host|user)\.pem(\.part)?)$/,
  },
  { name: /^sftp$/, holds: /^(IN|OUT)$/ },
  { name: /^postgres$/, holds: /^cluster(-.+)?$/ },
  { name: /^postgres-users$/, holds: MARK },
  { name: /^postgres-location(\.[0-9a-f]+)?$/ },
  { name: /^postgres\.log(\.1)?$/ },
  { name: /^local\.json(\.[0-9a-f]+)?$/ },
  { name: /^test$/, holds: MARK },
];

/** Removes what Indbakke created in a state folder, all or only the wanted entries, and the folder if it is then empty. */
export function removeCreated(stateDir, isWanted = () => true) {
  for (const name of namesIn(stateDir).filter(isWanted)) {
    const entry = CREATED.find((candidate) => candidate.name.test(name));
    if (entry === undefined) {
      continue;
    }
    const path = join(stateDir, name);
    const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
    if (entry.holds === undefined && !isFolder) {
      rmSync(path, { force: true });
    } else if (entry.holds !== undefined && isFolder) {
      for (const inner of namesIn(path).filter((innerName) => entry.holds.test(innerName))) {
        rmSync(join(path, inner), { recursive: true, force: true, maxRetries: 3 });
      }
      removeIfEmpty(path);
    }
  }
  removeIfEmpty(stateDir);
}

/** The state folders of tests and demos. */
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
    // Not empty, missing, a mount point or a link.
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT', 'EBUSY', 'ENOTDIR'].includes(error.code)) {
      throw error;
    }
  }
}

/** Where root may keep PostgreSQL outside the clone, in order of preference. */
export const OUTSIDE_PLACES = ['/var/lib/indbakke', '/var/tmp/indbakke'];

/** The folder of PostgreSQL: the one in the location file, else one in the state folder. */
export function postgresHomeOf(stateDir) {
  const outside = readIfThere(postgresLocationFileOf(stateDir))?.trim();
  if (!outside) {
    return postgresFolderOf(stateDir);
  }
  // reset removes this folder as root, so it must be one that Indbakke created.
  if (resolve(outside) !== outside || !OUTSIDE_PLACES.includes(dirname(dirname(outside)))) {
    throw new Error(
      `${postgresLocationFileOf(stateDir)} names ${outside}, which is not a folder of Indbakke. Remove that file.`,
    );
  }
  return outside;
}

// A cluster is complete or absent: it is created under another name and renamed.
export function clusterOf(home) {
  const cluster = join(home, 'cluster');
  return { cluster, dataDir: join(cluster, 'data'), passwordFile: join(cluster, 'password') };
}

// Processes. A process id is not an identity: ids are reused, in a container soon after every restart.

/** When the process started, in the system's notation; undefined if it does not exist or is a zombie. */
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

/** Whether any process has this id, even a zombie. */
export function isTaken(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

// Linux: /proc/<pid>/cmdline, because slim images have no ps, and root in a container may not read another user's
// /proc/<pid>/cwd.
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
    return ''; // ps exits with 1 for an unknown process
  }
}

/** A unique name for a file or folder of this process; markIsAlive says whether that process still runs. */
export function newMark() {
  const { pid, started } = thisProcess();
  return [pid, encodeURIComponent(started), randomBytes(4).toString('hex')].join('-');
}

export function markIsAlive(mark) {
  const [pid, started] = mark.split('-');
  return isRunning({ pid: Number(pid), started: decodeURIComponent(started ?? '') });
}

/** The marks of running processes that use the PostgreSQL of this state folder; others are removed. */
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
 * The server running on this data folder, from its postmaster.pid, checked against the process with that id.
 * Source: PostgreSQL 18, src/include/utils/pidfile.h (pid, data folder, start, port, socket folder, address, shared
 * memory, status).
 */
export function serverOf(dataDir) {
  const lines = readIfThere(join(dataDir, 'postmaster.pid'))?.split('\n') ?? [];
  const [pid, folder] = [Number(lines[0]), lines[1] ?? ''];
  if (!(pid > 0) || startOf(pid) === undefined || !commandLine(pid).includes(` -D ${folder} `)) {
    return undefined;
  }
  // The server of a moved state folder is found, that of a copied one is not.
  if (existsSync(folder) && realpathSync(folder) !== realpathSync(dataDir)) {
    return undefined;
  }
  return { pid, port: Number(lines[3]), ready: (lines[7] ?? '').trim() === 'ready' };
}

/**
 * Stops the server of this data folder, if one runs: fast shutdown, then immediate shutdown after half a minute (the next
 * start recovers from the log).
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
  throw new Error(`PostgreSQL (process ${server.pid}) of ${dataDir} does not stop. Kill it: kill -9 ${server.pid}`);
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

/** Stops the PostgreSQL of a state folder and removes its files, also outside the state folder. */
export async function removePostgres(stateDir) {
  const home = postgresHomeOf(stateDir);
  await stopServer(clusterOf(home).dataDir);
  if (home !== postgresFolderOf(stateDir)) {
    rmSync(home, { recursive: true, force: true });
  }
  removeCreated(stateDir, (name) => /^postgres(-|$)/.test(name));
}

/** The folders of this clone outside it: they hold one folder per state folder, and the binaries. */
export function foldersOutside() {
  const clone = createHash('sha256').update(repository).digest('hex').slice(0, 16);
  return OUTSIDE_PLACES.map((place) => join(place, clone));
}

const BINARIES = 'binaries-';

/** The name of the copy of PostgreSQL's binaries in such a folder. */
export function binariesNameOf(version) {
  return `${BINARIES}${version}`;
}

/** Removes the copies of the binaries that no cluster can use any more. */
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
