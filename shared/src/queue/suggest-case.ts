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

// Adding jobs in bulk is nine times as fast as one by one; nobody notices a suggestion 5 ms later.
const GATHER_MS = 5;
const MAX_BATCH = 500;

export interface SuggestCaseEnqueuer {
  /** Returns at once. What the queue does not take, the sweep brings again. */
  enqueue(job: SuggestCaseData): void;
  /** Resolves when all that was given has been added or given up. */
  flush(): Promise<void>;
}

export function createSuggestCaseEnqueuer(queues: Queues, log: Log): SuggestCaseEnqueuer {
  let waiting: SuggestCaseData[] = [];
  let timer: NodeJS.Timeout | undefined;
  let adding: Promise<void> = Promise.resolve();

  const addBatch = () => {
    clearTimeout(timer);
    timer = undefined;
    const batch = waiting;
    waiting = [];
    if (batch.length === 0) return;
    const jobs = batch.map((data) => ({ id: `${data.messageId}-${data.round}`, data }));
    adding = Promise.all([
      adding,
      queues.add(SUGGEST_CASE, jobs).catch((error: unknown) => {
        log.warn('enqueue-failed', { queue: SUGGEST_CASE.name, jobs: jobs.length, ...describeError(error) });
      }),
    ]).then(() => {});
  };

  return {
    enqueue(job) {
      waiting.push(job);
      if (waiting.length >= MAX_BATCH) addBatch();
      else timer ??= setTimeout(addBatch, GATHER_MS);
    },
    async flush() {
      addBatch();
      await adding;
    },
  };
}
