import { randomInt, randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../infra/src/testkit/database.js';
import { type Relay, startRelay } from '../../../infra/src/testkit/relay.js';
import { StatementRefused } from '../../src/store/failures.js';
import { FencedPool } from '../../src/store/fence.js';
import { CommitInDoubt, isStoreUnavailable, openStore, type Store } from '../../src/store/index.js';

const A = '22222222';
const B = '33333333';
const TIMEOUT_MS = 1_000;

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  for (const cvr of [A, B]) {
    await database.sql('INSERT INTO municipalities (cvr, name) VALUES ($1, $1)', [cvr]);
  }
});

afterAll(() => database.drop());

type Send = (sql: string) => Promise<Record<string, unknown>[]>;
type Run = (store: Store, cvr: string, work: (send: Send) => Promise<unknown>) => Promise<unknown>;

/** The two ways to a transaction. */
const WAYS: Record<string, Run> = {
  // async, as Prisma sends nothing before it is awaited
  Prisma: (store, cvr, work) => store.withTenant(cvr, (tx) => work(async (sql) => tx.$queryRawUnsafe(sql))),
  pg: (store, cvr, work) =>
    store.withTenantConnection(cvr, (connection) => work(async (sql) => (await connection.query(sql)).rows)),
};
const EACH_WAY = Object.entries(WAYS);

/** A store with one connection, so that each transaction gets that of the one before. */
async function withStore(work: (store: Store) => Promise<void>, url = database.url): Promise<void> {
  const store = openStore({ url, connections: 1, name: 'fence', timeoutMs: TIMEOUT_MS });
  await work(store).finally(() => store.close());
}

async function withRelay(work: (store: Store, relay: Relay) => Promise<void>): Promise<void> {
  const relay = await startRelay(database.url);
  await withStore((store) => work(store, relay), relay.url).finally(() => relay.close());
}

/** A case of the same id in both municipalities, which a transaction changes. */
async function newCase() {
  const id = randomUUID();
  await database.sql(
    `INSERT INTO cases (municipality, case_id, caseworker) SELECT cvr, $1, 'unchanged' FROM municipalities`,
    [id],
  );
  return {
    setTo: (caseworker: string) => `UPDATE cases SET caseworker = '${caseworker}' WHERE case_id = '${id}'`,
    async caseworkerOf(cvr: string) {
      const of = 'SELECT caseworker FROM cases WHERE municipality = $1 AND case_id = $2';
      return (await database.sql(of, [cvr, id]))[0]?.caseworker;
    },
  };
}

type Case = Awaited<ReturnType<typeof newCase>>;

const caught = (attempt: Promise<unknown>): Promise<unknown> =>
  attempt.then(
    () => 'done',
    (error: unknown) => error,
  );

/** Told to the caller: whether it may be done, and whether to try again. */
const toldOf = (error: unknown) => ({
  inDoubt: error instanceof CommitInDoubt,
  unavailable: isStoreUnavailable(error),
});

/** The other municipality’s transaction works, and is all that it commits. */
async function expectNextToBeItsOwn(store: Store, run: Run, { setTo, caseworkerOf }: Case): Promise<void> {
  const ofA = await caseworkerOf(A);
  await run(store, B, (send) => send(setTo('of B')));
  expect([await caseworkerOf(A), await caseworkerOf(B)]).toEqual([ofA, 'of B']);
}

const pidOf = async (send: Send) => Number((await send('SELECT pg_backend_pid() AS pid'))[0]?.pid);

const waitsForLock = (pid: number) =>
  vi.waitFor(async () => {
    const of = 'SELECT wait_event_type FROM pg_stat_activity WHERE pid = $1';
    expect(await database.sql(of, [pid])).toEqual([{ wait_event_type: 'Lock' }]);
  });

const isGone = (pid: number) =>
  vi.waitFor(async () => {
    expect(await database.sql('SELECT FROM pg_stat_activity WHERE pid = $1', [pid])).toEqual([]);
  });

/** @param work gets the call that waits until the work is done */
async function whileLocked(work: (call: string) => Promise<void>): Promise<void> {
  const call = `pg_advisory_xact_lock(${randomInt(1_000_000)})`;
  const lock = new pg.Client({ connectionString: database.ownerUrl });
  await lock.connect();
  await lock.query(`BEGIN; SELECT ${call}`);
  await work(call).finally(() => lock.end());
}

/** Makes COMMIT do this first, by a trigger that is deferred. */
async function atCommit(send: Send, statement: string): Promise<void> {
  await send('CREATE TEMP TABLE at_commit (n int) ON COMMIT DROP');
  await send(`CREATE FUNCTION pg_temp.at_commit() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN ${statement}; RETURN NULL; END'`);
  await send(`CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON at_commit DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION pg_temp.at_commit()`);
  await send('INSERT INTO at_commit VALUES (1)');
}

