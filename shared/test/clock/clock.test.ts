import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { createTestDatabase, type TestDatabase } from '../../../infra/src/testkit/database.js';
import { clockAheadMs, currentTime, hearClock } from '../../src/clock/index.js';
import { HOUR, MINUTE, SECOND } from '../../src/config/index.js';
import { createLog } from '../../src/log/index.js';
import { openQueues } from '../../src/queue/index.js';
import { openStore } from '../../src/store/index.js';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.drop());

afterEach(() => {
  vi.useRealTimers();
  const now = Date.now();
  hearClock({ clock: now, asked: now, answered: now });
});

/** Has the clock of this process be wrong by so much. */
function goWrong(byMs: number): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + byMs });
}

const realTime = () => performance.timeOrigin + performance.now();

describe('the clock of the installation', () => {
  it('is that of the process while the two may be the same', () => {
    hearClock({ clock: 1_000, asked: 900, answered: 1_100 });
    expect(clockAheadMs()).toBe(0);
  });

  it.each([
    ['ahead of', 8_000, 7_000],
    ['behind', -8_000, -8_000],
  ])('is corrected by what is sure when that of the database is %s it', (_, offset, ahead) => {
    hearClock({ clock: 10_000 + offset, asked: 10_000, answered: 11_000 });
    expect(clockAheadMs()).toBe(ahead);
  });

  it.each([
    ['ahead', HOUR],
    ['behind', -HOUR],
  ])('is that of the database from the first statement on, with a process an hour %s', async (_, byMs) => {
    goWrong(byMs);
    const store = openStore({ url: database.url, connections: 1, name: 'clock' });
    await store.sweep('SELECT 1');
    expect(Math.abs(currentTime().getTime() - realTime())).toBeLessThan(MINUTE);
    await store.close();
  });

  it('is heard again when the database is asked whether it is ready', async () => {
    const store = openStore({ url: database.url, connections: 1, name: 'clock' });
    await store.check();
    goWrong(HOUR);
    await store.check();
    expect(Math.abs(currentTime().getTime() - realTime())).toBeLessThan(MINUTE);
    await store.close();
  });
});

describe('the lock of a job', () => {
  const job = {
    name: 'suggest-case',
    data: z.object({ n: z.int() }),
    idOf: ({ n }: { n: number }) => `job-${n}`,
    attempts: 1,
    backoffMs: 1,
    deadlineMs: MINUTE,
  } as const;

  it('ends by the clock of the installation, so that a copy with another clock does not take the job', async () => {
    hearClock({ clock: Date.now() + HOUR, asked: Date.now(), answered: Date.now() });
    const queues = openQueues({ url: database.url, log: createLog('clock', 'silent') });
    queues.enqueue(job, { n: 1 });
    const endsIn = await new Promise<number>((resolve) => {
      queues.work(job, 1, async () => {
        const [row] = await database.sql<{ until: string }>(
          `SELECT locked_until_ms AS until FROM bullmq.job WHERE id = 'job-1'`,
        );
        resolve(Number(row?.until) - Date.now());
      });
    });
    await queues.close();
    expect(endsIn).toBeGreaterThan(HOUR);
    expect(endsIn).toBeLessThan(HOUR + 30 * SECOND);
  });
});
