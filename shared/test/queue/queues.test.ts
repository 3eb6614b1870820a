import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createTestDatabase, type TestDatabase } from '../../../infra/src/testkit/database.js';
import { QUEUE_PLACES, serversOf } from '../../../infra/src/testkit/queue-places.js';
import { HAS_REDIS, type OwnRedis, type QueuePlace, startOwnRedis } from '../../../infra/src/testkit/redis.js';
import { currentCorrelationId, type Log, type LogFields, withCorrelation } from '../../src/log/index.js';
import { type JobDefinition, openQueues, type Queues, UnrecoverableError } from '../../src/queue/index.js';
import { layLine } from '../service/line.js';

// What the services rely on, wherever the queue is. Redis is tested where redis-server is installed.

const Data = z.object({ n: z.int().min(0) });
type Data = z.infer<typeof Data>;

const quickly = (name: string): JobDefinition<Data, string> => ({
  name,
  data: Data,
  idOf: ({ n }) => `job-${n}`,
  attempts: 3,
  backoffMs: 1,
  deadlineMs: 60_000,
});

async function add(queues: Queues, definition: JobDefinition<Data, string>, ...numbers: number[]): Promise<void> {
  for (const n of numbers) queues.enqueue(definition, { n });
  await queues.flush();
}

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n);

/** Resolves with the first `count` jobs that a worker gets. */
function collect(
  queues: Queues,
  definition: JobDefinition<Data, string>,
  count: number,
  concurrency = 1,
): Promise<number[]> {
  const seen: number[] = [];
  return new Promise((resolve) => {
    queues.work(definition, concurrency, async ({ n }) => {
      if (seen.push(n) === count) resolve(seen);
    });
  });
}

