import { setTimeout as pause } from 'node:timers/promises';
import { Problem } from '@indbakke/shared/errors';
import type { Parts } from '@indbakke/shared/service';
import { CommitInDoubt, type Connection } from '@indbakke/shared/store';
import type pg from 'pg';

/** Faults that can be put into the parts of the services, to check that the harness finds them. */
export const FAULTS = {
  'answer-before-commit': 'the receipt is sent before COMMIT',
  'sweep-dropped': 'the queue loses its jobs and no sweep restores them',
  'doubt-denied': 'a COMMIT without an answer is told as not done',
  'key-forgotten': 'a change does not remember its Idempotency-Key',
  'check-then-insert': 'checks whether the message exists and then inserts it, without lock or unique index',
} as const;

export type Fault = keyof typeof FAULTS;

export function withFault(parts: Parts, fault: Fault, service?: 'receiver'): Parts {
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
  if (fault === 'doubt-denied') {
    if (service === 'receiver') return parts; // which tells every sender to send again
    const withTenantConnection: typeof store.withTenantConnection = (municipality, work) =>
      store.withTenantConnection(municipality, work).catch((error: unknown) => {
        throw error instanceof CommitInDoubt
          ? new Problem('unavailable', 'Nothing was done.', { cause: error })
          : error;
      });
    return { ...parts, store: { ...store, withTenantConnection } };
  }
  const change = fault === 'key-forgotten' ? withoutKeys : withoutLock;
  const withTenantConnection: typeof store.withTenantConnection = (municipality, work) =>
    store.withTenantConnection(municipality, (connection) => work(change(connection)));
  return { ...parts, store: { ...store, withTenantConnection } };
}

const COMMIT_DELAY_MS = 40;

/** Claims every key, and stores none. */
function withoutKeys(connection: Connection): Connection {
  return withQuery(connection, ({ text }) => (text.includes('idempotency_keys') ? [{}] : undefined));
}

/** Skips the lock that makes concurrent copies of a message wait for each other. */
function withoutLock(connection: Connection): Connection {
  return withQuery(connection, ({ name }) => (name === 'lock-ids' ? [{ at: new Date() }] : undefined));
}

/** A connection some of whose statements are not sent, but answered with these rows. */
function withQuery(connection: Connection, rowsOf: (statement: pg.QueryConfig) => object[] | undefined): Connection {
  const query = (statement: pg.QueryConfig | string, ...values: unknown[][]): unknown => {
    const rows = typeof statement === 'string' ? undefined : rowsOf(statement);
    return rows ? Promise.resolve({ rows }) : connection.query(statement as pg.QueryConfig, ...values);
  };
  return new Proxy(connection, { get: (target, name) => (name === 'query' ? query : Reflect.get(target, name)) });
}
