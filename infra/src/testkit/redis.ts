import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../local/free-port.js';
import { isInstalled } from './installed.js';

/** Warns when it is false. */
export const HAS_REDIS = await isInstalled('redis-server', ['--version']);
if (!HAS_REDIS) {
  console.warn('redis-server is not installed (Debian package redis-server): tests that need Redis are skipped.');
}

/** A new Redis, which keeps nothing over a restart unless `settings` say otherwise. */
export interface OwnRedis {
  readonly url: string;
  /** Of the process that runs now. */
  readonly pid: number;
  start(): Promise<void>;
  /** SIGKILL, as in a crash. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

/** @param parent where its folder is created */
export async function startOwnRedis(parent = tmpdir(), settings: readonly string[] = []): Promise<OwnRedis> {
  const folder = await mkdtemp(join(parent, 'indbakke-redis-'));
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--maxmemory-policy', 'noeviction'];
  let server: ChildProcess | undefined;
  const redis: OwnRedis = {
    url: `redis://127.0.0.1:${port}`,
    get pid() {
      return server?.pid ?? Number.NaN;
    },
    async start() {
      server = spawn('redis-server', [...args, '--save', '', ...settings], { stdio: ['ignore', 'pipe', 'ignore'] });
      for await (const line of server.stdout ?? []) if (String(line).includes('Ready to accept connections')) break;
    },
    async kill() {
      if (!server) return;
      const ended = once(server, 'exit');
      server.kill('SIGKILL');
      await ended;
      server = undefined;
    },
    async close() {
      await redis.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
  await redis.start();
  return redis;
}
