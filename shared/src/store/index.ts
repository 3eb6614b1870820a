import { PrismaPg } from '@prisma/adapter-pg';
import type pg from 'pg';
import { CLOCK, hearClock } from '../clock/index.js';
import { SECOND } from '../config/index.js';
import { Prisma, PrismaClient } from '../generated/client.js';
import { ask, sessionWith } from '../postgres/session.js';
import { checkStore, type StoreFacts } from './check.js';
import { FencedPool } from './fence.js';
import { createListener, type Listener } from './listen.js';
import { CHANGES_CHANNEL, createNudge } from './nudge.js';
import { bindTo, type Connection, type Plan, queryAs } from './query.js';
import { RELIED_ON } from './relied-on.js';
import { openStandby, type Standby } from './standby.js';

export { Prisma } from '../generated/client.js';
export type * from '../generated/models.js';
export { CommitInDoubt, isStoreUnavailable } from './failures.js';
export { withLimits } from './limits.js';
export type { Listener } from './listen.js';
export { withMaintenance } from './maintenance.js';
export { migrate } from './migrate.js';
export { newId } from './new-id.js';
export { CHANGES_CHANNEL } from './nudge.js';
export { asMunicipality, type Connection, type Plan, run, waitForStandbys } from './query.js';
export type { Standby } from './standby.js';

/** A transaction bound to one municipality. */
export type Tx = Prisma.TransactionClient;

export interface StoreOptions {
  /** A login that is a member of indbakke_app and indbakke_worker and has no privileges of its own. */
  readonly url: string;
  /** Most connections for the work of municipalities; sweeps add two. */
  readonly connections: number;
  /** Shown in pg_stat_activity. */
  readonly name: string;
  /** Limit for a transaction, COMMIT included, and for a sweep’s statement; default 30 s. */
  readonly timeoutMs?: number;
  /** The same database at a hot standby, with the same login. */
  readonly readUrl?: string | undefined;
  /** Hears where each `reading` was done. */
  readonly onRead?: (from: Source) => void;
}

/** Where something was read. */
export type Source = 'primary' | 'standby';

/** What reads. */
export interface Reader {
  /** A standby takes no rows, not even of the audit log. */
  readonly from: Source;
  query: Store['query'];
}

