import { setTimeout as delay } from 'node:timers/promises';
import {
  createPostgresBackend,
  type Job,
  type PostgresConnectionOptions,
  Queue,
  runMigrations,
  Worker,
  withBackend,
} from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { Log } from '../log/index.js';
import { describeError } from '../log/index.js';

/** A queue: its name, and how its jobs are kept and tried again. */
export interface QueueDefinition<Data extends object> {
  readonly name: string;
  /** Job name, verb-object. */
  readonly job: string;
  readonly attempts: number;
  readonly backoffMs: number;
  /** Never set: carries the type of the job data. */
  readonly _data?: Data;
}

export interface QueuedJob<Data> {
  /** Holds no ':' and is not all digits. */
  readonly id: string;
  readonly data: Data;
}

/** The queues of one process, on one backend: PostgreSQL, or Redis through ioredis. */
export interface Queues {
  add<Data extends object>(definition: QueueDefinition<Data>, jobs: QueuedJob<Data>[]): Promise<void>;
  /** Works the queue until close(). A handler that returns is done; one that throws is tried again. */
  work<Data extends object>(
    definition: QueueDefinition<Data>,
    concurrency: number,
    handle: (data: Data) => Promise<void>,
  ): void;
  /** Every queue used here, for the operations pages and the metrics. */
  list(): Queue[];
  /** @throws when the backend does not answer */
  check(): Promise<void>;
  /** Stops taking jobs, finishes those in flight, closes. */
  close(): Promise<void>;
}

// A worker that dies loses its jobs to another after at most lock + check: 15 s.
const LOCK_MS = 10_000;
const STALLED_CHECK_MS = 5_000;
const KEEP_COMPLETED = { age: 60 * 60, count: 1_000 };
const KEEP_FAILED = { age: 7 * 24 * 60 * 60, count: 10_000 };

// A backend that is away is asked again this often.
const RETRY_MS = 1_000;

// A connection that is told to end has ended sooner, unless the other side is gone without a word.
const ENDED_MS = 2_000;

const QUEUE_SCHEMA = 'bullmq';

export interface QueuesOptions {
  /** postgres://…, redis://… or rediss://… */
  readonly url: string;
  readonly log: Log;
}

export function openQueues({ url, log }: QueuesOptions): Queues {
  const backend = /^rediss?:/.test(url) ? openRedis(url) : openPostgres(url);
  backend.onError((error) => log.warn('queue-connection', describeError(error)));
  const queues = new Map<string, Queue>();
  const workers = new Set<Worker>();
  const closing = new AbortController();

  // BullMQ remembers a first connection that failed for ever, and a worker that runs then asks again without a pause, so that
  // nothing else in the process gets its turn.
  const queueOf = (definition: QueueDefinition<object>): Queue => {
    const known = queues.get(definition.name);
    if (known) return known;
    const queue = backend.queue(definition.name);
    queue.on('error', (error) => log.warn('queue-connection', describeError(error)));
    queues.set(definition.name, queue);
    // So what could not connect is thrown away, and the next use opens a new one.
    queue.waitUntilReady().catch(() => {
      if (queues.get(definition.name) === queue) queues.delete(definition.name);
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
        log.warn('queue-connection', describeError(error));
        workers.delete(worker);
        await worker.close().catch(() => {});
        await delay(RETRY_MS, undefined, { signal: closing.signal }).catch(() => {});
      }
    }
  };

  return {
    async add(definition, jobs) {
      await queueOf(definition).addBulk(
        jobs.map(({ id, data }) => ({
          name: definition.job,
          data,
          opts: {
            jobId: id,
            attempts: definition.attempts,
            backoff: { type: 'exponential', delay: definition.backoffMs },
            removeOnComplete: KEEP_COMPLETED,
            removeOnFail: KEEP_FAILED,
          },
        })),
      );
    },

    work(definition, concurrency, handle) {
      queueOf(definition);
      void runWorker(() => {
        const worker = backend.worker(definition.name, concurrency, (job) => guarded(() => handle(job.data)));
        worker.on('error', (error) => log.warn('queue-connection', describeError(error)));
        worker.on('failed', (job, error) => {
          log.error('job-failed', {
            queue: definition.name,
            jobId: job?.id,
            attempt: job?.attemptsMade,
            ...describeError(error.cause ?? error),
          });
        });
        return worker;
      });
    },

    list: () => [...queues.values()],
    check: () => backend.check(),

    async close() {
      closing.abort();
      await Promise.all([...workers].map((worker) => worker.close()));
      await Promise.all([...queues.values()].map((queue) => queue.close()));
      await backend.close();
    },
  };
}

