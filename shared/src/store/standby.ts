import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { createBatcher } from '../batch/index.js';
import { SECOND } from '../config/index.js';
import { explainPostgres } from '../postgres/reasons.js';
import { NotReady } from '../readiness/index.js';
import { StoreUnavailable } from './failures.js';
import { FencedPool } from './fence.js';
import type { Connection } from './query.js';

export interface StandbyOptions {
  /** With the timeout of a transaction, which is then done again at the primary. */
  readonly pool: pg.PoolConfig & { query_timeout: number };
  readonly primary: pg.Pool;
}

/** A hot standby that reads may go to: never one that lacks anything that was committed when the read was asked for. */
export interface Standby {
  /** In seconds, when it was last looked at: how much later than the primary. Undefined when that is unknown. */
  readonly lagSeconds: number | undefined;
  /**
   * A connection with an open transaction that sees all that is committed now; undefined when it cannot be had at once.
   *
   * @throws what the primary fails with
   */
  lend(): Promise<Connection | undefined>;
  /** What was lent has failed: the standby is not used before the next look finds it good. */
  giveUp(): void;
  /** Looks whether it can be used. Never fails. */
  look(): Promise<void>;
  /** @throws NotReady with the reason why it is not used */
  check(): void;
  close(): Promise<void>;
}

/** How far the primary’s log has come. */
interface Position {
  /** Null of what is no primary. */
  readonly at: string | null;
  /** Its history: after a failover another one. */
  readonly timeline: number;
  readonly now: Date;
}

interface Found {
  readonly isStandby: boolean;
  readonly timeline: number;
  readonly hasAll: boolean;
  readonly replayedAt: Date | null;
}

/** A standby that is behind is waited for this long: it usually replays a commit within a few milliseconds. */
const WAIT_MS = 50;
const POLL_MS = 2;
/** A standby that is silent for longer is not used. */
const ANSWER_MS = SECOND;
/** It is told as behind when it was never good for so long. */
const BEHIND_MS = 10 * SECOND;

// What a commit of ours has flushed, and on which timeline (PostgreSQL 18, 9.28.4: the first eight digits of the name of a segment).
const POSITION = `
  SELECT at::text, ('x' || left(pg_walfile_name(at), 8))::bit(32)::int AS timeline, clock_timestamp() AS now
  FROM (SELECT CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_flush_lsn() END AS at) AS p`;

const found = (at: string) => `
  SELECT pg_is_in_recovery() AS "isStandby", timeline_id AS timeline,
    coalesce(pg_last_wal_replay_lsn() >= ${pg.escapeLiteral(at)}::pg_lsn, false) AS "hasAll",
    pg_last_xact_replay_timestamp() AS "replayedAt"
  FROM pg_control_checkpoint()`;

export function openStandby({ pool: config, primary }: StandbyOptions): Standby {
  const pool = new FencedPool({ ...config, connectionTimeoutMillis: ANSWER_MS });
  pool.on('error', () => {});
  pool.on('connect', (connection) => connection.on('error', () => {}));
  let fault: unknown = new NotReady('no-answer');
  let goodAt = performance.now();
  let lagSeconds: number | undefined;
  let looking: Promise<void> | undefined;

  // One question to the primary for all who ask at once; never one that was asked before they came.
  const positions = createBatcher<undefined, Position>({
    keyOf: () => '',
    maxBatch: 1_000,
    concurrency: 1,
    isSharedFault: () => true,
    async run(_, items) {
      const { rows } = await primary.query<Position>(POSITION);
      return items.map(() => rows[0] as Position);
    },
  });

  /** @returns a connection, its transaction begun, once the standby has all of this */
  const lendAt = async (position: Position): Promise<Connection> => {
    const { at } = position;
    if (at === null) throw new NotReady('other-timeline');
    const connection = await pool.connect();
    try {
      const end = performance.now() + WAIT_MS;
      for (let begin = 'BEGIN READ ONLY; '; ; begin = '') {
        const state = await inTime(connection.query(begin + found(at)));
        lagSeconds = lagOf(state, position);
        // A primary of another history may have come as far, but not to the same.
        if (!state.isStandby) throw new NotReady('not-a-standby');
        if (state.timeline !== position.timeline) throw new NotReady('other-timeline');
        if (state.hasAll) return connection;
        if (performance.now() > end) throw new NotReady('behind');
        await delay(POLL_MS);
      }
    } catch (error) {
      connection.release(true);
      throw error;
    }
  };

  const fail = (error: unknown) => {
    fault = explainPostgres(error instanceof StoreUnavailable && error.cause ? error.cause : error);
    if (!(fault instanceof NotReady && fault.reason === 'behind')) lagSeconds = undefined;
  };

  const lookNow = async () => {
    // Without the primary nothing is read here, and nothing is known of the standby.
    const position = await positions.add(undefined).catch(() => undefined);
    if (!position) return;
    try {
      const connection = await lendAt(position);
      try {
        await connection.query('COMMIT');
      } finally {
        connection.release();
      }
      fault = undefined;
      goodAt = performance.now();
    } catch (error) {
      fail(error);
    }
  };

  return {
    get lagSeconds() {
      return lagSeconds;
    },
    async lend() {
      if (fault !== undefined) return undefined;
      const position = await positions.add(undefined);
      try {
        return await lendAt(position);
      } catch (error) {
        fail(error);
        return undefined;
      }
    },
    giveUp() {
      fault = new NotReady('no-answer');
    },
    look() {
      looking ??= lookNow().finally(() => {
        looking = undefined;
      });
      return looking;
    },
    check() {
      const isBehind = fault instanceof NotReady && fault.reason === 'behind';
      if (fault === undefined || (isBehind && performance.now() - goodAt < BEHIND_MS)) return;
      throw fault;
    },
    async close() {
      await positions.flush();
      await pool.end();
    },
  };
}

/** The last row of what is asked, unless the other side is silent. */
async function inTime(asked: Promise<unknown>): Promise<Found> {
  const answered = new AbortController();
  const late = delay(ANSWER_MS, undefined, { signal: answered.signal }).then(() => {
    throw new NotReady('no-answer');
  });
  try {
    const results = await Promise.race([asked, late]);
    const last = Array.isArray(results) ? results.at(-1) : results;
    return (last as pg.QueryResult<Found & pg.QueryResultRow>).rows[0] as Found;
  } finally {
    answered.abort();
    asked.catch(() => {});
    late.catch(() => {});
  }
}

/** Both times are of the primary’s clock. */
function lagOf({ hasAll, replayedAt }: Found, { now }: Position): number | undefined {
  if (hasAll) return 0;
  return replayedAt ? Math.max(0, (now.getTime() - replayedAt.getTime()) / SECOND) : undefined;
}
