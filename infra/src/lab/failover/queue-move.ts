import { setTimeout as pause } from 'node:timers/promises';
import type { Env } from '@indbakke/shared/config';
import { QUEUE_NAMES } from '@indbakke/shared/queue';
import { startOwnRedis } from '../../testkit/redis.js';
import type { FailoverOutcome, FailoverPlan } from './main.js';
import { type Blow, playQueue, type Services } from './queue-run.js';

/** In which there are documents whose files have come, so that somebody decides on them. */
const WARM_MS = 3_000;
/** In which jobs of all kinds gather in the queue that is left. */
const GATHER_MS = 40_000;
const POLL_MS = 500;
/** Kinds of jobs that there are without a scanner. */
const KINDS = QUEUE_NAMES.filter((name) => name !== 'scan-message').length;

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
  let left: readonly number[] = [];
  const kinds = () => left.filter((count) => count > 0).length;
  return {
    what,
    async prepare(services) {
      await pause(WARM_MS);
      await pauseAll(services, from, true);
    },
    async strike(services) {
      for (const limit = Date.now() + GATHER_MS; kinds() < KINDS && Date.now() < limit; ) {
        await pause(POLL_MS);
        left = await jobsIn(services, from);
      }
      await services.replace(to);
      await pauseAll(services, from, false);
    },
    figures: () => ({
      'jobs left': left.reduce((sum, count) => sum + count, 0),
      'of kinds': `${kinds()} of ${KINDS}`,
    }),
  };
}

/** Workers take no job of a queue that is paused. */
const pauseAll = (services: Services, env: Env, isPaused: boolean): Promise<void> =>
  services.withQueues(env, async (queues) => {
    await Promise.all(queues.all().map((queue) => (isPaused ? queue.pause() : queue.resume())));
  });

/** How many of each kind nobody has ended. */
const jobsIn = (services: Services, env: Env): Promise<number[]> =>
  services.withQueues(env, (queues) =>
    Promise.all(queues.all().map(async (queue) => (await queue.getJobs(['waiting', 'active'])).length)),
  );
