import { once } from 'node:events';
import { Queue, Worker } from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
import { NotReady } from '../readiness/index.js';
import { type Backend, workerOptions } from './backend.js';

export function openRedis(url: string): Backend {
  // Adding must not wait for a Redis that is away; workers wait for as long as it takes.
  const forQueues = quiet(new Redis(url, { maxRetriesPerRequest: 1, enableOfflineQueue: false }));
  const forWorkers = quiet(new Redis(url, { maxRetriesPerRequest: null }));
  const tried = Promise.race([once(forQueues, 'ready'), once(forQueues, 'close')]).catch(() => {});
  let lastError: Error | undefined;
  forQueues.on('error', (error) => {
    lastError = error;
  });
  return {
    queue: (name) => new Queue(name, { connection: forQueues }),
    worker: (name, concurrency, process) =>
      new Worker(name, process, { connection: forWorkers, ...workerOptions(concurrency) }),
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
      if (forQueues.status !== 'ready') throw away(lastError);
      const info = await infoOf(forQueues).catch((error: Error) => {
        throw away(error);
      });
      judgeRedis(info);
    },
    async close() {
      forQueues.disconnect();
      forWorkers.disconnect();
    },
  };
}

/**
 * From INFO of a Redis, or of Valkey, which tells the Redis that it is compatible with.
 *
 * @throws NotReady when it may drop jobs or cannot take them
 */
export function judgeRedis(info: string): void {
  const fields = new Map([...info.matchAll(/^(\w+):(.*?)\r?$/gm)].map(([, name = '', value = '']) => [name, value]));
  const [major = 0, minor = 0] = (fields.get('redis_version') ?? '').split('.').map(Number);
  if (fields.get('role') === 'slave') throw new NotReady('read-only');
  if (fields.get('cluster_enabled') === '1') throw new NotReady('cluster');
  const policy = fields.get('maxmemory_policy');
  if (policy === undefined) throw new NotReady('eviction-unknown');
  if (policy !== 'noeviction') throw new NotReady('may-evict');
  if (major < 6 || (major === 6 && minor < 2)) throw new NotReady('too-old');
}

/** Why Redis is away, from the error of its last connection. */
function away(cause: Error | undefined): NotReady {
  const { code = '', message = '' } = (cause ?? {}) as { code?: string; message?: string };
  if (/^(WRONGPASS|NOAUTH|NOPERM)/.test(message)) return new NotReady('login-refused', { cause });
  if (/CERT|TLS|SSL/.test(code)) return new NotReady('tls-failed', { cause });
  return new NotReady('no-answer', { cause });
}

/** INFO, empty where it is forbidden. */
async function infoOf(redis: Redis): Promise<string> {
  try {
    return String(await redis.call('INFO'));
  } catch (error) {
    if ((error as Error).message.startsWith('NOPERM')) return '';
    throw error;
  }
}

type Callback = (error: Error | null, info?: string) => void;

/**
 * BullMQ prints a line for people when INFO of a new connection tells of eviction, and does not work without INFO. So it gets
 * one without the policy, or an empty one; `check` says both.
 */
function quiet(redis: Redis): Redis {
  const duplicate = redis.duplicate.bind(redis);
  return Object.assign(redis, {
    duplicate: (options?: Partial<RedisOptions>) => quiet(duplicate(options)),
    info(...request: unknown[]) {
      const callback = request.find((each): each is Callback => typeof each === 'function');
      const answer = infoOf(redis).then((info) => info.replace(/^maxmemory_policy:.*$/m, ''));
      if (callback) answer.then((info) => callback(null, info), callback);
      return answer;
    },
  });
}
