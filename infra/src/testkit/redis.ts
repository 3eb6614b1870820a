import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { Env } from '@indbakke/shared/config';
import { freePort } from '../local/free-port.js';
import { isInstalled } from './installed.js';
import type { RedisTls } from './redis-tls.js';

/** Warns when it is false. */
export const HAS_REDIS = await isInstalled('redis-server', ['--version']);
if (!HAS_REDIS) {
  console.warn('redis-server is not installed (Debian package redis-server): tests that need Redis are skipped.');
}

/** A process of redis-server. */
export interface RedisProcess {
  readonly port: number;
  /** Of the process that runs now. */
  readonly pid: number;
  start(): Promise<void>;
  /** SIGKILL, as in a crash. */
  kill(): Promise<void>;
  /** SIGSTOP: its connections stay open, and nothing is answered. */
  pause(): void;
  resume(): void;
  /** Asks it, as redis-cli does. */
  ask(...command: readonly string[]): Promise<string>;
}

export interface RedisProcessOptions {
  readonly folder: string;
  readonly port: number;
  /** Of redis-server, after the file of its settings where it has one. */
  readonly args: readonly string[];
  /** What it prints when it is ready. */
  readonly readyLine?: string;
  /** Options of redis-cli: how to get in. */
  readonly access?: readonly string[];
}

const run = promisify(execFile);

/** One that is paused never answers. */
const ASKED_MS = 2_000;

/** Started. */
export async function startRedisProcess(options: RedisProcessOptions): Promise<RedisProcess> {
  const { folder, port, args, readyLine = 'Ready to accept connections', access = [] } = options;
  let server: ChildProcess | undefined;
  const redis: RedisProcess = {
    port,
    get pid() {
      return server?.pid ?? Number.NaN;
    },
    async start() {
      server = spawn('redis-server', args, { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] });
      await isUp(server, readyLine);
    },
    async kill() {
      if (!server) return;
      const ended = once(server, 'exit');
      server.kill('SIGKILL');
      await ended;
      server = undefined;
    },
    pause() {
      server?.kill('SIGSTOP');
    },
    resume() {
      server?.kill('SIGCONT');
    },
    async ask(...command) {
      const args = ['-h', '127.0.0.1', '-p', String(port), ...access, ...command];
      const { stdout } = await run('redis-cli', args, { timeout: ASKED_MS });
      return stdout.trimEnd();
    },
  };
  await redis.start();
  return redis;
}

async function isUp({ stdout }: ChildProcess, readyLine: string): Promise<void> {
  const said: string[] = [];
  for await (const line of createInterface({ input: stdout as NodeJS.ReadableStream })) {
    said.push(line);
    if (line.includes(readyLine)) break;
  }
  if (!said.at(-1)?.includes(readyLine)) throw new Error(`redis-server did not start: ${said.join('\n')}`);
  (stdout as NodeJS.ReadableStream).resume();
}

/** On loopback, keeping nothing over a restart and evicting nothing. */
export const argsOf = (folder: string, port: number, tls?: RedisTls): readonly string[] => [
  ...(tls ? tls.argsOf(port) : ['--port', String(port)]),
  ...['--bind', '127.0.0.1', '--dir', folder, '--maxmemory-policy', 'noeviction', '--save', ''],
];

/** Where the jobs of services under test are. */
export interface QueuePlace {
  /** Settings of the services. */
  readonly env: Env;
  /** The server that is asked first. */
  readonly firstUrl: string;
  /** The settings with this URL in its place, such as that of a line to it. */
  via(url: string): Env;
  close(): Promise<void>;
}

/** A new Redis, which keeps nothing over a restart unless `settings` say otherwise. */
export interface OwnRedis extends QueuePlace, RedisProcess {
  readonly url: string;
}

/** @param parent where its folder is created */
export async function startOwnRedis(parent = tmpdir(), settings: readonly string[] = []): Promise<OwnRedis> {
  const folder = await mkdtemp(join(parent, 'indbakke-redis-'));
  const port = await freePort();
  const server = await startRedisProcess({ folder, port, args: [...argsOf(folder, port), ...settings] });
  const url = `redis://127.0.0.1:${port}`;
  const via = (other: string) => ({ QUEUE_URL: other });
  return {
    ...server,
    get pid() {
      return server.pid;
    },
    url,
    env: via(url),
    firstUrl: url,
    via,
    async close() {
      await server.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
