import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { serversOf } from '../../../infra/src/testkit/queue-places.js';
import { HAS_REDIS, type OwnRedis, type QueuePlace, startOwnRedis } from '../../../infra/src/testkit/redis.js';
import { type RedisCluster, startRedisCluster } from '../../../infra/src/testkit/redis-cluster.js';
import { documentedLogin, documentedUser } from '../../../infra/src/testkit/redis-secure.js';
import { type RedisSentinel, startRedisSentinel } from '../../../infra/src/testkit/redis-sentinel.js';
import type { Env } from '../../src/config/index.js';
import type { Log, LogFields } from '../../src/log/index.js';
import { openQueues, QUEUE_NAMES, type Queues, SUGGEST_CASE } from '../../src/queue/index.js';
import { NotReady } from '../../src/readiness/index.js';

// What operators are told when the servers are not as the settings say, or not as a queue needs them.

const Data = z.object({ n: z.int() });
const definitionOf = (name: string) => ({
  name,
  data: Data,
  idOf: ({ n }: z.infer<typeof Data>) => `job-${n}`,
  attempts: 1,
  backoffMs: 1,
  deadlineMs: 60_000,
});

/** Opens, works with and closes the queues of a process with these settings. */
async function withQueues<T>(env: Env, work: (queues: Queues, lines: string[]) => Promise<T>): Promise<T> {
  const lines: string[] = [];
  const write = (event: string, fields?: LogFields) => void lines.push(JSON.stringify({ event, ...fields }));
  const log = { info: write, warn: write, error: write, debug: write } satisfies Log;
  const queues = openQueues({ ...(await serversOf(env)), log });
  try {
    return await work(queues, lines);
  } finally {
    await queues.close();
  }
}

const stateOf = (queues: Queues): Promise<string> =>
  queues.check().then(
    () => 'ready',
    (error: unknown) => (error instanceof NotReady ? error.reason : String(error)),
  );

const stateWith = (env: Env) => withQueues(env, stateOf);

/** Puts a job into a queue and waits until it is worked. */
const workOne = (queues: Queues, name: string): Promise<void> =>
  new Promise((resolve) => {
    queues.work(definitionOf(name), 1, async () => resolve());
    queues.enqueue(definitionOf(name), { n: 1 });
  });

describe.runIf(HAS_REDIS)('a Redis Cluster', () => {
  let cluster: RedisCluster;

  beforeAll(async () => {
    cluster = await startRedisCluster();
  });
  afterAll(() => cluster?.close());

  it('is told when any of its masters may evict', async () => {
    const [, , third] = cluster.nodes;
    await third?.ask('config', 'set', 'maxmemory-policy', 'allkeys-lru');
    await withQueues(cluster.env, async (queues) => {
      expect(await stateOf(queues)).toBe('may-evict');
      await third?.ask('config', 'set', 'maxmemory-policy', 'noeviction');
      expect(await stateOf(queues)).toBe('ready');
    });
  });

  it('has all keys of a queue on one master, and the queues on several', async () => {
    await withQueues(cluster.env, async (queues) => {
      for (const name of QUEUE_NAMES) queues.enqueue(definitionOf(name), { n: 1 });
      await queues.flush();
    });
    const keys = await Promise.all(cluster.nodes.map(async (node) => (await node.ask('keys', '*')).split('\n')));
    const holders = QUEUE_NAMES.map((name) => keys.filter((each) => each.some((key) => key.includes(`{${name}}`))));
    expect(holders.map(({ length }) => length)).toEqual(QUEUE_NAMES.map(() => 1));
    expect(new Set(holders.flat()).size).toBe(cluster.nodes.length);
  });

  it('is not taken for one server, nor one server for a Cluster', async () => {
    expect(await stateWith({ QUEUE_URL: cluster.firstUrl })).toBe('cluster');
    const single = await startOwnRedis();
    expect(await stateWith({ QUEUE_URL: single.url, QUEUE_REDIS: 'cluster' })).toBe('no-cluster');
    await single.close();
  });

  it('lacks parts when a master without a replica is dead, and is used again when that is back', {
    tags: 'long',
  }, async () => {
    await withQueues(cluster.env, async (queues) => {
      expect(await stateOf(queues)).toBe('ready');
      const dead = await cluster.masterOf(SUGGEST_CASE.name);
      await dead.kill();
      await expect.poll(() => stateOf(queues), { timeout: 20_000 }).toBe('cluster-down');
      expect(await stateWith(cluster.env)).toBe('cluster-down');
      await dead.start();
      await expect.poll(() => stateOf(queues), { timeout: 20_000 }).toBe('ready');
      await workOne(queues, SUGGEST_CASE.name);
    });
  });
});

