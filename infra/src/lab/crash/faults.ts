import { setTimeout as pause } from 'node:timers/promises';
import type { Parts } from '@indbakke/shared/service';
import type pg from 'pg';

/** What is broken on purpose, in the parts that the services get, to see that the harness finds it. */
export const FAULTS = {
  'answer-before-commit': 'the receipt is given before COMMIT is sent',
  'sweep-dropped': 'the queue loses its jobs and no sweep brings them again',
  'check-then-insert': 'looks whether the message is here and then inserts it, without the unique index',
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
      queues: { ...queues, add: async () => {} },
      store: {
        ...store,
        sweep: async (sql, values) => (sql.includes('looked_at IS NULL') ? [] : store.sweep(sql, values)),
      },
    };
  }
  const withTenantConnection: typeof store.withTenantConnection = (municipality, work) =>
    store.withTenantConnection(municipality, (connection) => work(checkingThenInserting(connection)));
  return { ...parts, store: { ...store, withTenantConnection } };
}

const COMMIT_DELAY_MS = 40;
const ON_CONFLICT = /ON CONFLICT \([^)]*\) DO NOTHING/;

/** Without the lock, and with a look instead of ON CONFLICT. */
function checkingThenInserting(connection: pg.PoolClient): pg.PoolClient {
  const query = async (statement: pg.QueryConfig): Promise<unknown> => {
    if (statement.name === 'lock-ids') return { rows: [] };
    if (statement.name !== 'insert-messages') return connection.query(statement);
    if (!ON_CONFLICT.test(statement.text)) throw new Error('The statement that stores messages has changed.');
    const [municipality, messages, ...rest] = statement.values as [string, string, ...unknown[]];
    const given = JSON.parse(messages) as { external_id: string }[];
    const { rows } = await connection.query<{ external_id: string }>(
      'SELECT external_id FROM messages WHERE municipality = $1 AND external_id = ANY($2)',
      [municipality, given.map(({ external_id }) => external_id)],
    );
    const here = new Set(rows.map(({ external_id }) => external_id));
    return connection.query({
      text: statement.text.replace(ON_CONFLICT, ''),
      values: [municipality, JSON.stringify(given.filter(({ external_id }) => !here.has(external_id))), ...rest],
    });
  };
  return new Proxy(connection, { get: (target, name) => (name === 'query' ? query : Reflect.get(target, name)) });
}
