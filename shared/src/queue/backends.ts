import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import {
  createPostgresBackend,
  type PostgresConnectionOptions,
  type Processor,
  Queue,
  runMigrations,
  Worker,
  withBackend,
} from 'bullmq';
import { Redis } from 'ioredis';
import pg from 'pg';

/** What BullMQ keeps its queues in. */
export interface Backend {
  queue(name: string): Queue;
  worker(name: string, concurrency: number, process: Processor): Worker;
  onError(listener: (error: Error) => void): void;
  /** @throws at once when adding would wait for a backend that is away */
  reach(): Promise<void>;
  check(): Promise<void>;
  close(): Promise<void>;
}

// A worker that dies loses its jobs to another after at most lock + check: 15 s.
const LOCK_MS = 10_000;
const STALLED_CHECK_MS = 5_000;

/** A backend that is away is asked again this often. */
export const RETRY_MS = 1_000;

// A connection that is told to end has ended sooner, unless the other side is gone without a word.
const ENDED_MS = 2_000;

const QUEUE_SCHEMA = 'bullmq';

const workerOptions = (concurrency: number) => ({
  concurrency,
  autorun: false,
  lockDuration: LOCK_MS,
  stalledInterval: STALLED_CHECK_MS,
  runRetryDelay: RETRY_MS,
});

export function openPostgres(url: string): Backend {
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
    async reach() {}, // a query fails by itself
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

export function openRedis(url: string): Backend {
  // Those who add must not wait for a Redis that is away; those who work wait for it as long as it takes.
  const forQueues = new Redis(url, { maxRetriesPerRequest: 1, enableOfflineQueue: false });
  const forWorkers = new Redis(url, { maxRetriesPerRequest: null });
  const tried = Promise.race([once(forQueues, 'ready'), once(forQueues, 'close')]).catch(() => {});
  return {
    queue: (name) => new Queue(name, { connection: forQueues }),
    worker: (name, concurrency, process) =>
      new Worker(name, process, { connection: forWorkers, ...workerOptions(concurrency) }),
    onError(listener) {
      forQueues.on('error', listener);
      forWorkers.on('error', listener);
    },
    // BullMQ waits for a first connection without end.
    async reach() {
      await tried;
      if (forQueues.status !== 'ready') throw new Error(`Redis is ${forQueues.status}.`);
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
