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
/** Columns of the table: DATABASE_CONNECTIONS, sweeps, LISTEN, scrub, ledger, queue. */
const [STORE, SWEEPS, LISTEN, , , QUEUE] = [0, 1, 2, 3, 4, 5] as const;

const HOLD_S = 2;

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

async function connections(): Promise<number> {
  const count = `SELECT count(*)::int AS count FROM pg_stat_activity
    WHERE datname = current_database() AND usename = 'indbakke_service'`;
  const [row] = await setup.sql<{ count: number }>(count);
  return row?.count ?? 0;
}

/** Occupies every connection that the pools of a process may have. */
function occupy({ store, queues }: Parts): Promise<unknown> {
  const hold = `SELECT pg_sleep(${HOLD_S})`;
  return Promise.all([
    ...Array.from({ length: 30 }, () =>
      store.withTenantConnection('22222222', (connection) => connection.query(hold)).catch(() => {}),
    ),
    ...Array.from({ length: 5 }, () => store.sweep(hold).catch(() => {})),
    ...queues.all().flatMap((queue) => Array.from({ length: 3 }, () => queue.getJobCounts())),
  ]);
}

describe('connections to PostgreSQL', { tags: 'long' }, () => {
  it.each(ROWS)('$service has the most that the table says, and no more', async ({ service, parts, most }) => {
    expect(parts.reduce((sum, part) => sum + part, 0)).toBe(most);
    const config = readConfig(StackConfig, { ...setup.env, LEDGER_URL: undefined });
    let opened: Parts | undefined;
    const running = await serve(config, service, [
      (own) => {
        opened = own;
        return (createEach(config)[service] as CreateService)(own, async () => {
          throw new Error('Nobody asks.');
        });
      },
    ]);
    const steady = (parts[STORE] ?? 0) + (parts[SWEEPS] ?? 0) + (parts[LISTEN] ?? 0);
    const occupied = occupy(opened as Parts);
    let highest = 0;
    await expect
      .poll(async () => {
        highest = Math.max(highest, await connections());
        return highest;
      })
      .toBeGreaterThan(steady + 4);
    await occupied;
    expect(highest).toBeLessThanOrEqual(most);
    expect(highest).toBeGreaterThanOrEqual(steady);
    expect(parts[QUEUE]).toBe(12);
    await running.close();
    await expect.poll(connections).toBe(0);
  });

  it('the table has every service', () => {
    expect(ROWS.map(({ service }) => service)).toEqual(['receiver', 'journaler', 'archiver', 'operations']);
  });
});
