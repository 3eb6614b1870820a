import { setTimeout as pause } from 'node:timers/promises';
import type { Env } from '@indbakke/shared/config';
import { QUEUE_NAMES } from '@indbakke/shared/queue';
import { startOwnRedis } from '../../testkit/redis.js';
import type { FailoverOutcome, FailoverPlan, FailoverRow } from './main.js';
import { type Blow, playQueue, type Services } from './queue-run.js';

/** In which jobs gather in the queue that is left. */
const GATHER_MS = 4_000;

/** From PostgreSQL to Redis and back, under load, each time with jobs that nobody works any more in the queue that is left. */
export function moveQueue(plan: FailoverPlan): Promise<FailoverOutcome> {
  return playQueue(plan, async (folder) => {
    const redis = await startOwnRedis(folder);
    const [postgres, there] = [{ QUEUE_URL: '' }, redis.env];
    const blows = [
      move('from PostgreSQL to Redis', postgres, there),
      move('from Redis to PostgreSQL', there, postgres),
    ];
    return { env: postgres, blows, close: () => redis.close() };
  });
}

/** The queue that is left is worked again when the services come back to it, with what it still has. */
function move(what: string, from: Env, to: Env): Blow {
  let left: readonly (readonly [string, number])[] = [];
  return {
    what,
    async strike(services) {
      await pauseAll(services, from, true);
      await pause(GATHER_MS);
      left = await waitingIn(services, from);
      await services.replace(to);
      await pauseAll(services, from, false);
    },
    figures: (): FailoverRow => ({
      'jobs left': left.reduce((sum, [, count]) => sum + count, 0),
      'of kinds': `${left.filter(([, count]) => count > 0).length} of ${QUEUE_NAMES.length}`,
    }),
  };
}

/** Workers take no job of a queue that is paused. */
const pauseAll = (services: Services, env: Env, isPaused: boolean): Promise<void> =>
  services.withQueues(env, async (queues) => {
    await Promise.all(queues.all().map((queue) => (isPaused ? queue.pause() : queue.resume())));
  });

const waitingIn = (services: Services, env: Env): Promise<(readonly [string, number])[]> =>
  services.withQueues(env, (queues) =>
    Promise.all(
      queues.all().map(async (queue) => {
        const counts = await queue.getJobCounts('waiting', 'prioritized', 'active');
        return [queue.name, Object.values(counts).reduce((sum, count) => sum + count, 0)] as const;
      }),
    ),
  );