/** A promise that the test resolves. */
function signal(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

const queueOf = (queues: Queues, { name }: JobDefinition<Data, string>) =>
  queues.list().find((queue) => queue.name === name);

const settled = (queues: Queues, definition: JobDefinition<Data, string>, state: 'completed' | 'failed') => async () =>
  (await queueOf(queues, definition)?.getJobCounts(state))?.[state];

describe.each(QUEUE_PLACES)('a queue on %s', (_name, here, start) => {
  let place: QueuePlace;
  let queues: Queues;
  /** The events that were logged, each with its correlation id. */
  let correlated: [string | undefined, string][];
  let lines: { event: string; fields: LogFields | undefined }[];
  let definition: JobDefinition<Data, string>;

  beforeAll(async () => {
    if (here) place = await start();
  });

  afterAll(() => place?.close());

  const open = async (env = place.env) => {
    const write = (event: string, fields?: LogFields) => {
      lines.push({ event, fields });
      correlated.push([currentCorrelationId(), event]);
    };
    const log = { info: write, warn: write, error: write, debug: write } satisfies Log;
    return openQueues({ ...(await serversOf(env)), log });
  };

  const failures = () =>
    lines
      .filter(({ event }) => event === 'job-failed')
      .map(({ fields }) => [fields?.jobId, fields?.attempt, fields?.givenUp]);

  beforeEach(async () => {
    if (!here) return;
    lines = [];
    correlated = [];
    queues = await open();
    definition = quickly(`q-${randomBytes(4).toString('hex')}`);
  });

  afterEach(() => queues?.close());

  const test = it.skipIf(!here);

  test('can be checked', async () => {
    const answer = () =>
      queues.check().then(
        () => 'ready',
        () => 'not ready',
      );
    await expect.poll(answer).toBe('ready');
  });

  test('takes jobs at once, before it was checked', async () => {
    await add(queues, definition, 1);
    expect(await collect(queues, definition, 1)).toEqual([1]);
  });

  test('gives each of many jobs to one worker, in order', async () => {
    await add(queues, definition, ...upTo(300));
    expect(await collect(queues, definition, 300)).toEqual(upTo(300));
    await expect.poll(settled(queues, definition, 'completed')).toBe(100); // the others are not kept
  });

  test('takes a job with the same id once, even while it is kept as completed', async () => {
    await add(queues, definition, 1, 1);
    await add(queues, definition, 1);
    const worked = collect(queues, definition, 2);
    await expect.poll(settled(queues, definition, 'completed')).toBe(1);
    await add(queues, definition, 1, 2);
    expect(await worked).toEqual([1, 2]);
  });

  test('retries a job that fails, and gives it up after the last attempt', async () => {
    const seen: string[] = [];
    queues.work(definition, 1, async ({ n }, { attempt }) => {
      seen.push(`job-${n}: ${attempt}`);
      if (n === 2 || attempt === 1) throw new Error('personal: 4101019999');
    });
    await add(queues, definition, 1, 2);
    await expect.poll(settled(queues, definition, 'failed'), { timeout: 5_000 }).toBe(1);
    await expect.poll(settled(queues, definition, 'completed')).toBe(1);
    expect(seen.toSorted()).toEqual(['job-1: 1', 'job-1: 2', 'job-2: 1', 'job-2: 2', 'job-2: 3']);
    await expect
      .poll(() => failures().toSorted())
      .toEqual([
        ['job-1', 1, false],
        ['job-2', 1, false],
        ['job-2', 2, false],
        ['job-2', 3, true],
      ]);
    const job = await queueOf(queues, definition)?.getJob('job-2');
    expect(job?.failedReason).toBe('Error');
    expect(JSON.stringify([lines, job])).not.toContain('4101019999');
  });

  test('gives up a job at once for an UnrecoverableError, and keeps only its code', async () => {
    queues.work(definition, 1, async () => {
      throw new UnrecoverableError('no-such-file', { cause: new Error('personal: 4101019999') });
    });
    await add(queues, definition, 1);
    await expect.poll(settled(queues, definition, 'failed')).toBe(1);
    await expect.poll(failures).toEqual([['job-1', 1, true]]);
    expect(lines).toContainEqual({
      event: 'job-failed',
      fields: expect.objectContaining({ errorCode: 'no-such-file' }),
    });
    const job = await queueOf(queues, definition)?.getJob('job-1');
    expect(job?.failedReason).toBe('no-such-file');
    expect(JSON.stringify([lines, job])).not.toContain('4101019999');
  });

  test('gives up a job with invalid data, without calling its handler', async () => {
    const worked = collect(queues, definition, 1);
    await add(queues, definition, -1, 2);
    expect(await worked).toEqual([2]);
    await expect.poll(failures).toEqual([['job--1', 1, true]]);
    expect((await queueOf(queues, definition)?.getJob('job--1'))?.failedReason).toBe('job-data');
  });

  test('shows the progress of a job', async () => {
    const gate = signal();
    queues.work(definition, 1, async (_data, { progress }) => {
      await progress({ done: 2, of: 3 });
      await gate.promise;
      await progress(1);
    });
    await add(queues, definition, 1);
    const progress = async () => (await queueOf(queues, definition)?.getJob('job-1'))?.progress;
    await expect.poll(progress).toEqual({ done: 2, of: 3 });
    gate.resolve();
    await expect.poll(progress).toBe(1);
  });

  test('aborts the signal of a job in flight when it is closed, and leaves the job to others', async () => {
    const begun = signal();
    queues.work(definition, 1, async (_data, { signal }) => {
      begun.resolve();
      await once(signal, 'abort');
      signal.throwIfAborted();
    });
    await add(queues, definition, 1);
    await begun.promise;
    await queues.close();
    expect(failures()).toEqual([['job-1', 1, false]]);

    queues = await open();
    expect(await collect(queues, definition, 1)).toEqual([1]);
  });

  test('logs a job that passes its deadline, and aborts its signal', async () => {
    const hasty = { ...definition, deadlineMs: 1 };
    queues.work(hasty, 1, async (_data, { signal }) => {
      if (!signal.aborted) await once(signal, 'abort');
    });
    await add(queues, hasty, 1);
    await expect.poll(settled(queues, hasty, 'completed')).toBe(1);
    const fields = { queue: hasty.name, jobId: 'job-1', attempt: 1 };
    expect(lines.filter(({ event }) => event !== 'job-done')).toEqual([{ event: 'job-overdue', fields }]);
  });

  test('runs a job, and logs its failure, under the correlation id of what enqueued it', async () => {
    const correlationId = randomUUID();
    const ran: (string | undefined)[] = [];
    queues.work(definition, 1, async (_data, { attempt }) => {
      ran.push(currentCorrelationId());
      if (attempt < 3) throw new Error('again');
    });
    withCorrelation(correlationId, () => queues.enqueue(definition, { n: 1 }));
    await expect.poll(settled(queues, definition, 'completed')).toBe(1);
    expect(ran).toEqual([correlationId, correlationId, correlationId]);
    const logged = () => correlated.filter(([id]) => id === correlationId).map(([, event]) => event);
    expect(logged().sort()).toEqual(['job-done', 'job-failed', 'job-failed']);
  });

  test('runs as many jobs concurrently as allowed, and no more', async () => {
    let [now, most] = [0, 0];
    const gate = signal();
    const done = signal();
    let finished = 0;
    queues.work(definition, 4, async () => {
      most = Math.max(most, ++now);
      if (now === 4) gate.resolve();
      await gate.promise;
      now -= 1;
      if (++finished === 12) done.resolve();
    });
    await add(queues, definition, ...upTo(12));
    expect(lines.filter(({ event }) => event === 'enqueue-failed')).toEqual([]); // nobody adds them again here
    await done.promise;
    expect(most).toBe(4);
  });

  test('finishes what is in flight when it is closed, and leaves the rest to others', async () => {
    const begun = signal();
    const gate = signal();
    const finished: number[] = [];
    queues.work(definition, 1, async ({ n }) => {
      begun.resolve();
      await gate.promise;
      finished.push(n);
    });
    await add(queues, definition, 1, 2);
    await begun.promise;
    const closed = queues.close();
    gate.resolve();
    await closed;
    expect(finished).toEqual([1]);

    queues = await open();
    expect(await collect(queues, definition, 1)).toEqual([2]);
  });

  test('closes at once when there was nothing to do', async () => {
    const idle = await open();
    await idle.close();
    const waiting = await open();
    waiting.work(definition, 2, async () => {});
    await waiting.close();
  });

  test('adds what is enqueued in bulk, each job once', async () => {
    await add(queues, definition, ...upTo(1_200), 7);
    const queue = queueOf(queues, definition);
    expect(await queue?.getJobCounts('waiting')).toEqual({ waiting: 1_200 });
    expect((await queue?.getJob('job-7'))?.data).toEqual({ n: 7 });
  });

  test('adds what was enqueued before it closes', async () => {
    for (const n of upTo(3)) queues.enqueue(definition, { n });
    await queues.close();
    queues = await open();
    expect(await collect(queues, definition, 3)).toEqual([0, 1, 2]);
  });

  test('that is away at the start is worked once it is back, and blocks nothing meanwhile', async () => {
    const line = await layLine(place.firstUrl);
    const early = await open(place.via(line.url));
    const worked = collect(early, definition, 1);
    await line.cut(); // in the middle of the first connection
    await expect(early.check()).rejects.toThrow();
    await line.restore();
    await add(queues, definition, 1);
    expect(await worked).toEqual([1]);
    await add(early, definition, 2);
    await early.close();
    await line.cut();
  });

  test('that is away makes no caller fail: a sweep enqueues the jobs again', async () => {
    const line = await layLine(place.firstUrl);
    await line.cut();
    queues = await open(place.via(line.url));
    await add(queues, definition, 1, 2);
    expect(lines).toContainEqual({
      event: 'enqueue-failed',
      fields: expect.objectContaining({ queue: definition.name, jobs: 2 }),
    });
  });
});

type Logged = [event: string, fields: LogFields | undefined][];

async function openLogged(url: string): Promise<{ queues: Queues; logged: Logged }> {
  const logged: Logged = [];
  const write = (event: string, fields?: LogFields) => void logged.push([event, fields]);
  const log = { info: write, warn: write, error: write, debug: write } satisfies Log;
  return { queues: openQueues({ ...(await serversOf({ QUEUE_URL: url })), log }), logged };
}

describe('on PostgreSQL,', () => {
  let database: TestDatabase;
  let queues: Queues;
  let logged: Logged;
  const definition = quickly('q-postgres');

  beforeEach(async () => {
    database = await createTestDatabase();
    ({ queues, logged } = await openLogged(database.url));
  });
  afterEach(async () => {
    await queues.close();
    await database.drop();
  });

  it('of a few jobs that are added, the log counts those that were not', async () => {
    queues.enqueue(definition, { n: 1 });
    queues.enqueue(definition, { n: 2 });
    queues.enqueue(definition, { n: 3 }, '\0'); // which jsonb cannot have
    queues.enqueue(definition, { n: 4 });
    await queues.flush();
    expect(logged).toEqual([['enqueue-failed', expect.objectContaining({ queue: definition.name, jobs: 2 })]]);
    expect(await queueOf(queues, definition)?.getJobCounts('waiting')).toEqual({ waiting: 2 });
  });

  it('a job that cannot be noted as done for a deadlock is noted again, and not run again', async () => {
    await add(queues, definition, 1, 2);
    const done = collect(queues, definition, 3);
    await expect.poll(settled(queues, definition, 'completed')).toBe(2);
    // So old that the next job that ends removes both. Another locks them too, the other way round.
    await database.sql('UPDATE bullmq.job SET finished_at_ms = 1');
    const old = `SELECT id FROM bullmq.job WHERE queue = '${definition.name}' AND state = 'completed' AND finished_at_ms <= 2`;
    const [first, second] = (await database.sql<{ id: string }>(old)).map(({ id }) => id);
    const lock = (id: string | undefined) => `SELECT FROM bullmq.job WHERE id = '${id}' FOR UPDATE`;
    const other = new pg.Client({ connectionString: database.ownerUrl });
    await other.connect();
    await other.query(`SET deadlock_timeout = '30s'`); // so that it is not the one that fails
    await other.query(`BEGIN; ${lock(second)}`);
    await add(queues, definition, 3);
    const waiting = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`;
    await expect.poll(async () => (await database.sql(waiting)).length, { interval: 5 }).toBe(1);
    await expect(database.sql(`${lock(first)} NOWAIT`)).rejects.toMatchObject({ code: '55P03' });
    await other.query(lock(first)); // waits until the queue's statement has failed
    await other.query('COMMIT');
    await other.end();
    await expect.poll(settled(queues, definition, 'completed')).toBe(1);
    expect(await done).toEqual([1, 2, 3]);
    expect(logged.filter(([event]) => event !== 'job-done')).toEqual([]);
    expect(logged).toHaveLength(3);
  });
});

describe.runIf(HAS_REDIS)('on Redis,', () => {
  let redis: OwnRedis;
  beforeAll(async () => {
    redis = await startOwnRedis();
  });
  afterAll(() => redis?.close());

  it('a few jobs are added in one round trip', async () => {
    const sent: string[] = [];
    const relay = createServer((near) => {
      const far = connect(redis.port, '127.0.0.1');
      near.on('data', (bytes) => void sent.push(bytes.toString('latin1')));
      near.pipe(far).pipe(near);
    }).listen(0, '127.0.0.1');
    await once(relay, 'listening');
    const { queues } = await openLogged(`redis://127.0.0.1:${(relay.address() as AddressInfo).port}`);
    await add(queues, quickly('q-redis'), 0); // takes the script there
    await add(queues, quickly('q-redis'), 1, 2, 3);
    expect(sent.filter((bytes) => /job-[123]/.test(bytes))).toHaveLength(1);
    await queues.close();
    relay.close();
  });
});
