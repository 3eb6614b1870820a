import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../local/free-port.js';
import { argsOf, type QueuePlace, type RedisProcess, startRedisProcess } from './redis.js';
import { createRedisTls } from './redis-tls.js';

const MASTER = 'indbakke-queue';
const SENTINELS = 3;
const QUORUM = 2;
/** After so long without an answer a sentinel takes the master for dead. */
const DOWN_AFTER_MS = 1_000;
const POLL_MS = 50;
const UP_WITHIN_MS = 30_000;

/** A master and its replica, watched by three sentinels. */
export interface RedisSentinel extends QueuePlace {
  /** Master and replica, whichever is which. */
  readonly servers: readonly RedisProcess[];
  readonly sentinels: readonly RedisProcess[];
  /** The one that the sentinels name now. */
  master(): Promise<RedisProcess>;
}

export interface SentinelOptions {
  /** The password of the sentinels; none by default. */
  readonly password?: string;
  /** That of master and replica, which is another. */
  readonly serverPassword?: string;
  readonly isSecure?: boolean;
}

/** @param parent where its folder is created */
export async function startRedisSentinel(
  { password, serverPassword, isSecure = false }: SentinelOptions = {},
  parent = tmpdir(),
): Promise<RedisSentinel> {
  const folder = await mkdtemp(join(parent, 'indbakke-redis-sentinel-'));
  const tls = isSecure ? await createRedisTls(folder) : undefined;
  const accessWith = (secret: string | undefined) => [
    ...(secret ? ['--no-auth-warning', '-a', secret] : []),
    ...(tls?.access ?? []),
  ];
  const servers: RedisProcess[] = [];
  const sentinels: RedisProcess[] = [];
  const close = async () => {
    await Promise.all([...sentinels, ...servers].map((each) => each.kill()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const ports = [await freePort(), await freePort()] as const;
    const secret = serverPassword ? ['--requirepass', serverPassword, '--masterauth', serverPassword] : [];
    for (const [n, port] of ports.entries()) {
      const replicates = n === 0 ? [] : ['--replicaof', '127.0.0.1', String(ports[0])];
      const args = [...argsOf(folder, port, tls), '--repl-diskless-sync-delay', '0', ...secret, ...replicates];
      servers.push(await startRedisProcess({ folder, port, args, access: accessWith(serverPassword) }));
    }
    for (let n = 0; n < SENTINELS; n += 1) {
      const port = await freePort();
      const file = join(folder, `sentinel-${n}.conf`);
      const lines = [
        'bind 127.0.0.1',
        `sentinel monitor ${MASTER} 127.0.0.1 ${ports[0]} ${QUORUM}`,
        `sentinel down-after-milliseconds ${MASTER} ${DOWN_AFTER_MS}`,
        `sentinel failover-timeout ${MASTER} 5000`,
        ...(serverPassword ? [`sentinel auth-pass ${MASTER} ${serverPassword}`] : []),
        ...(password ? [`requirepass ${password}`] : []), // the sentinels use it among themselves too
      ];
      await writeFile(file, `${lines.join('\n')}\n`);
      const args = [file, '--sentinel', ...(tls?.argsOf(port) ?? ['--port', String(port)])];
      const options = { folder, port, args, readyLine: '+monitor', access: accessWith(password) };
      sentinels.push(await startRedisProcess(options));
    }
    await Promise.all(sentinels.map(knowsAll));
  } catch (error) {
    await close();
    throw error;
  }
  const scheme = tls ? 'rediss' : 'redis';
  const urlOf = (secret: string | undefined, hosts: string) => `${scheme}://${secret ? `:${secret}@` : ''}${hosts}`;
  const addresses = sentinels.map(({ port }) => `127.0.0.1:${port}`);
  const via = (url: string) => ({
    ...tls?.env,
    QUEUE_URL: urlOf(serverPassword, MASTER),
    QUEUE_REDIS: 'sentinel',
    QUEUE_SENTINELS: url,
  });
  return {
    servers,
    sentinels,
    env: via(urlOf(password, addresses.join())),
    firstUrl: urlOf(password, addresses[0] ?? ''),
    via,
    async master() {
      for (const sentinel of sentinels) {
        const [, port] = (await sentinel.ask('sentinel', 'get-master-addr-by-name', MASTER)).split('\n');
        const master = servers.find((each) => each.port === Number(port));
        if (master) return master;
      }
      throw new Error('No sentinel knows the master.');
    },
    close,
  };
}

/** Until it knows the replica and the other sentinels: before, nothing would take over. */
async function knowsAll(sentinel: RedisProcess): Promise<void> {
  for (const limit = Date.now() + UP_WITHIN_MS; Date.now() < limit; await pause(POLL_MS)) {
    const [replicas, others] = await Promise.all([
      sentinel.ask('sentinel', 'replicas', MASTER),
      sentinel.ask('sentinel', 'ckquorum', MASTER),
    ]);
    if (replicas.includes('slave') && others.startsWith(`OK ${SENTINELS} usable`)) return;
  }
  throw new Error('The sentinels did not find each other in time.');
}
