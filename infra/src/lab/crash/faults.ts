import { setTimeout as pause } from 'node:timers/promises';
import type { Parts } from '@indbakke/shared/service';
import type pg from 'pg';

/** What is broken on purpose, in the parts that the services get, to see that the harness finds it. */
export const FAULTS = {
  'answer-before-commit': 'the receipt is given before COMMIT is sent',
  'sweep-dropped': 'the queue loses its jobs and no sweep brings them again',
  'check-then-insert': 'looks whether the message is here and then inserts it, without a lock or the unique index',
} as const;

export type Fault = keyof typeof FAULTS;

export function withFault(parts: Parts, fault: Fault): Parts {
  const { store, queues } = parts;
  if (fault === 'answer-before-commit') {
    const withTenantConnection: typeof store.withTenantConnection = (municipality, work) =>
      new Promise((resolve, reject) => {
        store
          .withTenantConnection(municipality, async (connection) => {
            resolve(await work(connection));
            await pause(COMMIT_DELAY_MS);
          })
          .catch(reject);
      });
    return { ...parts, store: { ...store, withTenantConnection } };
  }
  if (fault === 'sweep-dropped') {
    return {
      ...parts,
      queues: { ...queues, enqueue: () => {} },
      store: {
        ...store,
        sweep: async (sql, values) => (sql.includes('suggestion_run_at IS NULL') ? [] : store.sweep(sql, values)),
      },
    };
  }
  const withTenantConnection: typeof store.withTenantConnection = (municipality, work) =>
    store.withTenantConnection(municipality, (connection) => work(withoutLock(connection)));
  return { ...parts, store: { ...store, withTenantConnection } };
}

const COMMIT_DELAY_MS = 40;

/** Nothing holds two copies of a message apart, which look at the same time. */
function withoutLock(connection: pg.PoolClient): pg.PoolClient {
  const query = (statement: pg.QueryConfig, ...values: unknown[][]): unknown =>
    statement.name === 'lock-ids' ? Promise.resolve({ rows: [] }) : connection.query(statement, ...values);
  return new Proxy(connection, { get: (target, name) => (name === 'query' ? query : Reflect.get(target, name)) });
}
