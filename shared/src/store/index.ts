import { PrismaPg } from '@prisma/adapter-pg';
import type pg from 'pg';
import { type Prisma, PrismaClient } from '../generated/client.js';
import { FencedPool } from './fence.js';
import { type Connection, type Plan, queryAs } from './query.js';

export { Prisma } from '../generated/client.js';
export type * from '../generated/models.js';
export { isStoreUnavailable } from './failures.js';
export { migrate } from './migrate.js';
export { newId } from './new-id.js';
export { type Connection, type Plan, run } from './query.js';

/** A transaction bound to one municipality. */
export type Tx = Prisma.TransactionClient;

export interface StoreOptions {
  /** A login that is a member of indbakke_app and indbakke_worker and has no privileges of its own. */
  readonly url: string;
  /** Most connections for the work of municipalities; sweeps add two. */
  readonly connections: number;
  /** Shown in pg_stat_activity. */
  readonly name: string;
  /** Limit for a transaction, and for each statement of it; default 30 s. */
  readonly timeoutMs?: number;
}

/** The database. Every connection is bound to one municipality, or to the narrow privileges of a sweep. */
export interface Store {
  /** Runs `work` in one transaction that sees and writes the rows of this municipality only. */
  withTenant<T>(municipality: string, work: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * The same over a plain connection, for the hot path: half the time of a statement through Prisma (docs/decisions).
   *
   * @throws CommitInDoubt when the rows may be committed; after any other error none is
   */
  withTenantConnection<T>(municipality: string, work: (connection: Connection) => Promise<T>): Promise<T>;
  /** Runs one statement in a transaction of its own for this municipality, in one round trip: for what is read most. */
  query<Row extends pg.QueryResultRow>(municipality: string, statement: Prisma.Sql, plan: Plan): Promise<Row[]>;
  /** Runs one statement across municipalities, with the privileges of role indbakke_worker. */
  sweep<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** @throws when the database does not answer */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** COMMIT was sent but not answered: whether the rows are committed is unknown. */
export class CommitInDoubt extends Error {}

const SWEEP_CONNECTIONS = 2;
// A caller should be asked to retry before it gives up by itself.
const WAIT_FOR_CONNECTION_MS = 5_000;
const TIMEOUT_MS = 30_000;
// When the machine of a process vanishes, PostgreSQL would keep the locks of its transaction until the system notices,
// usually after two hours, and a retry of the same message at another process would wait for them.
const MAX_IDLE_IN_TRANSACTION_MS = 10_000;

// Every query of a request has an index. PostgreSQL prefers to scan a small table, and keeps that plan (for foreign keys
// too) when the table has grown, until the next ANALYZE.
const BY_INDEX = '-c enable_seqscan=off';

export function openStore({ url, connections, name, timeoutMs = TIMEOUT_MS }: StoreOptions): Store {
  const open = (role: string, max: number, settings = '') => {
    const pool = new FencedPool({
      connectionString: url,
      max,
      application_name: name,
      connectionTimeoutMillis: WAIT_FOR_CONNECTION_MS,
      // Without this, a query on a silently dead connection would wait until the system gives up.
      query_timeout: timeoutMs,
      keepAlive: true,
      options: `-c role=${role} -c idle_in_transaction_session_timeout=${MAX_IDLE_IN_TRANSACTION_MS} ${settings}`,
    });
    // A broken connection fails its query and is replaced at the next use; without listeners its events would end the process.
    pool.on('error', () => {});
    pool.on('connect', (connection) => connection.on('error', () => {}));
    return pool;
  };
  const app = open('indbakke_app', connections, BY_INDEX);
  const worker = open('indbakke_worker', SWEEP_CONNECTIONS);
  const prisma = new PrismaClient({
    adapter: new PrismaPg(app),
    transactionOptions: { maxWait: WAIT_FOR_CONNECTION_MS, timeout: timeoutMs },
  });

  return {
    withTenant: (municipality, work) =>
      prisma.$transaction(async (tx) => {
        await tx.$queryRaw`SELECT set_config('indbakke.municipality', ${municipality}, true)`;
        return work(tx);
      }),

    async withTenantConnection(municipality, work) {
      const connection = await app.connect();
      try {
        // Two statements in one round trip, which only text without parameters can be.
        const name = connection.escapeLiteral(municipality);
        await connection.query(`BEGIN; SELECT set_config('indbakke.municipality', ${name}, true)`);
        const result = await work(connection);
        await connection.query('COMMIT').catch((cause: unknown) => {
          throw new CommitInDoubt('COMMIT was not answered.', { cause });
        });
        return result;
      } catch (error) {
        await connection.query('ROLLBACK').catch(() => {}); // if it fails, the fence closes the connection, which rolls back too
        throw error;
      } finally {
        connection.release();
      }
    },

    async query<Row extends pg.QueryResultRow>(municipality: string, statement: Prisma.Sql, plan: Plan) {
      const connection = await app.connect();
      try {
        return await queryAs<Row>(connection, municipality, statement, plan);
      } finally {
        connection.release();
      }
    },

    async sweep<Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []) {
      const { rows } = await worker.query<Row>(sql, values);
      return rows;
    },

    async check() {
      await app.query('SELECT 1');
    },

    async close() {
      await prisma.$disconnect();
      await Promise.all([app.end(), worker.end()]);
    },
  };
}
