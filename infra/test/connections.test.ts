import { readFileSync } from 'node:fs';
import { createArchiver } from '@indbakke/archiver';
import { createJournaler } from '@indbakke/journaler';
import { createOperations } from '@indbakke/operations';
import { createReceiver } from '@indbakke/receiver';
import { readConfig } from '@indbakke/shared/config';
import { type CreateService, type Parts, serve } from '@indbakke/shared/service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StackConfig } from '../src/local/services.js';
import { type Setup, setUp } from '../src/testkit/stack.js';

/** A row of the table in docs/postgresql.md. */
interface Row {
  readonly service: string;
  readonly most: number;
  readonly parts: readonly number[];
}

const docs = readFileSync(new URL('../../docs/postgresql.md', import.meta.url), 'utf8');
const ROWS: readonly Row[] = [...docs.matchAll(/^\| (receiver|journaler|archiver|operations) \|(.+)\|$/gm)].map(
  ([, service = '', cells = '']) => {
    const numbers = cells.split('|').map((cell) => Number(cell.trim() || 0));
    return { service, parts: numbers.slice(0, -1), most: numbers.at(-1) ?? 0 };
  },
);
// Columns of the table. Scrub and ledger connect at night.
const [STORE, SWEEPS, LISTEN, QUEUE] = [0, 1, 2, 5] as const;

let setup: Setup;
beforeAll(async () => {
  setup = await setUp();
});
afterAll(() => setup.close());

const createEach = (config: StackConfig): Readonly<Record<string, CreateService>> => ({
  receiver: (parts) => createReceiver(parts, config),
  journaler: (parts) => createJournaler(parts, config),
  archiver: (parts) => createArchiver(parts, config),
  operations: createOperations(config),
});

/** Of a store, with sweeps and LISTEN; and of the queues, which have no name. */
async function connections(service: string): Promise<{ store: number; queue: number }> {
  const [row] = await setup.sql<{ store: number; queue: number }>(
    `SELECT count(*) FILTER (WHERE application_name = $1)::int AS store, count(*) FILTER (WHERE application_name = '')::int AS queue
     FROM pg_stat_activity WHERE datname = current_database() AND usename = 'indbakke_service'`,
    [service],
  );
  return row ?? { store: 0, queue: 0 };
}

/** Wants one connection more than the pools of a process may have, and holds each for a second. */
function occupy({ store, queues }: Parts, { parts }: Row): Promise<unknown> {
  const hold = 'SELECT pg_sleep(1)';
  const times = (pool: number | undefined, work: () => Promise<unknown>) =>
    Array.from({ length: (pool ?? 0) + 1 }, () => work());
  return Promise.all([
    ...times(parts[STORE], () => store.withTenantConnection('22222222', (connection) => connection.query(hold))),
    ...times(parts[SWEEPS], () => store.sweep(hold)),
    ...queues.all().flatMap((queue) => times(3, () => queue.getJobCounts())),
  ]);
}

describe('connections to PostgreSQL', { tags: 'long' }, () => {
  it.each(ROWS)('$service has the most that the table says, and no more', async (row) => {
    const { service, parts, most } = row;
    expect(parts.reduce((sum, part) => sum + part, 0)).toBe(most);
    const config = readConfig(StackConfig, setup.env);
    let opened: Parts | undefined;
    const running = await serve(config, service, [
      (own, askParts) => {
        opened = own;
        return (createEach(config)[service] as CreateService)(own, askParts);
      },
    ]);
    const highest = { store: 0, queue: 0 };
    let isOccupied = true;
    const occupied = occupy(opened as Parts, row).finally(() => {
      isOccupied = false;
    });
    while (isOccupied) {
      const now = await connections(service);
      highest.store = Math.max(highest.store, now.store);
      highest.queue = Math.max(highest.queue, now.queue);
    }
    await occupied;
    expect(highest.store).toBe((parts[STORE] ?? 0) + (parts[SWEEPS] ?? 0) + (parts[LISTEN] ?? 0));
    expect(highest.queue).toBeGreaterThan(0);
    expect(highest.queue).toBeLessThanOrEqual(parts[QUEUE] ?? 0);
    await running.close();
    await expect.poll(() => connections(service)).toEqual({ store: 0, queue: 0 });
  });

  it('the table has every service', () => {
    expect(ROWS.map(({ service }) => service)).toEqual(['receiver', 'journaler', 'archiver', 'operations']);
  });
});
