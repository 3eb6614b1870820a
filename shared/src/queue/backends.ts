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

/** Where BullMQ stores its queues. */
export interface Backend {
  queue(name: string): Queue;
  worker(name: string, concurrency: number, process: Processor): Worker;
  onError(listener: (error: Error) => void): void;
  /** @throws at once when the backend is away, where adding would wait for it */
  reach(): Promise<void>;
  check(): Promise<void>;
  close(): Promise<void>;
}

// The jobs of a worker that died go to another one within lock + check: 15 s.
const LOCK_MS = 10_000;
const STALLED_CHECK_MS = 5_000;

/** Interval between attempts to reach a backend that is away. */
export const RETRY_MS = 1_000;

// A statement of the queue that is not answered in this time has failed, and its connection is closed: without it one silent
// connection would stop all adding.
const QUERY_TIMEOUT_MS = 30_000;

// A connection ends sooner than this, unless the other side has vanished.
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
  // One pool for all: the LISTEN of each worker occupies one connection, everything else shares the rest.
  const pool = new pg.Pool({
    connectionString: url,
    max: 8,
    connectionTimeoutMillis: 5_000,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
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
    // The backends' Queue and Worker differ only in the type of their connection.
    queue: (name) => new bullmq.Queue(name, { connection }) as unknown as Queue,
    worker: (name, concurrency, process) =>
      new bullmq.Worker(name, process, { connection, ...workerOptions(concurrency) }) as unknown as Worker,
    onError(listener) {
      pool.on('error', listener);
    },
    async reach() {}, // a query fails soon anyway
    async check() {
      await pool.query('SELECT 1');
    },
    async close() {
      await pool.end();
      // It resolves before its connections have ended: a database that is stopped next would cut them, each with an error.
      for (const until = Date.now() + ENDED_MS; connected.size > 0 && Date.now() < until; ) await delay(5);
    },
  };
}

/**
 * The pool for BullMQ. It delays failures, since after any but a refused connection a worker retries at once, in a busy
 * loop. It has no events, since BullMQ would add a listener for each queue and each attempt to connect, and never remove it;
 * onError listens to the pool's errors.
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
  // BullMQ accepts a pg.Pool, but its type for one has an index signature that pg's lacks.
  return patient as unknown as PostgresConnectionOptions;
}

export function openRedis(url: string): Backend {
  // Adding must not wait for a Redis that is away; workers wait for as long as it takes.
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
    // BullMQ would wait for a first connection forever.
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
    await client.end(); // also releases the lock
  }
}
