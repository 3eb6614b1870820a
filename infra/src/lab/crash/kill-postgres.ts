import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { serverOf, startOf } from '../../../../tools/local-state.mjs';

const LIMIT_MS = 60_000;

/** SIGKILL to the server’s main process and all that it started. Resolves when they are gone. */
export async function killPostgres(dataDir: string): Promise<void> {
  const server = serverOf(dataDir);
  if (!server) throw new Error('PostgreSQL does not run.');
  const processes = [server.pid, ...childrenOf(server.pid)];
  for (const pid of processes) killIfThere(pid);
  await until(() => processes.every((pid) => startOf(pid) === undefined), 'PostgreSQL did not die.');
}

/** Starts it again exactly as it was started, on the same port; it recovers from its log. */
export async function restartPostgres(dataDir: string, logFile: string): Promise<void> {
  // PostgreSQL 18, postmaster.opts: the program, then each argument between double quotes.
  const opts = readFileSync(join(dataDir, 'postmaster.opts'), 'utf8').trim();
  const program = opts.slice(0, opts.indexOf(' "'));
  const args = [...opts.matchAll(/ "([^"]*)"/g)].map(([, argument]) => argument ?? '');
  const { uid, gid } = statSync(dataDir);
  const log = openSync(logFile, 'a', 0o600);
  const child = spawn(program, args, {
    ...(process.getuid?.() === 0 && { uid, gid }),
    cwd: '/',
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  child.unref();
  let ended = false;
  child.once('error', () => {
    ended = true;
  });
  child.once('exit', () => {
    ended = true;
  });
  await until(() => {
    if (ended) throw new Error(`PostgreSQL did not start again; see ${logFile}.`);
    const server = serverOf(dataDir);
    return server?.ready === true && server.pid === child.pid;
  }, 'PostgreSQL was not ready again in time.');
}

function childrenOf(parent: number): number[] {
  return processes()
    .filter(([, parentOf]) => parentOf === parent)
    .map(([pid]) => pid);
}

/** Every process with its parent. */
function processes(): [number, number][] {
  if (existsSync('/proc/self/stat')) {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name): [number, number][] => {
        try {
          const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
          // proc(5): pid (comm) state ppid; comm may hold anything.
          return [[Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])]];
        } catch {
          return []; // it has just ended
        }
      });
  }
  const { stdout } = spawnSync('ps', ['-axo', 'pid=,ppid='], { encoding: 'utf8' });
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function until(isSo: () => boolean, otherwise: string): Promise<void> {
  for (const limit = performance.now() + LIMIT_MS; !isSo(); await pause(5)) {
    if (performance.now() > limit) throw new Error(otherwise);
  }
}
