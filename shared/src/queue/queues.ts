import { setTimeout as delay } from 'node:timers/promises';
import type { Job, Processor, Queue, Worker } from 'bullmq';
import { createBatcher } from '../batch/index.js';
import { describeError, type Log } from '../log/index.js';
import { withLimits } from '../store/index.js';
import { currentTrace, span, withTrace } from '../tracing/index.js';
import { RETRY_MS } from './backend.js';
import { type JobDefinition, type JobHandler, UnrecoverableError } from './job.js';
import { QUEUE_NAMES } from './names.js';
import { openPostgres } from './on-postgres.js';
import { openRedis } from './on-redis.js';
import { type QueueServers, redisServersOf } from './redis-servers.js';

/** The queues of one process, on one backend: PostgreSQL, or Redis through ioredis. */
export interface Queues {
  /**
   * Returns at once and never fails. If the queue does not accept the job, that is logged and a sweep enqueues it again.
   *
   * @param trace what led to the job (currentTrace); default: what this runs in
   */
  enqueue<Data extends object>(definition: JobDefinition<Data, string>, data: Data, trace?: string | null): void;
  /** As enqueue, for who must know whether the queue has accepted the job. Never rejects. */
  add<Data extends object>(
    definition: JobDefinition<Data, string>,
    data: Data,
    trace?: string | null,
  ): Promise<boolean>;
  /** Resolves when every enqueued job has been added or given up. */
  flush(): Promise<void>;
  /** Runs the queue's jobs until close(), up to `concurrency` at once. */
  work<Data extends object>(
    definition: JobDefinition<Data, string>,
    concurrency: number,
    handle: JobHandler<NoInfer<Data>>,
  ): void;
  /** Every queue used here, for the metrics. */
  list(): Queue[];
  /** Every queue there is, for operations. */
  all(): Queue[];
  /** @throws NotReady with the reason why jobs cannot be added, or may be lost; or any other error */
  check(): Promise<void>;
  /** Stops taking jobs, aborts those in flight and waits for them, adds what was enqueued, closes. A backend that is away is not waited for. */
  close(): Promise<void>;
}

/** Starts a worker in the process that has these queues. */
export type StartWorker = (queues: Queues) => void;

/** A job that a service runs: a line of its worker.ts. */
export const worker =
  <Data extends object>(
    definition: JobDefinition<Data, string>,
    concurrency: number,
    handle: JobHandler<NoInfer<Data>>,
  ): StartWorker =>
  (queues) =>
    queues.work(definition, concurrency, handle);

/** For operations to look at. Each job that ends looks through them all: 1000 cost PostgreSQL 1.5 ms of processor time a job. */
const KEEP_COMPLETED = { age: 60 * 60, count: 100 };
const KEEP_FAILED = { age: 7 * 24 * 60 * 60, count: 10_000 };

// BullMQ waits without end for the end of a connection that it has lost (taskforcesh/bullmq#4656).
const CLOSE_MS = 10_000;

// One batch at a time, and under load this pause before the next: adding many jobs at once costs the database little more than
// adding ten.
const ADDING = { maxBatch: 500, concurrency: 1, pauseMs: 50 };

interface Enqueued {
  readonly definition: JobDefinition<object, string>;
  readonly data: object;
  readonly trace: string | undefined;
}

export interface QueuesOptions extends QueueServers {
  readonly log: Log;
}

