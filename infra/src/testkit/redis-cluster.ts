import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../local/free-port.js';
import { argsOf, type QueuePlace, type RedisProcess, startRedisProcess } from './redis.js';
import { createRedisTls } from './redis-tls.js';

const MASTERS = 3;
/** After so long without an answer a node has failed, and its replica takes over. */
const NODE_TIMEOUT_MS = 1_500;
const POLL_MS = 50;
const JOINED_WITHIN_MS = 30_000;

/** Three masters, and perhaps a replica of each. */
export interface RedisCluster extends QueuePlace {
  /** All of them. */
  readonly nodes: readonly RedisProcess[];
  /** The master that has the jobs of a queue now. @throws when no node knows */
  masterOf(queue: string): Promise<RedisProcess>;
}

export interface ClusterOptions {
  /** Of each master; none by default. */
  readonly replicas?: 0 | 1;
  readonly isSecure?: boolean;
  /** More of redis-server. */
  readonly args?: readonly string[];
  /** `user:password` of the services. */
  readonly login?: string;
}

const run = promisify(execFile);

/** @param parent where its folder is created */
export async function startRedisCluster(
  { replicas = 0, isSecure = false, args: more = [], login }: ClusterOptions = {},
  parent = tmpdir(),
): Promise<RedisCluster> {
  const folder = await mkdtemp(join(parent, 'indbakke-redis-cluster-'));
  const tls = isSecure ? await createRedisTls(folder) : undefined;
  const access = tls?.access ?? [];
  const nodes: RedisProcess[] = [];
  const close = async () => {
    await Promise.all(nodes.map((node) => node.kill()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    for (let n = 0; n < MASTERS * (1 + replicas); n += 1) {
      const [port, bus] = [await freePort(), await freePort()];
      const args = [
        ...argsOf(folder, port, tls),
        ...['--cluster-enabled', 'yes', '--cluster-port', String(bus), '--cluster-config-file', `nodes-${n}.conf`],
        ...['--cluster-node-timeout', String(NODE_TIMEOUT_MS), '--repl-diskless-sync-delay', '0'],
        ...more,
      ];
      nodes.push(await startRedisProcess({ folder, port, args, access }));
    }
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
    const create = ['--cluster', 'create', ...addresses, '--cluster-replicas', String(replicas), '--cluster-yes'];
    await run('redis-cli', [...access, ...create]);
    await Promise.all(nodes.map(hasJoined));
  } catch (error) {
    await close();
    throw error;
  }
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  const scheme = tls ? 'rediss' : 'redis';
  const urlOf = (hosts: readonly string[]) => `${scheme}://${login ? `${login}@` : ''}${hosts.join()}`;
  const via = (url: string) => ({ ...tls?.env, QUEUE_URL: url, QUEUE_REDIS: 'cluster' });
  return {
    nodes,
    env: via(urlOf(addresses)),
    firstUrl: urlOf(addresses.slice(0, 1)),
    via,
    async masterOf(queue) {
      for (const node of nodes) {
        const port = await node.ask('cluster', 'keyslot', `{${queue}}`).then(
          (slot) => masterPort(node, Number(slot)),
          () => undefined, // it was killed
        );
        const master = nodes.find((each) => each.port === port);
        if (master) return master;
      }
      throw new Error(`No node knows the master of ${queue}.`);
    },
    close,
  };
}

/** Of the line of CLUSTER NODES that has the slot: id address flags master ping pong epoch link slots… */
async function masterPort(node: RedisProcess, slot: number): Promise<number | undefined> {
  const lines = (await node.ask('cluster', 'nodes')).split('\n').map((line) => line.split(' '));
  const line = lines.find(([, , flags = '', , , , , , ...slots]) => {
    const ranges = slots.filter((range) => !range.startsWith('[')).map((range) => range.split('-').map(Number));
    return !flags.includes('fail') && ranges.some(([from = 0, to = from]) => from <= slot && slot <= to);
  });
  return line && Number(/:(\d+)@/.exec(line[1] ?? '')?.[1]);
}

/** Until the node sees the whole Cluster, and a replica has all that its master has. */
async function hasJoined(node: RedisProcess): Promise<void> {
  for (const limit = Date.now() + JOINED_WITHIN_MS; Date.now() < limit; await pause(POLL_MS)) {
    const cluster = await node.ask('cluster', 'info');
    const replication = await node.ask('info', 'replication');
    if (!cluster.includes('cluster_state:ok')) continue;
    if (replication.includes('role:master') || replication.includes('master_link_status:up')) return;
  }
  throw new Error('The Cluster did not come up in time.');
}
