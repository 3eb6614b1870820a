import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { serverOf, startOf } from '../../../tools/local-state.mjs';
import { dropForeignPidFile, runPgCtl } from '../local/postgres/server.js';

const LIMIT_MS = 60_000;

/** SIGKILL to the postmaster and its children. Resolves when they are gone. */
export async function killPostgres(dataDir: string): Promise<void> {
  const server = serverOf(dataDir);
  if (!server) throw new Error('PostgreSQL does not run.');
  const processes = [server.pid, ...childrenOf(server.pid)];
  for (const pid of processes) killIfThere(pid);
  await until(() => processes.every((pid) => startOf(pid) === undefined), 'PostgreSQL did not die.');
}

/** Restarts it with the same options, on the same port; it recovers from its log. */
export async function restartPostgres(dataDir: string, logFile: string): Promise<void> {
  // PostgreSQL 18, postmaster.opts: the program, then each argument between double quotes.
  const [program = ''] = readFileSync(join(dataDir, 'postmaster.opts'), 'utf8').split(' "');
  dropForeignPidFile(dataDir);
  const { uid, gid } = statSync(dataDir);
  const account = process.getuid?.() === 0 ? { uid, gid } : undefined;
  const logged = await runPgCtl({ account, binaries: dirname(program), dataDir, logFile }, ['restart']);
  if (!serverOf(dataDir)?.ready) throw new Error(`PostgreSQL did not restart: ${logged}`);
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
          // proc(5): pid (comm) state ppid; comm may contain anything.
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

async function until(isDone: () => boolean, timeoutMessage: string): Promise<void> {
  for (const limit = performance.now() + LIMIT_MS; !isDone(); await pause(5)) {
    if (performance.now() > limit) throw new Error(timeoutMessage);
  }
}
