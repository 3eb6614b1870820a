import { setTimeout as delay } from 'node:timers/promises';
import {
  createPostgresBackend,
  LATEST_SCHEMA_VERSION,
  type PostgresConnectionOptions,
  type Queue,
  runMigrations,
  type Worker,
  withBackend,
} from 'bullmq';
import pg from 'pg';
import { clockAheadMs } from '../clock/index.js';
import { LockWatch, PATIENCE, patiently, type Report } from '../postgres/locks.js';
import { explainPostgres, explainRole } from '../postgres/reasons.js';
import { ask, sessionWith, withSessions } from '../postgres/session.js';
import { NotReady } from '../readiness/index.js';
import { type Backend, RETRY_MS, workerOptions } from './backend.js';
import { QUEUE_NAMES } from './names.js';

// A statement of the queue that is not answered in this time has failed, and its connection is closed: without it one silent
// connection would stop all adding.
const QUERY_TIMEOUT_MS = 30_000;

// A connection ends sooner than this, unless the other side has vanished.
const ENDED_MS = 2_000;

// Beside the LISTEN of each worker, of which a process has one for every queue at most.
const SHARED_CONNECTIONS = 4;

// BullMQ makes temporary tables to add several at once, for the price of ten.
const BULK_FROM = 9;

const QUEUE_SCHEMA = 'bullmq';
const QUEUE_ROLE = 'indbakke_queue';

const setUp = sessionWith([`SET search_path = ${QUEUE_SCHEMA}`, `SET ROLE ${QUEUE_ROLE}`]);

const asQueue = (connection: pg.ClientBase) => setUp(connection).catch(explainRole(QUEUE_ROLE));

export function openPostgres(url: string): Backend {
  // One pool for all: the LISTEN of each worker occupies one connection, everything else shares the rest.
  const pool = new pg.Pool({
    connectionString: url,
    max: QUEUE_NAMES.length + SHARED_CONNECTIONS,
    connectionTimeoutMillis: 5_000,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
    onConnect: asQueue,
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
    bulkFrom: BULK_FROM,
    onError(listener) {
      pool.on('error', listener);
    },
    async reach() {}, // a query fails soon anyway
    check: () => check(pool),
    async close() {
      await pool.end();
      // It resolves before its connections have ended: a database that is stopped next would cut them, each with an error.
      for (const until = Date.now() + ENDED_MS; connected.size > 0 && Date.now() < until; ) await delay(5);
    },
  };
}

/** Whether the role sees the tables of BullMQ, and none of them is older than this BullMQ. */
async function check(pool: pg.Pool): Promise<void> {
  try {
    await withSessions([pool, pool], async (connection) => {
      const [table] = await ask<{ exists: boolean }>(
        connection,
        `SELECT to_regclass('migration') IS NOT NULL AS exists`,
      );
      if (!table?.exists) throw new NotReady('schema-missing');
      const [applied] = await ask<{ version: number; isReadOnly: boolean }>(
        connection,
        `SELECT max(version) AS version, current_setting('transaction_read_only') = 'on' AS "isReadOnly" FROM migration`,
      );
      if ((applied?.version ?? 0) < LATEST_SCHEMA_VERSION) throw new NotReady('schema-outdated');
      if (applied?.isReadOnly) throw new NotReady('read-only');
    });
  } catch (error) {
    throw explainPostgres(error);
  }
}

/**
 * The pool for BullMQ. It delays failures, since after any but a refused connection a worker retries at once, in a busy
 * loop. Times are those of the installation. It has no events, since BullMQ would add a listener for each queue and each attempt to connect, and never remove it;
 * onError listens to the pool's errors.
 */
function poolForBullmq(pool: pg.Pool): PostgresConnectionOptions {
  const query = pool.query.bind(pool) as (...request: unknown[]) => Promise<unknown>;
  const patient = {
    options: pool.options,
    connect: () => pool.connect(),
    async query(text: unknown, values?: readonly unknown[]) {
      try {
        return await unlessDeadlocked(() => query(text, values?.map(byClockOfInstallation)));
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

const DEADLOCK_TRIES = 5;

/**
 * Two workers that each note a job as done remove the same old jobs, and not always in the same order: PostgreSQL then fails one of them
 * (40P01, deadlock_detected). BullMQ would run that job again, though it is done. Each of its calls is one statement, of which nothing is
 * left then, so it can be sent again.
 */
async function unlessDeadlocked<T>(send: () => Promise<T>): Promise<T> {
  for (let left = DEADLOCK_TRIES - 1; ; left -= 1) {
    try {
      return await send();
    } catch (error) {
      if ((error as { code?: unknown }).code !== '40P01' || left === 0) throw error;
    }
  }
}

// More than any delay of ours, so that of the numbers in a statement only times are this near to the present.
const NEAR_MS = 60_000;

/**
 * BullMQ tells PostgreSQL the time of its process, and whoever asks judges by that whether the lock of another has ended. Redis
 * judges by its own clock.
 */
function byClockOfInstallation(value: unknown): unknown {
  const isTime = typeof value === 'number' && Math.abs(value - Date.now()) < NEAR_MS;
  return isTime ? Math.round(value + clockAheadMs()) : value;
}

/**
 * Makes or updates BullMQ’s own tables in their schema. The services’ login may use them and change nothing of them. Any
 * number of processes may call it at once; they take turns, for PostgreSQL refuses two grants on one table at once.
 */
export async function migrateQueues(ownerUrl: string, report: Report = () => {}): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl, application_name: 'indbakke-migrate' });
  await client.connect();
  const watch = await LockWatch.open(ownerUrl, [client], report);
  try {
    await client.query('SELECT pg_advisory_lock(hashtext($1))', [`migrate ${QUEUE_SCHEMA}`]);
    await client.query(`SET lock_timeout = ${PATIENCE.locksMs}`);
    await patiently(`Schema ${QUEUE_SCHEMA}`, { watch, patience: PATIENCE, report }, async () => {
      await runMigrations(client, QUEUE_SCHEMA); // it undoes the one that fails
    });
    await client.query(`
      GRANT ALL ON ALL TABLES IN SCHEMA ${QUEUE_SCHEMA} TO indbakke_queue;
      GRANT ALL ON ALL SEQUENCES IN SCHEMA ${QUEUE_SCHEMA} TO indbakke_queue;
      GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ${QUEUE_SCHEMA} TO indbakke_queue;`);
  } finally {
    await watch.close();
    await client.end(); // also releases the lock
  }
}