describe('a statement after the end of its transaction', () => {
  it('is refused when the transaction timed out and another municipality has its connection', () =>
    withStore(async (store) => {
      const late: unknown[] = [];
      const seen: unknown[] = [];
      const where = `SELECT current_setting('indbakke.municipality', true) AS municipality`;
      const { setTo, caseworkerOf } = await newCase();

      const a = store.withTenant(A, async (txA) => {
        await txA.$queryRawUnsafe(where);
        // It gets the only connection when A's transaction has timed out.
        await store.withTenant(B, async (txB) => {
          late.push(await caught(txA.case.findMany()));
          late.push(await caught(txA.$queryRawUnsafe(where)));
          seen.push(...((await txB.$queryRawUnsafe(where)) as unknown[]));
        });
        late.push(await caught(txA.$executeRawUnsafe(setTo('late'))));
      });

      await expect(a).rejects.toThrow();
      await expect.poll(() => late).toEqual([expect.any(Error), expect.any(Error), expect.any(Error)]); // its work goes on
      expect(seen).toEqual([{ municipality: B }]);
      expect([await caseworkerOf(A), await caseworkerOf(B)]).toEqual(['unchanged', 'unchanged']);
    }));

  it('is refused over a plain connection that was kept too long', () =>
    withStore(async (store) => {
      const kept: pg.PoolClient[] = [];
      const { setTo, caseworkerOf } = await newCase();
      await store.withTenantConnection(A, async (connection) => kept.push(connection));

      await store.withTenantConnection(B, async () => {
        await expect(kept[0]?.query(setTo('late'))).rejects.toThrow(StatementRefused);
      });

      expect([await caseworkerOf(A), await caseworkerOf(B)]).toEqual(['unchanged', 'unchanged']);
    }));

  it('is refused when it was queued behind COMMIT', () =>
    withStore(async (store) => {
      let late: Promise<unknown> | undefined;
      await store.withTenantConnection(A, async (connection) => {
        const query = connection.query.bind(connection);
        connection.query = ((text: string) => {
          const answer = query(text);
          if (text === 'COMMIT') late = caught(query('SELECT 1'));
          return answer;
        }) as typeof connection.query;
      });

      expect(await late).toBeInstanceOf(StatementRefused);
    }));
});

describe.concurrent.each(EACH_WAY)('a transaction over %s whose statement takes too long', (_way, run) => {
  it.each(EACH_WAY)('is not committed by the next one, over %s', (_next, runNext) =>
    withStore((store) =>
      whileLocked(async (lock) => {
        const row = await newCase();

        const error = await caught(
          run(store, A, async (send) => {
            await send(row.setTo('of A'));
            await send(`SELECT ${lock}::text`);
          }),
        );

        expect(toldOf(error)).toEqual({ inDoubt: false, unavailable: true });
        await expectNextToBeItsOwn(store, runNext, row);
        expect(await row.caseworkerOf(A)).toBe('unchanged');
      }),
    ),
  );

  it('is not committed when its work ignores that', () =>
    withStore((store) =>
      whileLocked(async (lock) => {
        const row = await newCase();

        const ignoring = run(store, A, async (send) => {
          await send(row.setTo('of A'));
          await caught(send(`SELECT ${lock}::text`));
        });

        await expect(ignoring).rejects.toThrow();
        expect(await row.caseworkerOf(A)).toBe('unchanged');
      }),
    ));

  it('gives its connection back, as PostgreSQL ends the statement before we do', () =>
    withStore((store) =>
      whileLocked(async (lock) => {
        let pid: number | undefined;
        await caught(
          run(store, A, async (send) => {
            pid = await pidOf(send);
            await send(`SELECT ${lock}::text`);
          }),
        );

        await run(store, A, async (send) => expect(await pidOf(send)).toBe(pid));
      }),
    ));
});

describe.concurrent.each(EACH_WAY)('a transaction over %s', (_way, run) => {
  it('is refused when its work ignores that a statement failed', () =>
    withStore(async (store) => {
      const row = await newCase();

      const ignoring = run(store, A, async (send) => {
        await send(row.setTo('of A'));
        await caught(send('SELECT 1 / 0'));
      });

      await expect(ignoring).rejects.toThrow('the failure of a statement was ignored');
      expect(await row.caseworkerOf(A)).toBe('unchanged');
    }));

  it('whose COMMIT PostgreSQL refuses is not in doubt', () =>
    withStore(async (store) => {
      const error = await caught(run(store, A, (send) => atCommit(send, 'PERFORM 1 / 0')));

      expect(error).toBeInstanceOf(Error);
      expect(toldOf(error)).toEqual({ inDoubt: false, unavailable: false });
    }));

  it('whose connection PostgreSQL ends in COMMIT is in doubt', () =>
    withStore((store) =>
      whileLocked(async (lock) => {
        const row = await newCase();

        const refused = run(store, A, async (send) => {
          const pid = await pidOf(send);
          await send(row.setTo('of A'));
          await atCommit(send, `PERFORM ${lock}`);
          void waitsForLock(pid).then(() => database.sql('SELECT pg_terminate_backend($1)', [pid]));
        });

        expect(toldOf(await caught(refused))).toEqual({ inDoubt: true, unavailable: true });
        await expectNextToBeItsOwn(store, run, row);
      }),
    ));

  it('that PostgreSQL ended because it was idle is not in doubt', () =>
    withStore(async (store) => {
      const row = await newCase();

      const idle = run(store, A, async (send) => {
        const pid = await pidOf(send);
        await send(row.setTo('of A'));
        await send(`SET LOCAL idle_in_transaction_session_timeout = 1`);
        await isGone(pid);
      });

      expect(toldOf(await caught(idle))).toEqual({ inDoubt: false, unavailable: true });
      await expectNextToBeItsOwn(store, run, row);
      expect(await row.caseworkerOf(A)).toBe('unchanged');
    }));
});

