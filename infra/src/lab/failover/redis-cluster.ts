import { startRedisCluster } from '../../testkit/redis-cluster.js';
import type { FailoverOutcome, FailoverPlan } from './main.js';
import { type Blow, playQueue } from './queue-run.js';
import { BLOWS } from './redis.js';

/** Whose masters are struck, in turn. */
const QUEUES = ['suggest-case', 'deliver-webhook', 'fetch-file'] as const;

/** Redis Cluster, of three masters with a replica each. */
export function failOverRedisCluster(plan: FailoverPlan): Promise<FailoverOutcome> {
  return playQueue(plan, async (folder) => {
    const cluster = await startRedisCluster({ replicas: 1 }, folder);
    const blows = QUEUES.flatMap((_, turn) =>
      BLOWS.map((blowTo, n): Blow => {
        const queue = QUEUES[(turn + n) % QUEUES.length] ?? QUEUES[0];
        const blow = blowTo({ servers: cluster.nodes, master: () => cluster.masterOf(queue) });
        return { ...blow, what: `${blow.what} (${queue})` };
      }),
    );
    return { env: cluster.env, blows, close: () => cluster.close() };
  });
}
