import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HAS_PGBOUNCER, type PgBouncer, startPgBouncer } from '../../../infra/src/testkit/pgbouncer.js';
import { ODENSKOV, startTestStack, type TestStack, VESTERSUND } from '../../../infra/src/testkit/stack.js';
import { writeMemo } from '../../../infra/src/testkit/write-memo.js';
import { openStore, type Store } from '../../src/store/index.js';
import { awaitSuggestion, deliverMemo, registerSentMessage } from '../inbox/support.js';

// @module-tag long

async function startBehind(settings: Readonly<Record<string, string | number>>) {
  let pooler: PgBouncer | undefined;
  const stack = await startTestStack(async ({ serviceUrl }) => {
    pooler = await startPgBouncer(serviceUrl, settings);
    return { DATABASE_URL: pooler.url };
  });
  const close = async () => {
    await stack.close();
    await pooler?.close();
  };
  return { stack, url: (pooler as unknown as PgBouncer).url, close };
}

const readiness = async ({ url }: TestStack) => {
  const response = await fetch(`${url}/readyz`);
  return { status: response.status, parts: (await response.json()) as Record<string, string> };
};

describe.runIf(HAS_PGBOUNCER)('behind PgBouncer in session mode', () => {
  let behind: Awaited<ReturnType<typeof startBehind>>;

  beforeAll(async () => {
    behind = await startBehind({ pool_mode: 'session', default_pool_size: 50 });
  });
  afterAll(() => behind.close());

  it('every part is ready', async () => {
    const { status, parts } = await readiness(behind.stack);
    expect(parts).toMatchObject({ status: 'ready', database: 'ready', queue: 'ready' });
    expect(status).toBe(200);
  });

  it('a reply is received, and gets its suggestion', async () => {
    const { stack } = behind;
    const sent = randomUUID();
    await registerSentMessage(stack, sent, { caseId: 'K-1' });
    await awaitSuggestion(
      stack,
      await deliverMemo(stack, { replyData: [{ messageUUID: randomUUID(), replyUUID: sent }] }),
    );
  });

  it.each([
    ['a wrong password', { password: 'wrong' }, 'login-refused'],
    ['a database that does not exist', { pathname: '/nowhere' }, 'database-missing'],
  ] as const)('%s is reported', async (_, change, reason) => {
    const url = Object.assign(new URL(behind.url), change);
    const store = openStore({ url: url.href, connections: 2, name: 'pooler' });
    await expect(store.check()).rejects.toMatchObject({ reason });
    await store.close();
  });
});

describe.runIf(HAS_PGBOUNCER)('behind PgBouncer with fewer servers than connections', () => {
  it('that no connection is free is reported', async () => {
    const behind = await startBehind({ pool_mode: 'session', default_pool_size: 1, query_wait_timeout: 1 });
    const { status, parts } = await readiness(behind.stack);
    expect([status, parts.database]).toEqual([503, 'no-connection-free']);
    await behind.close();
  });
});

describe.runIf(HAS_PGBOUNCER).each([0, 1])(
  'behind PgBouncer in transaction mode, server_round_robin = %i',
  (roundRobin) => {
    let behind: Awaited<ReturnType<typeof startBehind>>;
    let store: Store;

    beforeAll(async () => {
      behind = await startBehind({ pool_mode: 'transaction', server_round_robin: roundRobin });
      store = openStore({ url: behind.url, connections: 4, name: 'pooler' });
    });
    afterAll(async () => {
      await store.close();
      await behind.close();
    });

    it('database and queue say so, every time', async () => {
      const expected = {
        status: 503,
        parts: expect.objectContaining({
          database: 'pooler-in-transaction-mode',
          queue: 'pooler-in-transaction-mode',
        }),
      };
      await expect.poll(() => readiness(behind.stack)).toEqual(expected);
      for (let n = 0; n < 10; n += 1) expect(await readiness(behind.stack)).toEqual(expected);
    });

    it('no letter is refused for good', async () => {
      for (let n = 0; n < 10; n += 1) expect((await behind.stack.deliver(writeMemo())).status).toBeOneOf([200, 503]);
    });

    it('each transaction still has its own role and municipality', async () => {
      const who = `SELECT current_user::text AS role, coalesce(current_setting('indbakke.municipality', true), '') AS municipality`;
      const asked = Array.from({ length: 100 }, async (_, n) => {
        if (n % 3 === 0) return [await store.sweep(who), { role: 'indbakke_worker', municipality: '' }] as const;
        const cvr = n % 2 ? ODENSKOV : VESTERSUND;
        const rows = await store.withTenantConnection(cvr, async (connection) => (await connection.query(who)).rows);
        return [rows, { role: 'indbakke_app', municipality: cvr }] as const;
      });
      for (const [rows, expected] of await Promise.all(asked)) expect(rows).toEqual([expected]);
    });
  },
);