/** The database. Every connection is bound to one municipality and the limits of its caller, or to the narrow privileges of a sweep. */
export interface Store {
  /**
   * Runs `work` in one transaction that sees and writes the rows of this municipality only.
   *
   * @throws CommitInDoubt when the rows may be committed; after any other error none is, ever
   */
  withTenant<T>(municipality: string, work: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * The same over a plain connection, for the hot path: half the time of a statement through Prisma (docs/decisions). Whoever
   * changes messages uses this one: after its commit the numberer is woken.
   */
  withTenantConnection<T>(municipality: string, work: (connection: Connection) => Promise<T>): Promise<T>;
  /** Runs one statement in a transaction of its own for this municipality, in one round trip: for what is read most. */
  query<Row extends pg.QueryResultRow>(municipality: string, statement: Prisma.Sql, plan: Plan): Promise<Row[]>;
  /**
   * Runs `work`, which only reads, at a standby that has all that is committed by now; else, or if that fails, at the primary. For what
   * is read much and takes long: lists, counts, figures.
   */
  reading<T>(work: (reader: Reader) => Promise<T>): Promise<T>;
  /** Undefined without `readUrl`. Somebody must look at it now and then, or it is not used. */
  readonly standby: Standby | undefined;
  /**
   * Runs one statement across municipalities, with the privileges of role indbakke_worker. One that fails may have been done,
   * so it must be harmless to repeat.
   */
  sweep<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>;
  /**
   * Several statements in one transaction across municipalities, with the same privileges.
   *
   * @param first a statement without parameters, which is sent together with BEGIN
   * @param work gets its rows
   */
  sweepTogether<T, Row extends object>(
    first: string,
    work: (connection: Connection, rows: readonly Row[]) => Promise<T>,
  ): Promise<T>;
  /** Hears NOTIFY on these channels, once it is started; stop it before the store is closed. */
  listen(channels: readonly string[], hear: (channel: string, payload: string) => void): Listener;
  /** @throws NotReady with the reason why messages cannot be stored or read; or any other error */
  check(): Promise<StoreFacts>;
  close(): Promise<void>;
}

const SWEEP_CONNECTIONS = 2;
// A caller should be asked to retry before it gives up by itself.
const WAIT_FOR_CONNECTION_MS = 5_000;
/** The limit of a transaction, COMMIT included. */
export const MAX_TRANSACTION_SECONDS = 30;
// PostgreSQL gives a statement up before we do: then its locks are free, and its connection stays usable.
const STATEMENT_SHARE = 0.5;
// When the machine of a process vanishes, PostgreSQL would keep the locks of its transaction until the system notices,
// usually after two hours, and a retry of the same message at another process would wait for them.
const MAX_IDLE_IN_TRANSACTION_MS = 10_000;

// Every query of a request has an index. PostgreSQL prefers to scan a small table, and keeps that plan (for foreign keys
// too) when the table has grown, until the next ANALYZE.
const BY_INDEX = 'SET enable_seqscan = off';

/** The limit of what is read at a standby, which is then read at the primary. */
const MAX_STANDBY_READ_MS = 10_000;

export function openStore({
  url,
  connections,
  name,
  timeoutMs = MAX_TRANSACTION_SECONDS * SECOND,
  readUrl,
  onRead = () => {},
}: StoreOptions): Store {
  const common = [
    ...RELIED_ON,
    `SET statement_timeout = ${Math.floor(timeoutMs * STATEMENT_SHARE)}`,
    `SET idle_in_transaction_session_timeout = ${MAX_IDLE_IN_TRANSACTION_MS}`,
  ];
  const configOf = (connectionString: string, max: number, ...settings: string[]) => ({
    connectionString,
    max,
    application_name: name,
    connectionTimeoutMillis: WAIT_FOR_CONNECTION_MS,
    // Without this, a query on a silently dead connection would wait until the system gives up.
    query_timeout: timeoutMs,
    keepAlive: true,
    onConnect: sessionWith([...common, ...settings]),
  });
  const open = (max: number, ...settings: string[]) => {
    const config = configOf(url, max, ...settings);
    const pool = new FencedPool({ ...config, onConnect: hearingTheClock(config.onConnect) });
    // A broken connection fails its query and is replaced at the next use; without listeners its events would end the process.
    pool.on('error', () => {});
    pool.on('connect', (connection) => connection.on('error', () => {}));
    return pool;
  };
  const app = open(connections, BY_INDEX);
  const worker = open(SWEEP_CONNECTIONS);
  const standby =
    readUrl === undefined
      ? undefined
      : openStandby({
          pool: {
            ...configOf(readUrl, connections, BY_INDEX),
            query_timeout: Math.min(timeoutMs, MAX_STANDBY_READ_MS),
          },
          primary: app,
        });
  const prisma = new PrismaClient({
    adapter: new PrismaPg(app),
    transactionOptions: { maxWait: WAIT_FOR_CONNECTION_MS, timeout: timeoutMs },
  });

  const notify = (channel: string, payload: string) => worker.query('SELECT pg_notify($1, $2)', [channel, payload]);
  const nudge = createNudge(() => notify(CHANGES_CHANNEL, ''));
  const asWorker = async <T>(first: string, work: (connection: Connection, rows: never) => Promise<T>): Promise<T> => {
    const connection = await worker.connect();
    try {
      const results: unknown = await connection.query(`BEGIN; SET LOCAL ROLE indbakke_worker${first && `; ${first}`}`);
      const result = await work(connection, (results as pg.QueryResult[]).at(-1)?.rows as never);
      await connection.query('COMMIT');
      return result;
    } finally {
      connection.release(); // a transaction that failed is still open, so the fence closes its connection
    }
  };

  const query: Store['query'] = async <Row extends pg.QueryResultRow>(
    municipality: string,
    statement: Prisma.Sql,
    plan: Plan,
  ) => {
    const connection = await app.connect();
    try {
      return await queryAs<Row>(connection, municipality, statement, plan);
    } finally {
      connection.release();
    }
  };
  const readAtStandby = async <T>(work: (reader: Reader) => Promise<T>): Promise<{ readonly done: T } | undefined> => {
    const connection = await standby?.lend();
    if (!connection) return undefined;
    try {
      const done = await work({ from: 'standby', query: (...statement) => queryAs(connection, ...statement) });
      await connection.query('COMMIT');
      return { done };
    } catch {
      standby?.giveUp();
      return undefined;
    } finally {
      connection.release(); // a transaction that failed is still open, so the fence closes its connection
    }
  };

  return {
    withTenant(municipality, work) {
      const bind = Prisma.raw(bindTo(municipality));
      return prisma.$transaction(async (tx) => {
        await tx.$queryRaw`${bind}`;
        return work(tx);
      });
    },

    async withTenantConnection(municipality, work) {
      const connection = await app.connect();
      try {
        // Two statements in one round trip, which only text without parameters can be.
        await connection.query(`BEGIN; ${bindTo(municipality)}`);
        const result = await work(connection);
        await connection.query('COMMIT');
        nudge();
        return result;
      } catch (error) {
        // If it fails, the fence closes the connection, which rolls back too.
        await connection.query('ROLLBACK').catch(() => {});
        throw error;
      } finally {
        connection.release();
      }
    },

    query,

    async reading(work) {
      const read = await readAtStandby(work);
      onRead(read ? 'standby' : 'primary');
      return read ? read.done : work({ from: 'primary', query });
    },

    standby,

    sweep: <Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []) =>
      asWorker('', async (connection) => (await connection.query<Row>(sql, values)).rows),

    sweepTogether: asWorker,

    listen: (channels, hear) => createListener({ url, name, channels, hear, notify }),

    check: () => checkStore({ app, worker }),

    async close() {
      nudge.stop();
      await prisma.$disconnect();
      await standby?.close();
      await Promise.all([app.end(), worker.end()]);
    },
  };
}

/**
 * Each connection to the primary hears the clock before it is used, so a process goes by it from its first statement on. The clock of
 * a standby is another one.
 */
function hearingTheClock(setUp: ReturnType<typeof sessionWith>): ReturnType<typeof sessionWith> {
  return async (connection) => {
    await setUp(connection);
    const asked = Date.now();
    const [row] = await ask<{ clock: number }>(connection, `SELECT ${CLOCK} AS clock`);
    if (row) hearClock({ ...row, asked, answered: Date.now() });
  };
}
