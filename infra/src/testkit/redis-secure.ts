import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../local/free-port.js';
import { argsOf, type QueuePlace, startRedisProcess } from './redis.js';
import { createRedisTls } from './redis-tls.js';

/** A Redis that takes nobody but this user, over TLS, with our certificate. */
export async function startSecureRedis(user: string): Promise<QueuePlace> {
  const folder = await mkdtemp(join(tmpdir(), 'indbakke-redis-'));
  const [tls, port] = [await createRedisTls(folder), await freePort()];
  const args = [...argsOf(folder, port, tls), '--user', 'default', 'off', ...userArgs(user)];
  const server = await startRedisProcess({ folder, port, args });
  const via = (url: string) => ({ ...tls.env, QUEUE_URL: url });
  const firstUrl = `rediss://${loginOf(user)}@127.0.0.1:${port}`;
  return {
    env: via(firstUrl),
    firstUrl,
    via,
    async close() {
      await server.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Of redis-server. */
export const userArgs = (user: string): readonly string[] => ['--user', ...user.split(' ')];

/** `name:password` of such a user. */
export function loginOf(user: string): string {
  const [name, password] = [/^\S+/, /(?<=>)\S+/].map((part) => part.exec(user)?.[0]);
  return `${name}:${password}`;
}
