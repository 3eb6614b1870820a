import { QueueConfig, readConfig } from '@indbakke/shared/config';
import type { QueueServers } from '@indbakke/shared/queue';
import { queueServersOf } from '@indbakke/shared/service';
import { createTestDatabase } from './database.js';
import { HAS_REDIS, type QueuePlace, startOwnRedis } from './redis.js';
import { startRedisCluster } from './redis-cluster.js';
import { startSecureRedis } from './redis-secure.js';
import { startRedisSentinel } from './redis-sentinel.js';

const NOT_ASKED = 'postgres://not-asked';

/** Where the queue of a process with these settings is. */
export const serversOf = (env: QueuePlace['env']): Promise<QueueServers> =>
  queueServersOf(readConfig(QueueConfig, { DATABASE_URL: NOT_ASKED, ...env }));

async function postgres(): Promise<QueuePlace> {
  const database = await createTestDatabase();
  const via = (url: string) => ({ QUEUE_URL: url });
  return { env: via(database.url), firstUrl: database.url, via, close: () => database.drop() };
}

// A node that a busy machine keeps waiting is not taken for a failed one: the Cluster would refuse jobs.
const NOBODY_FAILS = ['--cluster-node-timeout', '60000'];

/** Everywhere that a queue can be, and whether it can be so on this machine. */
export const QUEUE_PLACES: readonly (readonly [name: string, isHere: boolean, start: () => Promise<QueuePlace>])[] = [
  ['PostgreSQL', true, postgres],
  ['Redis', HAS_REDIS, () => startOwnRedis()],
  ['Redis with sentinels', HAS_REDIS, () => startRedisSentinel()],
  ['a Redis Cluster', HAS_REDIS, () => startRedisCluster({ args: NOBODY_FAILS })],
  ['Redis over TLS, as the user of docs/queue.md', HAS_REDIS, startSecureRedis],
];
