import { startRedisSentinel } from '../../testkit/redis-sentinel.js';
import type { FailoverOutcome, FailoverPlan } from './main.js';
import { playQueue } from './queue-run.js';
import { BLOWS } from './redis.js';

/** A Redis and its replica, watched by three sentinels, which have a password of their own. */
export function failOverRedisSentinel(plan: FailoverPlan): Promise<FailoverOutcome> {
  return playQueue(plan, async (folder) => {
    const redis = await startRedisSentinel({ password: 'of-the-sentinels', serverPassword: 'of-the-servers' }, folder);
    return { env: redis.env, blows: BLOWS.map((blowTo) => blowTo(redis)), close: () => redis.close() };
  });
}
