import { setTimeout as delay, setImmediate as endOfTurn } from 'node:timers/promises';
import { describeError, type Log } from '../log/index.js';
import type { QueueDefinition, Queues } from './queues.js';

/**
 * Why it exists: finding the case that a reply belongs to must not delay the receipt. The receiver and the journaler put
 * messages in, the journaler works them. The row in `messages` is the outbox; this queue may lose everything.
 */
export interface SuggestCaseData {
  readonly messageId: string;
  readonly municipality: string;
  /** Which look at the message this is: n of the job id. */
  readonly round: number;
}

export const SUGGEST_CASE: QueueDefinition<SuggestCaseData> = {
  name: 'suggest-case',
  job: 'suggest-case',
  // 1 s + 2 s + 4 s + 8 s: rides out a restart of the database; after that the sweep takes over.
  attempts: 5,
  backoffMs: 1_000,
};

/** How long a message that was put up may wait before the sweep puts it up again, at first. */
export const LOOK_AGAIN_AFTER_SECONDS = 30;

// One addition of many jobs costs the database little more than one of a single job (10 ms on PostgreSQL): under load the
// next one waits until this many have gathered, or for so long.
const PAUSE_MS = 50;
const MAX_BATCH = 500;

export interface SuggestCaseEnqueuer {
  /** Returns at once. What the queue does not take, the sweep brings again. */
  enqueue(job: SuggestCaseData): void;
  /** Resolves when all that was given has been added or given up. */
  flush(): Promise<void>;
}

/** One addition is under way at a time; what comes meanwhile goes with the next. */
export function createSuggestCaseEnqueuer(queues: Queues, log: Log): SuggestCaseEnqueuer {
  const waiting: SuggestCaseData[] = [];
  let adding: Promise<void> | undefined;
  let hurry = new AbortController();

  const addBatch = async () => {
    const batch = waiting.splice(0, MAX_BATCH);
    const jobs = batch.map((data) => ({ id: `${data.messageId}-${data.round}`, data }));
    await queues.add(SUGGEST_CASE, jobs).catch((error: unknown) => {
      log.warn('enqueue-failed', { queue: SUGGEST_CASE.name, jobs: jobs.length, ...describeError(error) });
    });
  };

  const addAll = async () => {
    await endOfTurn(); // what comes in the same turn goes along
    while (waiting.length > 0) {
      await addBatch();
      if (waiting.length < MAX_BATCH) await delay(PAUSE_MS, undefined, { signal: hurry.signal }).catch(() => {});
    }
    adding = undefined;
  };

  return {
    enqueue(job) {
      waiting.push(job);
      adding ??= addAll();
    },
    async flush() {
      hurry.abort();
      await adding;
      hurry = new AbortController();
    },
  };
}
