import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.js';

/** Whether Redis can be tested here; says so when it cannot. */
export const HAS_REDIS = await new Promise<boolean>((resolve) => {
  spawn('redis-server', ['--version'], { stdio: 'ignore' })
    .on('error', () => resolve(false))
    .on('exit', (code) => resolve(code === 0));
});
if (!HAS_REDIS) {
  console.warn('redis-server is not installed (Debian package redis-server): what needs Redis is not tested.');
}

/** A Redis of the test’s own that keeps nothing over a restart. */
export interface TestRedis {
  readonly url: string;
  start(): Promise<void>;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

export async function startTestRedis(): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'indbakke-redis-'));
  const port = await freePort();
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--maxmemory-policy', 'noeviction'];
  let server: ChildProcess | undefined;
  const redis: TestRedis = {
    url: `redis://127.0.0.1:${port}`,
    async start() {
      server = spawn('redis-server', [...settings, '--save', ''], { stdio: ['ignore', 'pipe', 'ignore'] });
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
