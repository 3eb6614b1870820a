import type { Parts } from '@indbakke/shared/service';
import type { Connection } from '@indbakke/shared/store';

/** Faults of the change feed and the webhooks that can be put into the services, to check that the comparison finds them. */
export const FEED_FAULTS = {
  'event-dropped': 'the feed leaves out the event at one position',
  'events-swapped': 'the changes of a message get their positions in reverse order',
  'delivery-skipped': 'of each batch of events the first one has no delivery',
} as const;

export type FeedFault = keyof typeof FEED_FAULTS;

const DROPPED = '20';

/** @throws Error when the code does not have the place any more that a fault changes */
export function withFeedFault(parts: Parts, fault: FeedFault): Parts {
  const { store } = parts;
  if (fault === 'event-dropped') {
    const query: typeof store.query = async <Row extends object>(...request: Parameters<typeof store.query>) => {
      const rows = await store.query<Row & { position?: string; head?: string }>(...request);
      return rows.filter(({ position, head }) => head === undefined || position !== DROPPED);
    };
    return { ...parts, store: { ...store, query } };
  }
  if (fault === 'events-swapped') {
    const sweepTogether: typeof store.sweepTogether = (first, work) =>
      store.sweepTogether(first, (connection, rows) => work(inReverse(connection), rows as never));
    return { ...parts, store: { ...store, sweepTogether } };
  }
  const sweep: typeof store.sweep = (sql, values) =>
    store.sweep(
      sql.includes('INSERT INTO webhook_deliveries')
        ? changed(sql, 'e.position > b.position ', 'e.position > b.position + 1 ')
        : sql,
      values,
    );
  return { ...parts, store: { ...store, sweep } };
}

function inReverse(connection: Connection): Connection {
  const query = (statement: { name?: string; text: string }) =>
    connection.query(
      statement.name === 'number-events'
        ? {
            ...statement,
            text: changed(
              statement.text,
              'ORDER BY at, message_id, version) AS position',
              'ORDER BY at DESC, message_id, version DESC) AS position',
            ),
          }
        : statement,
    );
  return new Proxy(connection, { get: (target, name) => (name === 'query' ? query : Reflect.get(target, name)) });
}

function changed(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`The statement does not have "${from}" any more.`);
  return text.replace(from, to);
}