export function openQueues({ log, ...servers }: QueuesOptions): Queues {
  const redis = redisServersOf(servers);
  const backend = redis ? openRedis(redis) : openPostgres(servers.url);
  // A connection that fails is tried again every second: told once, until the backend answers again.
  let told: unknown;
  const logConnection = (error: unknown) => {
    const fields = describeError(error);
    const fault = fields.errorCode ?? fields.error;
    if (fault !== told) log.warn('queue-connection', fields);
    told = fault;
  };
  backend.onError(logConnection);
  const queues = new Map<string, Queue>();
  const workers = new Set<Worker>();
  const inFlight = new Set<Promise<unknown>>();
  const closing = new AbortController();

  // BullMQ never forgets a first connection that failed, and a running worker then retries in a busy loop that starves the
  // process.
  const queueOf = ({ name }: Pick<JobDefinition<object, string>, 'name'>): Queue => {
    const known = queues.get(name);
    if (known) return known;
    const queue = backend.queue(name);
    queue.on('error', logConnection);
    queues.set(name, queue);
    // So a queue that could not connect is dropped, and the next use opens a new one.
    queue.waitUntilReady().catch(() => {
      if (queues.get(name) === queue) queues.delete(name);
      return queue.close().catch(() => {});
    });
    return queue;
  };

  // For the same reason a worker runs only once it is connected.
  const runWorker = async (create: () => Worker): Promise<void> => {
    while (!closing.signal.aborted) {
      const worker = create();
      workers.add(worker);
      try {
        await worker.waitUntilReady();
        return await worker.run();
      } catch (error) {
        if (closing.signal.aborted) return;
        logConnection(error);
        workers.delete(worker);
        await worker.close().catch(() => {});
        await delay(RETRY_MS, undefined, { signal: closing.signal }).catch(() => {});
      }
    }
  };

  const addJobs = async (definition: JobDefinition<object, string>, enqueued: readonly Enqueued[]): Promise<void> => {
    const { name, attempts, backoffMs, idOf } = definition;
    const queue = queueOf(definition);
    const jobs = enqueued.map(({ data, trace }) => ({
      name,
      data: { ...data, trace },
      opts: {
        jobId: idOf(data),
        attempts,
        backoff: { type: 'exponential', delay: backoffMs },
        removeOnComplete: KEEP_COMPLETED,
        removeOnFail: KEEP_FAILED,
      },
    }));
    const [first] = jobs;
    if (jobs.length > 1) await queue.addBulk(jobs);
    else if (first) await queue.add(name, first.data, first.opts);
  };

  const adding = createBatcher<Enqueued, boolean>({
    ...ADDING,
    keyOf: ({ definition }) => definition.name,
    async run(queue, enqueued) {
      const [{ definition }] = enqueued as [Enqueued];
      const calls = enqueued.length < backend.bulkFrom ? enqueued.map((each) => [each]) : [enqueued];
      let left = enqueued.length;
      try {
        await backend.reach();
        for (const jobs of calls) {
          await addJobs(definition, jobs);
          left -= jobs.length;
        }
      } catch (error) {
        log.warn('enqueue-failed', { queue, jobs: left, ...describeError(error) });
      }
      const added = enqueued.length - left;
      return enqueued.map((_, at) => at < added);
    },
  });

  const add: Queues['add'] = (definition, data, trace) =>
    adding.add({ definition, data, trace: trace ?? currentTrace() });

  const createWorker = <Data extends object>(
    definition: JobDefinition<Data, string>,
    concurrency: number,
    handle: JobHandler<Data>,
  ): Worker => {
    const { name: queue, deadlineMs } = definition;
    const work: Processor = async (job, _token, signal) => {
      const { id: jobId = '' } = job;
      const attempt = job.attemptsMade + 1;
      const deadline = setTimeout(() => {
        withTrace(traceOf(job), () => log.warn('job-overdue', { queue, jobId, attempt }));
        worker.cancelJob(jobId);
      }, deadlineMs);
      if (closing.signal.aborted) worker.cancelJob(jobId); // taken after the others were aborted
      try {
        const progress = (done: number | Readonly<Record<string, number>>) => job.updateProgress(done);
        const context = { attempt, progress, signal: signal as AbortSignal };
        const run = async () => {
          await span(queue, async () => handle(dataOf(job, definition), context), { kind: 'consumer', jobId, attempt });
          log.debug('job-done', { queue, jobId, attempt });
        };
        await withLimits(undefined, () => withTrace(traceOf(job), run)); // a call may have woken the queue
      } catch (error) {
        throw withCodeOnly(error);
      } finally {
        clearTimeout(deadline);
      }
    };
    // BullMQ passes a signal only to a function with three parameters.
    const worker = backend.worker(queue, concurrency, (job, token, signal) => {
      const working = work(job, token, signal).finally(() => inFlight.delete(working));
      inFlight.add(working);
      return working;
    });
    worker.on('error', logConnection);
    worker.on('failed', (job, error) => {
      const givenUp = job?.finishedOn !== undefined;
      const cause = describeError(error.cause ?? error);
      const fields = { queue, jobId: job?.id, attempt: job?.attemptsMade, givenUp, ...cause };
      withTrace(job && traceOf(job), () => log.error('job-failed', fields));
    });
    return worker;
  };

  return {
    enqueue(definition, data, trace) {
      void add(definition, data, trace);
    },

    add,

    flush: () => adding.flush(),

    work(definition, concurrency, handle) {
      queueOf(definition);
      void runWorker(() => createWorker(definition, concurrency, handle));
    },

    list: () => [...queues.values()],

    all: () => QUEUE_NAMES.map((name) => queueOf({ name })),

    async check() {
      await backend.check();
      told = undefined;
    },

    async close() {
      closing.abort();
      for (const worker of workers) worker.cancelAllJobs();
      const closed = Promise.all([...workers].map((worker) => worker.close()));
      while (inFlight.size > 0) await Promise.allSettled(inFlight);
      await Promise.race([closed, delay(CLOSE_MS, undefined, { ref: false })]);
      await adding.flush();
      await Promise.all([...queues.values()].map((queue) => queue.close()));
      await backend.close();
    },
  };
}

/** Beside the data of every job, which its definition does not know of. */
const traceOf = (job: Job): unknown => (job.data as { trace?: unknown } | undefined)?.trace;

function dataOf<Data extends object>(job: Job, { data }: JobDefinition<Data, string>): Data {
  const read = data.safeParse(job.data);
  if (!read.success) throw new UnrecoverableError('job-data', { cause: read.error });
  return read.data;
}

/** BullMQ stores and shows the message and stack of a job's error; both may quote values. */
function withCodeOnly(error: unknown): Error {
  const { error: name, code, errorCode } = describeError(error);
  const FailureClass = error instanceof UnrecoverableError ? UnrecoverableError : Error;
  const failure = new FailureClass(String(errorCode ?? code ?? name), { cause: error });
  delete failure.stack;
  return failure;
}
