import { once } from 'node:events';
import { Queue, Worker } from 'bullmq';
import type { Cluster, Redis } from 'ioredis';
import { NotReady } from '../readiness/index.js';
import { type Backend, workerOptions } from './backend.js';
import { connectTo, explainRedis, judgeCluster, type Patience, type RedisServers, whyAway } from './redis-servers.js';

// What all keys begin with. In a Cluster, the name of the queue follows in braces: what is in them decides which master has a
// key, so that the keys of a queue are on one, as BullMQ's scripts need it, and the queues on different ones.
const PREFIX = 'bull';

// Adding must not wait for a Redis that is away; workers wait for as long as it takes.
const ADDING: Patience = { maxRetriesPerRequest: 1, enableOfflineQueue: false, commandTimeout: 5_000 };
const WORKING: Patience = { maxRetriesPerRequest: null, enableOfflineQueue: true };

export function openRedis(servers: RedisServers): Backend {
  const forQueues = quiet(connectTo(servers, ADDING));
  const forWorkers = quiet(connectTo(servers, WORKING));
  const tried = Promise.race([once(forQueues, 'ready'), once(forQueues, 'close')]).catch(() => {});
  const prefixOf = (name: string) => ({ prefix: isCluster(forQueues) ? `${PREFIX}:{${name}}` : PREFIX });
  return {
    queue: (name) => new Queue(name, { connection: forQueues, ...prefixOf(name) }),
    worker: (name, concurrency, process) =>
      new Worker(name, process, { connection: forWorkers, ...prefixOf(name), ...workerOptions(concurrency) }),
    bulkFrom: 2, // one round trip for all
    onError(listener) {
      forQueues.on('error', listener);
      forWorkers.on('error', listener);
    },
    // BullMQ would wait for a first connection forever.
    async reach() {
      await tried;
      if (forQueues.status !== 'ready') throw new Error(`Redis is ${forQueues.status}.`);
    },
    async check() {
      await tried;
      if (forQueues.status !== 'ready') throw await whyAway(servers);
      try {
        if (isCluster(forQueues)) await judgeCluster(forQueues);
        const infos = await Promise.all(mastersOf(forQueues).map(infoOf));
        for (const info of infos) judgeRedis(info, servers.kind);
      } catch (error) {
        throw explainRedis(error as Error);
      }
    },
    async close() {
      forQueues.disconnect();
      forWorkers.disconnect();
    },
  };
}

const isCluster = (client: Redis | Cluster): client is Cluster => client.isCluster;

const mastersOf = (client: Redis | Cluster): Redis[] => (isCluster(client) ? client.nodes('master') : [client]);

/**
 * From INFO of a Redis, or of Valkey, which tells the Redis that it is compatible with.
 *
 * @throws NotReady when it may drop jobs or cannot take them
 */
export function judgeRedis(info: string, kind: RedisServers['kind'] = 'single'): void {
  const fields = new Map([...info.matchAll(/^(\w+):(.*?)\r?$/gm)].map(([, name = '', value = '']) => [name, value]));
  const [major = 0, minor = 0] = (fields.get('redis_version') ?? '').split('.').map(Number);
  if (fields.get('role') === 'slave') throw new NotReady('read-only');
  if (fields.get('cluster_enabled') === '1' && kind !== 'cluster') throw new NotReady('cluster');
  const policy = fields.get('maxmemory_policy');
  if (policy === undefined) throw new NotReady('eviction-unknown');
  if (policy !== 'noeviction') throw new NotReady('may-evict');
  if (major < 6 || (major === 6 && minor < 2)) throw new NotReady('too-old');
}

/** INFO, empty where it is forbidden. */
async function infoOf(redis: Redis | Cluster): Promise<string> {
  try {
    return String(await redis.call('INFO'));
  } catch (error) {
    if ((error as Error).message.startsWith('NOPERM')) return '';
    throw error;
  }
}

/** BullMQ uses a Cluster as soon as its nodes are known, which is before it takes commands. */
async function readied<Client extends Redis | Cluster>(client: Client): Promise<Client> {
  if (isCluster(client) && client.status === 'connect') {
    await Promise.race([once(client, 'ready'), once(client, 'close')]);
  }
  return client;
}

type Callback = (error: Error | null, info?: string) => void;

/**
 * BullMQ prints a line for people when INFO of a new connection tells of eviction, and does not work without INFO. So it gets
 * one without the policy, or an empty one; `check` says both.
 */
function quiet<Client extends Redis | Cluster>(client: Client): Client {
  const duplicate = client.duplicate.bind(client) as (...request: unknown[]) => Client;
  client.on('error', () => {}); // of a connection that BullMQ closes before it is up, ioredis would print it
  return Object.assign(client, {
    duplicate: (...request: unknown[]) => quiet(duplicate(...request)),
    info(...request: unknown[]) {
      const callback = request.find((each): each is Callback => typeof each === 'function');
      const answer = readied(client)
        .then(infoOf)
        .then((info) => info.replace(/^maxmemory_policy:.*$/m, ''));
      if (callback) answer.then((info) => callback(null, info), callback);
      return answer;
    },
  });
}
