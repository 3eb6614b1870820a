import type { Connection, Prisma, Store } from '@indbakke/shared/store';

/** A statement as it is written: with $1 … for its values. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

type Change = (statement: Statement) => string;

/**
 * The same store, whose statements are seen, and may be written anew, before PostgreSQL gets them. The values stay, and so
 * does the municipality that each transaction is bound to.
 */
export function watchStatements(store: Store, change: Change): Store {
  const watch =
    (query: Store['query']): Store['query'] =>
    (municipality, { text, values }, plan) =>
      query(municipality, sqlOf(change({ text, values }), values), plan);
  return {
    ...store,
    query: watch(store.query),
    reading: (work) => store.reading((reader) => work({ ...reader, query: watch(reader.query) })),
    withTenantConnection: (municipality, work) =>
      store.withTenantConnection(municipality, (connection) => work(watchConnection(connection, change))),
  };
}

/** What a service knows a statement by; its pieces are what stands between the values, in order. */
function sqlOf(text: string, values: readonly unknown[]): Prisma.Sql {
  const order = [...text.matchAll(/\$(\d+)/g)].map(([, n]) => Number(n) - 1);
  const strings = text.split(/\$\d+/);
  return { text, strings, values: order.map((n) => values[n]) } as unknown as Prisma.Sql;
}

function watchConnection(connection: Connection, change: Change): Connection {
  const query = (statement: string | { name?: string; text: string; values?: unknown[] }) => {
    if (typeof statement === 'string') return connection.query(statement);
    const { name, text: before, values = [] } = statement;
    const text = change({ text: before, values });
    // A name means one text.
    return connection.query({
      ...statement,
      text,
      ...(name && text !== before && { name: `other_${name}`.slice(0, 63) }),
    });
  };
  return new Proxy(connection, {
    get: (target, key) => (key === 'query' ? query : Reflect.get(target, key, target)),
  });
}
