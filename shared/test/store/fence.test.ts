import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, runSql } from '../../../infra/src/testkit/database.js';
import { FencedPool, StatementRefused } from '../../src/store/fence.js';
import { openStore, type Store, type Tx } from '../../src/store/index.js';

const A = '22222222';
const B = '33333333';
const TIMEOUT_MS = 1_000;

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let store: Store;

beforeAll(async () => {
  database = await createTestDatabase();
  for (const cvr of [A, B]) {
    await runSql(database.ownerUrl, 'INSERT INTO municipalities (cvr, name) VALUES ($1, $1)', [cvr]);
    await runSql(
      database.ownerUrl,
      `INSERT INTO cases (municipality, case_id, caseworker) VALUES ($1, 'case', 'unchanged')`,
      [cvr],
    );
  }
  // One connection, so that each transaction gets the connection of the previous one.
  store = openStore({ url: database.url, connections: 1, name: 'fence', timeoutMs: TIMEOUT_MS });
});

afterEach(() => runSql(database.ownerUrl, `UPDATE cases SET caseworker = 'unchanged'`));

afterAll(async () => {
  await store.close();
  await database.drop();
});

const where = (tx: Tx) =>
  tx.$queryRaw`SELECT current_setting('indbakke.municipality', true) AS municipality` as Promise<
    { municipality: string }[]
  >;
const caseworkerOf = async (cvr: string) => {
  const [row] = await runSql(database.ownerUrl, 'SELECT caseworker FROM cases WHERE municipality = $1', [cvr]);
  return row?.caseworker;
};

describe('a statement after the end of its transaction', () => {
  it('is refused when the transaction timed out and another municipality has its connection', async () => {
    const late: unknown[] = [];
    const seen: unknown[] = [];

    const a = store.withTenant(A, async (txA) => {
      await where(txA);
      // It gets the only connection when A's transaction has timed out.
      await store.withTenant(B, async (txB) => {
        late.push(await txA.case.findMany().catch((error: unknown) => error));
        late.push(await where(txA).catch((error: unknown) => error));
        seen.push(...(await where(txB)));
      });
      late.push(await txA.case.updateMany({ data: { caseworker: 'late' } }).catch((error: unknown) => error));
    });

    await expect(a).rejects.toThrow();
    expect(late).toEqual([expect.any(Error), expect.any(Error), expect.any(Error)]);
    expect(seen).toEqual([{ municipality: B }]);
    expect([await caseworkerOf(A), await caseworkerOf(B)]).toEqual(['unchanged', 'unchanged']);
  });

  it('is refused over a plain connection that was kept too long', async () => {
    const kept: pg.PoolClient[] = [];
    await store.withTenantConnection(A, async (connection) => kept.push(connection));

    await store.withTenantConnection(B, async () => {
      await expect(kept[0]?.query(`UPDATE cases SET caseworker = 'late'`)).rejects.toThrow(StatementRefused);
    });

    expect([await caseworkerOf(A), await caseworkerOf(B)]).toEqual(['unchanged', 'unchanged']);
  });

  it('is refused when it was queued behind COMMIT', async () => {
    let late: Promise<unknown> | undefined;
    await store.withTenantConnection(A, async (connection) => {
      const query = connection.query.bind(connection);
      connection.query = ((text: string) => {
        const answer = query(text);
        if (text === 'COMMIT') late = query(`UPDATE cases SET caseworker = 'late'`).catch((error: unknown) => error);
        return answer;
      }) as typeof connection.query;
    });

    expect(await late).toBeInstanceOf(StatementRefused);
  });
});

describe('a transaction whose statement was not answered', () => {
  const ways: Record<string, (cvr: string, sql: readonly string[]) => Promise<unknown>> = {
    Prisma: (cvr, sql) =>
      store.withTenant(cvr, async (tx) => {
        for (const statement of sql) await tx.$executeRawUnsafe(statement);
      }),
    pg: (cvr, sql) =>
      store.withTenantConnection(cvr, async (connection) => {
        for (const statement of sql) await connection.query(statement);
      }),
  };

  for (const [first, runFirst] of Object.entries(ways)) {
    for (const [second, runSecond] of Object.entries(ways)) {
      it(`of ${first} is not committed by the next one, of ${second}`, async () => {
        const lock = new pg.Client({ connectionString: database.ownerUrl });
        await lock.connect();
        await lock.query('BEGIN; LOCK TABLE journalizations IN ACCESS EXCLUSIVE MODE');

        await expect(
          runFirst(A, [`UPDATE cases SET caseworker = 'of A'`, 'SELECT count(*) FROM journalizations']),
        ).rejects.toThrow();
        await runSecond(B, [`UPDATE cases SET caseworker = 'of B'`]);
        await lock.query('COMMIT');
        await lock.end();

        expect([await caseworkerOf(A), await caseworkerOf(B)]).toEqual(['unchanged', 'of B']);
      });
    }
  }
});

describe('a connection', () => {
  const open = () => new FencedPool({ connectionString: database.ownerUrl, max: 1 });
  const pidOf = async (connection: pg.PoolClient) => (await connection.query('SELECT pg_backend_pid() AS pid')).rows[0];

  it('is lent again after a transaction that ended', async () => {
    const pool = open();
    const first = await pool.connect();
    await first.query('BEGIN');
    const pid = await pidOf(first);
    await first.query('ROLLBACK');
    first.release();

    const second = await pool.connect();

    expect(await pidOf(second)).toEqual(pid);
    second.release();
    await pool.end();
  });

  it('refuses what follows a COMMIT that failed', async () => {
    const pool = open();
    const connection = await pool.connect();
    await connection.query('BEGIN; CREATE TEMP TABLE once (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)');
    await connection.query('INSERT INTO once VALUES (1), (1)');

    await expect(connection.query('COMMIT')).rejects.toThrow('duplicate key');

    await expect(connection.query('SELECT 1')).rejects.toThrow(StatementRefused);
    connection.release();
    await pool.end();
  });

  it('is closed when its transaction is still open', async () => {
    const pool = open();
    const first = await pool.connect();
    await first.query('BEGIN');
    const pid = await pidOf(first);
    first.release();

    const second = await pool.connect();

    expect(await pidOf(second)).not.toEqual(pid);
    second.release();
    await pool.end();
  });

  it('released a second time is not taken from its next user', async () => {
    const pool = open();
    const first = await pool.connect();
    first.release();
    const second = await pool.connect();
    first.release();

    let third: pg.PoolClient | undefined;
    const waiting = pool.connect().then((connection) => {
      third = connection;
    });
    await second.query('BEGIN');

    expect(third).toBeUndefined();
    await second.query('ROLLBACK');
    second.release();
    await waiting;
    third?.release();
    await pool.end();
  });
});
