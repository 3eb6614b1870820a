import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Env } from '@indbakke/shared/config';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

// With a heap of this size V8 collects soon, so that growth is memory in use. Node 24 would collect far later than Node 20.
const HEAP = ['--max-semi-space-size=16', '--max-old-space-size=96'];

/** The built receiver in a process of its own, as in production. */
export interface ReceiverProcess {
  readonly url: string;
  readonly pid: number;
  /** Every line written so far to standard output and standard error. */
  readonly lines: readonly string[];
  /** Ends it with SIGTERM, as an orchestrator does. @returns the exit status */
  stop(): Promise<number | null>;
}

export async function startReceiverProcess(env: Env): Promise<ReceiverProcess> {
  if (!existsSync(MAIN)) throw new Error(`${MAIN} is missing. Build first: npm run build.`);
  const child = spawn(process.execPath, [...HEAP, MAIN], {
    env: { PATH: process.env.PATH, ...env, PORT: '0', LOG_LEVEL: 'info' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const exited = once(child, 'close') as Promise<[number | null]>;
  const url = await Promise.race([
    readyUrl(child, lines),
    exited.then(() => {
      throw new Error(`The receiver did not start: ${lines.join('\n')}`);
    }),
  ]);
  return {
    url,
    pid: child.pid as number,
    lines,
    async stop() {
      child.kill('SIGTERM');
      return (await exited)[0];
    },
  };
}

function readyUrl({ stdout, stderr }: ChildProcess, lines: string[]): Promise<string> {
  return new Promise((resolve) => {
    for (const stream of [stdout, stderr]) {
      createInterface({ input: stream as NodeJS.ReadableStream }).on('line', (line) => {
        lines.push(line);
        const url = /"event":"ready".*"url":"([^"]+)"/.exec(line)?.[1];
        if (url) resolve(url);
      });
    }
  });
}