/** BullMQ keeps the message and the stack of what a job fails with, and shows them; both may quote values. */
async function guarded(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const { error: name, code, errorCode } = describeError(error);
    const told = new JobFailure(String(errorCode ?? code ?? name), { cause: error });
    delete told.stack;
    throw told;
  }
}

class JobFailure extends Error {}

interface Backend {
  queue(name: string): Queue;
  worker(name: string, concurrency: number, process: (job: Job) => Promise<void>): Worker;
  onError(listener: (error: Error) => void): void;
  check(): Promise<void>;
  close(): Promise<void>;
}

const workerOptions = (concurrency: number) => ({
  concurrency,
  autorun: false,
  lockDuration: LOCK_MS,
  stalledInterval: STALLED_CHECK_MS,
  runRetryDelay: RETRY_MS,
});

function openPostgres(url: string): Backend {
  // One pool for all: each LISTEN of a worker keeps one connection, the rest share what is left.
  const pool = new pg.Pool({
    connectionString: url,
    max: 8,
    connectionTimeoutMillis: 5_000,
    options: `-c search_path=${QUEUE_SCHEMA} -c role=indbakke_queue`,
  });
  const connected = new Set<pg.PoolClient>();
  pool.on('connect', (client) => {
    connected.add(client);
    client.on('error', () => {});
  });
  pool.on('remove', (client) => connected.delete(client));
  const connection = poolForBullmq(pool);
  const bullmq = withBackend(createPostgresBackend);
  return {
    // Queue and Worker differ between the backends in the type of their connection only.
    queue: (name) => new bullmq.Queue(name, { connection }) as unknown as Queue,
    worker: (name, concurrency, process) =>
      new bullmq.Worker(name, process, { connection, ...workerOptions(concurrency) }) as unknown as Worker,
    onError(listener) {
      pool.on('error', listener);
    },
    async check() {
      await pool.query('SELECT 1');
    },
    async close() {
      await pool.end();
      // It resolves while its connections still end. A database that is stopped next would cut them, and each would complain.
      for (const until = Date.now() + ENDED_MS; connected.size > 0 && Date.now() < until; ) await delay(5);
    },
  };
}

/**
 * The pool as BullMQ is to have it: patient, since after any failure but a refused connection a worker asks again at once,
 * as fast as the processor can; and without events, since BullMQ would listen to them once more for each queue and each try
 * of a worker to connect, and never stop. Errors of the pool are heard by onError.
 */
function poolForBullmq(pool: pg.Pool): PostgresConnectionOptions {
  const query = pool.query.bind(pool) as (...request: unknown[]) => Promise<unknown>;
  const patient = {
    options: pool.options,
    connect: () => pool.connect(),
    async query(...request: unknown[]) {
      try {
        return await query(...request);
      } catch (error) {
        await delay(RETRY_MS);
        throw error;
      }
    },
    end: () => pool.end(),
    on: () => {},
  };
  // BullMQ takes a pg.Pool; its own type for one asks for an index signature that pg's lacks.
  return patient as unknown as PostgresConnectionOptions;
}

function openRedis(url: string): Backend {
  // Those who add must not wait for a Redis that is away; those who work wait for it as long as it takes.
  const forQueues = new Redis(url, { maxRetriesPerRequest: 1, enableOfflineQueue: false });
  const forWorkers = new Redis(url, { maxRetriesPerRequest: null });
  return {
    queue: (name) => new Queue(name, { connection: forQueues }),
    worker: (name, concurrency, process) =>
      new Worker(name, process, { connection: forWorkers, ...workerOptions(concurrency) }),
    onError(listener) {
      forQueues.on('error', listener);
      forWorkers.on('error', listener);
    },
    async check() {
      await forQueues.ping();
    },
    async close() {
      forQueues.disconnect();
      forWorkers.disconnect();
    },
  };
}

/**
 * Makes or updates BullMQ’s own tables in their schema. The services’ login may use them and change nothing of them. Any
 * number of processes may call it at once; they take turns, for PostgreSQL refuses two grants on one table at once.
 */
export async function migrateQueues(ownerUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl, application_name: 'indbakke-migrate' });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock(hashtext($1))', [`migrate ${QUEUE_SCHEMA}`]);
    await runMigrations(client, QUEUE_SCHEMA);
    await client.query(`
      GRANT ALL ON ALL TABLES IN SCHEMA ${QUEUE_SCHEMA} TO indbakke_queue;
      GRANT ALL ON ALL SEQUENCES IN SCHEMA ${QUEUE_SCHEMA} TO indbakke_queue;
      GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ${QUEUE_SCHEMA} TO indbakke_queue;`);
  } finally {
    await client.end(); // lets go of the lock too
  }
}
