import type { SecureContextOptions } from 'node:tls';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { type RedisUrl, readRedisUrl } from '../config/index.js';
import { NotReady } from '../readiness/index.js';

/** Where the queue is. */
export interface QueueServers {
  /** postgres://…, or that of Redis: of one server, of nodes of a Cluster, or with the name of a master that sentinels watch. */
  readonly url: string;
  /** Which of the three; default: single. */
  readonly redis?: 'single' | 'sentinel' | 'cluster';
  readonly sentinels?: string | undefined;
  /** Of those whose URL begins with rediss: who issues their certificates, and ours. */
  readonly tls?: SecureContextOptions;
}

/** The Redis servers of a queue. */
export interface RedisServers {
  readonly kind: 'single' | 'sentinel' | 'cluster';
  /** Of the servers with the jobs. */
  readonly url: RedisUrl;
  readonly sentinels: RedisUrl | undefined;
  readonly tls: SecureContextOptions;
}

// Longer than BullMQ lets a worker's connection block, which is 10 s.
const SILENT_MS = 15_000;

// Of a sentinel, which another one stands in for; and of a question why there is no Redis, within the time of a check.
const ASKED_MS = 2_000;

/** @returns undefined when it is no Redis */
export function redisServersOf({ url, redis = 'single', sentinels, tls = {} }: QueueServers): RedisServers | undefined {
  const read = readRedisUrl(url);
  return read && { kind: redis, url: read, sentinels: sentinels ? readRedisUrl(sentinels) : undefined, tls };
}

/** How a client waits for Redis. */
export interface Patience extends Pick<RedisOptions, 'maxRetriesPerRequest' | 'commandTimeout'> {
  readonly enableOfflineQueue: boolean;
}

/** Connects to the server, to the master that the sentinels name, or to the Cluster. */
export function connectTo(servers: RedisServers, { enableOfflineQueue, ...patience }: Patience): Redis | Cluster {
  const { kind, url, sentinels, tls } = servers;
  const options = { ...patience, ...accessOf(url, tls), socketTimeout: SILENT_MS };
  const single = { ...options, enableOfflineQueue, db: url.database ?? 0 };
  if (kind === 'cluster') {
    return new Cluster(hostsOf(url, 6_379), {
      enableOfflineQueue,
      redisOptions: options,
      // Names stay names, since certificates have them; they are looked up on connecting.
      dnsLookup: (name, callback) => callback(null, name),
    });
  }
  if (!sentinels) return new Redis({ ...single, ...hostsOf(url, 6_379)[0] });
  return new Redis({
    ...single,
    name: nameOfMaster(url),
    sentinels: hostsOf(sentinels, 26_379),
    ...(sentinels.username && { sentinelUsername: sentinels.username }),
    ...(sentinels.password && { sentinelPassword: sentinels.password }),
    ...(sentinels.isSecure && { sentinelTLS: tls }),
    enableTLSForSentinelMode: url.isSecure,
    sentinelCommandTimeout: ASKED_MS,
  });
}

/**
 * Asks the servers that the settings name why there is no Redis: the clients keep what they meet on the way to it to
 * themselves.
 */
export async function whyAway(servers: RedisServers): Promise<NotReady> {
  const { kind, url, sentinels } = servers;
  const question = { single: askServer, sentinel: askSentinel, cluster: askNode }[kind];
  const asked = sentinels ? hostsOf(sentinels, 26_379) : hostsOf(url, 6_379);
  const reasons = await Promise.all(asked.map((server) => question(server, servers).catch(explainRedis)));
  const told = reasons.filter((each) => each instanceof NotReady);
  return told.find(({ reason }) => reason !== 'no-answer') ?? told[0] ?? new NotReady('no-answer');
}

/** Why an error came of Redis. */
export function explainRedis(cause: Error): NotReady {
  if (cause instanceof NotReady) return cause;
  const { code = '', message } = cause as Error & { code?: string };
  if (/^(WRONGPASS|NOAUTH|NOPERM)/.test(message)) return new NotReady('login-refused', { cause });
  if (/CERT|TLS|SSL/.test(code)) return new NotReady('tls-failed', { cause });
  if (message.includes('cluster support disabled')) return new NotReady('no-cluster', { cause });
  return new NotReady('no-answer', { cause });
}

/** @throws NotReady when parts of the Cluster have no master */
export async function judgeCluster(node: Redis | Cluster): Promise<void> {
  const info = String(await node.cluster('INFO'));
  if (/^cluster_state:fail/m.test(info)) throw new NotReady('cluster-down');
}

interface Host {
  readonly host: string;
  readonly port: number;
}

const hostsOf = ({ hosts }: RedisUrl, defaultPort: number): Host[] =>
  hosts.map(({ host, port = defaultPort }) => ({ host, port }));

const nameOfMaster = ({ hosts }: RedisUrl): string => hosts[0]?.host ?? '';

const accessOf = ({ username, password, isSecure }: RedisUrl, tls: SecureContextOptions) => ({
  ...(username && { username }),
  ...(password && { password }),
  ...(isSecure && { tls }),
});

/** One question to one server. @throws what was met first, on the way to the answer */
async function ask<Answer>(
  server: Host,
  access: ReturnType<typeof accessOf>,
  question: (redis: Redis) => Promise<Answer>,
): Promise<Answer> {
  const redis = new Redis({
    ...access,
    ...server,
    lazyConnect: true,
    retryStrategy: () => null,
    enableReadyCheck: false,
    connectTimeout: ASKED_MS,
    commandTimeout: ASKED_MS,
  });
  const met: Error[] = [];
  redis.on('error', (error) => met.push(error));
  try {
    await redis.connect();
    return await question(redis);
  } catch (error) {
    throw met[0] ?? error;
  } finally {
    redis.disconnect();
  }
}

async function askServer(server: Host, { url, tls }: RedisServers): Promise<void> {
  await ask(server, accessOf(url, tls), (redis) => redis.ping());
}

async function askNode(server: Host, { url, tls }: RedisServers): Promise<void> {
  await ask(server, accessOf(url, tls), judgeCluster);
}

async function askSentinel(sentinel: Host, servers: RedisServers): Promise<void> {
  const { url, sentinels, tls } = servers;
  const address = await ask(sentinel, accessOf(sentinels ?? url, tls), (redis) =>
    redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', nameOfMaster(url)),
  );
  if (!Array.isArray(address)) throw new NotReady('master-unknown');
  await askServer({ host: String(address[0]), port: Number(address[1]) }, servers);
}
