import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repository } from '../../../tools/local-state.mjs';
import { freePort } from '../local/free-port.js';
import { argsOf, type QueuePlace, startRedisProcess } from './redis.js';
import { createRedisTls } from './redis-tls.js';

/** The user that docs/queue.md tells operators to make: the same words for redis.conf, redis-server and ACL SETUSER. */
export function documentedUser(): string[] {
  const docs = readFileSync(join(repository, 'docs', 'queue.md'), 'utf8');
  const [, user = ''] = /^user (.+)$/m.exec(docs.replaceAll('\\\n', ' ')) ?? [];
  return user.split(/\s+/);
}

/** Its `name:password`. */
export function documentedLogin(): string {
  const [name, ...rules] = documentedUser();
  return `${name}:${rules.find((rule) => rule.startsWith('>'))?.slice(1)}`;
}

/** A Redis that takes nobody but that user, over TLS, with our certificate. */
export async function startSecureRedis(): Promise<QueuePlace> {
  const folder = await mkdtemp(join(tmpdir(), 'indbakke-redis-'));
  const [tls, port] = [await createRedisTls(folder), await freePort()];
  const args = [...argsOf(folder, port, tls), '--user', 'default', 'off', '--user', ...documentedUser()];
  const server = await startRedisProcess({ folder, port, args });
  const via = (url: string) => ({ ...tls.env, QUEUE_URL: url });
  const firstUrl = `rediss://${documentedLogin()}@127.0.0.1:${port}`;
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