describe.runIf(HAS_REDIS)('a Redis Cluster with TLS', () => {
  let cluster: RedisCluster;

  beforeAll(async () => {
    const args = ['--user', ...documentedUser()];
    cluster = await startRedisCluster({ isSecure: true, args, login: documentedLogin() });
  });
  afterAll(() => cluster?.close());

  it('is used by the user of docs/queue.md', async () => {
    await withQueues(cluster.env, async (queues, lines) => {
      expect(await stateOf(queues)).toBe('ready');
      await workOne(queues, SUGGEST_CASE.name);
      expect(lines.filter((line) => !line.includes('job-done'))).toEqual([]);
    });
  });

  it('is not used with another password, nor without its issuer, and no password is in any line', async () => {
    const { QUEUE_URL = '' } = cluster.env;
    const password = documentedLogin().split(':')[1] as string;
    await withQueues({ ...cluster.env, QUEUE_URL: QUEUE_URL.replace(password, 'wr0ng') }, async (queues, lines) => {
      expect(await stateOf(queues)).toBe('login-refused');
      queues.enqueue(definitionOf('refused'), { n: 1 });
      await queues.flush();
      expect(lines.join()).toContain('enqueue-failed');
      expect(lines.join()).not.toContain('wr0ng');
    });
    expect(await stateWith({ QUEUE_URL, QUEUE_REDIS: 'cluster' })).toBe('tls-failed');
    expect(await stateWith({ QUEUE_URL: QUEUE_URL.replace('rediss', 'redis'), QUEUE_REDIS: 'cluster' })).toBe(
      'no-answer',
    );
  });
});

describe.runIf(HAS_REDIS)('Redis with sentinels, over TLS, each with a password', () => {
  let redis: RedisSentinel;

  beforeAll(async () => {
    redis = await startRedisSentinel({ password: 'of-sentinels', serverPassword: 'of-servers', isSecure: true });
  });
  afterAll(() => redis?.close());

  const changed = (name: 'QUEUE_URL' | 'QUEUE_SENTINELS', from: string, to: string) =>
    stateWith({ ...redis.env, [name]: redis.env[name]?.replace(from, to) });

  it('is used', async () => {
    await withQueues(redis.env, async (queues) => {
      expect(await stateOf(queues)).toBe('ready');
      await workOne(queues, SUGGEST_CASE.name);
    });
  });

  it('is told that it is not as the settings say', async () => {
    expect(await changed('QUEUE_URL', 'indbakke-queue', 'other-queue')).toBe('master-unknown');
    expect(await changed('QUEUE_URL', 'of-servers', 'wr0ng')).toBe('login-refused');
    expect(await changed('QUEUE_SENTINELS', 'of-sentinels', 'wr0ng')).toBe('login-refused');
    const { QUEUE_CA_FILE: _, ...withoutIssuer } = redis.env;
    expect(await stateWith(withoutIssuer)).toBe('tls-failed');
  });

  it('is told when its master may evict', async () => {
    const master = await redis.master();
    await master.ask('config', 'set', 'maxmemory-policy', 'volatile-lru');
    expect(await stateWith(redis.env)).toBe('may-evict');
    await master.ask('config', 'set', 'maxmemory-policy', 'noeviction');
  });
});

it.runIf(HAS_REDIS)('Redis with sentinels is used while one of them is paused', { tags: 'long' }, async () => {
  const redis = await startRedisSentinel();
  redis.sentinels[0]?.pause();
  expect(await stateWith(redis.env)).toBe('ready');
  await redis.close();
});

describe.runIf(HAS_REDIS)('a Redis that answers nothing', { tags: 'long' }, () => {
  let redis: OwnRedis;

  beforeAll(async () => {
    redis = await startOwnRedis();
  });
  afterAll(() => redis?.close());

  it.each(['paused by CLIENT PAUSE', 'stopped'])('%s is given up, and used again', async (how) => {
    await withQueues(redis.env, async (queues, lines) => {
      const worked: number[] = [];
      const definition = definitionOf(how.replaceAll(' ', '-'));
      queues.work(definition, 1, async ({ n }) => void worked.push(n));
      queues.enqueue(definition, { n: 1 });
      await expect.poll(() => worked).toEqual([1]);
      if (how === 'stopped') redis.pause();
      else await redis.ask('client', 'pause', '60000', 'all');
      queues.enqueue(definition, { n: 2 });
      await queues.flush(); // of a job that is given up: a sweep enqueues it again
      expect(lines.join()).toContain('enqueue-failed');
      if (how === 'stopped') redis.resume();
      else await redis.kill().then(() => redis.start());
      await expect.poll(() => stateOf(queues), { timeout: 40_000 }).toBe('ready');
      queues.enqueue(definition, { n: 3 });
      await expect.poll(() => worked.includes(3), { timeout: 40_000 }).toBe(true);
    });
  });
});

describe.runIf(HAS_REDIS)('a Redis that has gone', { tags: 'long' }, () => {
  it.each<[string, () => Promise<QueuePlace>]>([
    ['alone', () => startOwnRedis()],
    ['with its sentinels', () => startRedisSentinel()],
    ['with all nodes of its Cluster', () => startRedisCluster()],
  ])('%s does not keep a process that closes', async (_how, start) => {
    const place = await start();
    onTestFinished(() => place.close());
    await withQueues(place.env, async (queues) => {
      await workOne(queues, 'gone');
      await place.close();
      await expect.poll(() => stateOf(queues)).not.toBe('ready');
    });
  });
});