describe.concurrent.each(EACH_WAY)('a transaction over %s whose connection fails', (_way, run) => {
  const places = [
    { at: 'BEGIN', when: 'after', inDoubt: false, left: 'unchanged' },
    { at: 'UPDATE', when: 'before', inDoubt: false, left: 'unchanged' },
    { at: 'UPDATE', when: 'after', inDoubt: false, left: 'unchanged' },
    { at: 'COMMIT', when: 'before', inDoubt: true, left: 'unchanged' },
    { at: 'COMMIT', when: 'after', inDoubt: true, left: 'of A' },
  ] as const;
  const failures = (['reset', 'silence'] as const).flatMap((how) => places.map((place) => ({ ...place, how })));

  it.each(failures)('by $how $when $at: in doubt is $inDoubt', ({ at, when, how, inDoubt, left }) =>
    withRelay(async (store, relay) => {
      const row = await newCase();
      relay.failAt(at, { when, how });

      const error = await caught(run(store, A, (send) => send(row.setTo('of A'))));

      expect(toldOf(error)).toEqual({ inDoubt, unavailable: true });
      await expectNextToBeItsOwn(store, run, row);
      expect(await row.caseworkerOf(A)).toBe(left);
    }),
  );

  it('by silence at ROLLBACK throws what its work threw', () =>
    withRelay(async (store, relay) => {
      const row = await newCase();
      relay.failAt('ROLLBACK', { when: 'before', how: 'silence' });

      const refused = run(store, A, async (send) => {
        await send(row.setTo('of A'));
        throw new Error('as the work says');
      });

      await expect(refused).rejects.toThrow('as the work says');
      await expectNextToBeItsOwn(store, run, row);
      expect(await row.caseworkerOf(A)).toBe('unchanged');
    }));
});

// In a lock or idle, so that nothing else waits for it.
describe.each(EACH_WAY)('when the process of a connection stops in a transaction over %s', (_way, run) => {
  it('in a statement, nothing is committed, then or when it goes on', () =>
    withStore(async (store) => {
      const row = await newCase();
      let pid = 0;
      await whileLocked(async (lock) => {
        const refused = run(store, A, async (send) => {
          pid = await pidOf(send);
          await send('SET LOCAL statement_timeout = 0');
          await send(row.setTo('of A'));
          const answer = send(`SELECT ${lock}::text`);
          await waitsForLock(pid).then(() => process.kill(pid, 'SIGSTOP'));
          await answer;
        });

        expect(toldOf(await caught(refused))).toEqual({ inDoubt: false, unavailable: true });
        await expectNextToBeItsOwn(store, run, row);
      }).finally(() => process.kill(pid, 'SIGCONT'));
      await isGone(pid);
      expect(await row.caseworkerOf(A)).toBe('unchanged');
    }));

  it('before COMMIT, it is in doubt: PostgreSQL commits when it goes on', () =>
    withStore(async (store) => {
      const row = await newCase();
      let pid = 0;
      const refused = run(store, A, async (send) => {
        pid = await pidOf(send);
        await send(row.setTo('of A'));
        process.kill(pid, 'SIGSTOP');
      });

      expect(toldOf(await caught(refused))).toEqual({ inDoubt: true, unavailable: true });
      await expectNextToBeItsOwn(store, run, row).finally(() => process.kill(pid, 'SIGCONT'));
      await vi.waitFor(async () => expect(await row.caseworkerOf(A)).toBe('of A'));
    }));
});

it('a sweep that is not answered fails, and the next one has another connection', () =>
  withRelay(async (store, relay) => {
    relay.failAt('of a sweep', { when: 'after', how: 'silence' });

    const error = await caught(store.sweep(`SELECT 'of a sweep'`));

    expect(toldOf(error)).toEqual({ inDoubt: false, unavailable: true });
    expect(await store.sweep('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  }));

describe('a connection', () => {
  const open = () => new FencedPool({ connectionString: database.ownerUrl, max: 1, query_timeout: TIMEOUT_MS });
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
