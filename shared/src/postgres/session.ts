import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { NotReady } from '../readiness/index.js';
import { isUnanswered } from './reasons.js';

// As long as connecting may take.
const ANSWER_MS = 5_000;

/** A statement that is given up soon, so that one silence does not outlast the next probe by much. */
export async function ask<Row extends pg.QueryResultRow>(connection: pg.ClientBase, text: string): Promise<Row[]> {
  const request = { text, query_timeout: ANSWER_MS };
  const result: unknown = await connection.query(request);
  // pg gives a list of results for several statements at once.
  const last = Array.isArray(result) ? result.at(-1) : result;
  return (last as pg.QueryResult<Row>).rows;
}

/** What each connection set in its session, and must find there. */
const marks = new WeakMap<pg.ClientBase, string>();

/** When a pool was last found behind a pooler in transaction mode. */
const provenAt = new WeakMap<pg.Pool, number>();
// Such a pooler may give a connection its server of before by chance: for this time that does not undo the proof.
const PROOF_STANDS_MS = 60_000;

/**
 * Sets up each connection of a pool, as its `onConnect`. By statements: of the start-up parameter `options` PgBouncer says
 * that it is unsupported, or drops it silently (PgBouncer, ignore_startup_parameters).
 */
export function sessionWith(settings: readonly string[]): (connection: pg.ClientBase) => Promise<void> {
  return async (connection) => {
    const mark = randomUUID();
    const text = [...settings, `SET indbakke.session = '${mark}'`].join('; ');
    await ask(connection, text).catch((cause: unknown) => {
      // A pooler accepts the connection, and lets its first statement wait for a server.
      throw isUnanswered(cause) ? new NotReady('no-connection-free', { cause }) : cause;
    });
    marks.set(connection, mark);
  };
}

/**
 * Runs `work` with two connections that keep their session.
 *
 * @throws NotReady pooler-in-transaction-mode when a pooler gives each transaction another server: settings, prepared
 *   statements and LISTEN would be lost
 */
export function withSessions<T>(
  pools: readonly [pg.Pool, pg.Pool],
  work: (first: pg.PoolClient, second: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const [one, other] = pools;
  return withConnection(one, (first) =>
    withConnection(other, async (second) => {
      // In transactions at once, for which such a pooler must use two servers.
      const moved = [await hasMoved(first), await hasMoved(second)].includes(true);
      // In this order: an idle pooler takes the server that was used last, so that next time both have moved.
      await ask(first, 'ROLLBACK');
      await ask(second, 'ROLLBACK');
      if (moved) provenAt.set(one, Date.now());
      if (Date.now() - (provenAt.get(one) ?? 0) < PROOF_STANDS_MS) throw new NotReady('pooler-in-transaction-mode');
      return work(first, second);
    }),
  );
}

async function hasMoved(connection: pg.PoolClient): Promise<boolean> {
  const found = `BEGIN; SELECT current_setting('indbakke.session', true) AS mark`;
  const [row] = await ask<{ mark: string | null }>(connection, found);
  return row?.mark !== marks.get(connection);
}

/** After an error the connection is closed: its state is unknown. */
async function withConnection<T>(pool: pg.Pool, work: (connection: pg.PoolClient) => Promise<T>): Promise<T> {
  // pg's own, because a fenced connection is another object.
  const connection = await (pg.Pool.prototype.connect as () => Promise<pg.PoolClient>).call(pool);
  try {
    const result = await work(connection);
    connection.release();
    return result;
  } catch (error) {
    connection.release(true);
    throw error;
  }
}
