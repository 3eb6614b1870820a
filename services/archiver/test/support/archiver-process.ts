import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Env } from '@indbakke/shared/config';
import type { CrashPoint } from '@indbakke/shared/crash-points';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const KILLED_AT = fileURLToPath(new URL('./killed-at.mjs', import.meta.url));

/** The built archiver in a process of its own, which kills itself at a crash point. */
export interface DoomedArchiver {
  /** Resolves when it takes calls; never, if it dies before. */
  readonly ready: Promise<string>;
  /** Resolves with the signal that ended it. */
  readonly died: Promise<NodeJS.Signals | null>;
  /** Ends it, if it is still there. */
  end(): void;
}

export function startDoomedArchiver(env: Env, point: CrashPoint, count = 1): DoomedArchiver {
  if (!existsSync(MAIN)) throw new Error(`${MAIN} is missing. Build first: npm run build.`);
  const child = spawn(process.execPath, ['--import', KILLED_AT, MAIN], {
    env: { PATH: process.env.PATH, ...env, PORT: '0', LOG_LEVEL: 'info', KILL_AT: point, KILL_COUNT: `${count}` },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ready = new Promise<string>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const url = /"event":"ready".*"url":"([^"]+)"/.exec(line)?.[1];
      if (url) resolve(url);
    });
  });
  const died = once(child, 'exit').then(([, signal]) => signal as NodeJS.Signals | null);
  return { ready, died, end: () => void child.kill('SIGKILL') };
}
