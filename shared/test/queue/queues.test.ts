import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestDatabase } from '../../../infra/src/testkit/database.js';
import { HAS_REDIS, startTestRedis } from '../../../infra/src/testkit/redis.js';
import type { Log, LogFields } from '../../src/log/index.js';
import {
  createSuggestCaseEnqueuer,
  openQueues,
  type QueueDefinition,
  type Queues,
  SUGGEST_CASE,
} from '../../src/queue/index.js';
import { layLine } from '../service/line.js';

// What the services rely on, the same for both backends. Redis is tested where redis-server is installed.

interface Backend {
  readonly url: string;
  close(): Promise<void>;
}

async function postgres(): Promise<Backend> {
  const database = await createTestDatabase();
  return { url: database.url, close: () => database.drop() };
}

interface Data {
  readonly n: number;
}

const quickly = (name: string): QueueDefinition<Data> => ({ name, job: 'count', attempts: 3, backoffMs: 1 });

/** Resolves with what a worker was given, once it is `count` jobs. */
function collect(queues: Queues, definition: QueueDefinition<Data>, count: number, concurrency = 1): Promise<number[]> {
  const seen: number[] = [];
  return new Promise((resolve) => {
    queues.work(definition, concurrency, async ({ n }) => {
      if (seen.push(n) === count) resolve(seen);
    });
  });
}

/** A promise to be resolved from elsewhere. */
function signal(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

const settled = (queues: Queues, name: string, state: 'completed' | 'failed') => async () => {
  const queue = queues.list().find((each) => each.name === name);
  return (await queue?.getJobCounts(state))?.[state];
};

describe.each([
  ['PostgreSQL', true, postgres],
  ['Redis', HAS_REDIS, startTestRedis],
])('a queue on %s', (_name, here, start) => {
  let backend: Backend;
  let queues: Queues;
  let lines: { event: string; fields: LogFields | undefined }[];
  let definition: QueueDefinition<Data>;

  beforeAll(async () => {
    if (here) backend = await start();
  });

  afterAll(() => backend?.close());

  const open = () => {
    const write = (event: string, fields?: LogFields) => lines.push({ event, fields });
    return openQueues({
      url: backend.url,
      log: { info: write, warn: write, error: write, debug: write } satisfies Log,
    });
  };

  beforeEach(() => {
    if (!here) return;
    lines = [];
    queues = open();
    definition = quickly(`q-${randomBytes(4).toString('hex')}`);
  });

  afterEach(() => queues?.close());

  const test = it.skipIf(!here);

  test('answers whether it is there', async () => {
    const answer = () =>
      queues.check().then(
        () => 'there',
        () => 'not yet',
      );
    await expect.poll(answer).toBe('there');
  });

  test('takes jobs at once, before anyone has asked whether it is there', async () => {
    await queues.add(definition, [{ id: 'first', data: { n: 1 } }]);
    expect(await collect(queues, definition, 1)).toEqual([1]);
  });

  test('gives each of many jobs to one worker, in order', async () => {
    const jobs = Array.from({ length: 300 }, (_, n) => ({ id: `job-${n}`, data: { n } }));
    await queues.add(definition, jobs);
    expect(await collect(queues, definition, 300)).toEqual(jobs.map(({ data }) => data.n));
    await expect.poll(settled(queues, definition.name, 'completed')).toBe(300);
  });

  test('takes a job of one id once, also while it is kept after it was done', async () => {
    const job = { id: 'same', data: { n: 1 } };
    await queues.add(definition, [job, job]);
    await queues.add(definition, [job]);
    const worked = collect(queues, definition, 2);
    await expect.poll(settled(queues, definition.name, 'completed')).toBe(1);
    await queues.add(definition, [job, { id: 'other', data: { n: 2 } }]);
    expect(await worked).toEqual([1, 2]);
  });

  test('tries a job that fails again, and gives up in the end', async () => {
    const seen: number[] = [];
    queues.work(definition, 1, async ({ n }) => {
      seen.push(n);
      if (n === 2 || seen.length < 2) throw new Error('personal: 4101019999');
    });
    await queues.add(definition, [
      { id: 'once', data: { n: 1 } },
      { id: 'ever', data: { n: 2 } },
    ]);
    await expect.poll(settled(queues, definition.name, 'failed'), { timeout: 5_000 }).toBe(1);
    await expect.poll(settled(queues, definition.name, 'completed')).toBe(1);
    expect(seen.toSorted()).toEqual([1, 1, 2, 2, 2]);
    const failures = lines.filter(({ event }) => event === 'job-failed');
    expect(failures.map(({ fields }) => [fields?.jobId, fields?.attempt]).toSorted()).toEqual([
      ['ever', 1],
      ['ever', 2],
      ['ever', 3],
      ['once', 1],
    ]);
    expect(JSON.stringify(lines)).not.toContain('4101019999');
  });

  test('works as many side by side as it is told to, and no more', async () => {
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
    await queues.add(
      definition,
      Array.from({ length: 12 }, (_, n) => ({ id: `job-${n}`, data: { n } })),
    );
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
    await queues.add(
      definition,
      [1, 2].map((n) => ({ id: `job-${n}`, data: { n } })),
    );
    await begun.promise;
    const closed = queues.close();
    gate.resolve();
    await closed;
    expect(finished).toEqual([1]);

    queues = open();
    expect(await collect(queues, definition, 1)).toEqual([2]);
  });

  test('closes at once when there was nothing to do', async () => {
    const idle = open();
    await idle.close();
    const waiting = open();
    waiting.work(definition, 2, async () => {});
    await waiting.close();
  });

  test('takes the jobs of the enqueuer in bulk, each once', async () => {
    const enqueuer = createSuggestCaseEnqueuer(queues, { info() {}, warn() {}, error() {}, debug() {} });
    const messageId = randomUUID();
    for (let round = 1; round <= 1_200; round++) enqueuer.enqueue({ messageId, municipality: '22222222', round });
    enqueuer.enqueue({ messageId, municipality: '22222222', round: 1 });
    await enqueuer.flush();
    const queue = queues.list().find(({ name }) => name === SUGGEST_CASE.name);
    expect(await queue?.getJobCounts('waiting')).toEqual({ waiting: 1_200 });
    const job = await queue?.getJob(`${messageId}-7`);
    expect(job?.data).toEqual({ messageId, municipality: '22222222', round: 7 });
  });

  test('that is away at the start is worked once it is there, and stops nobody else meanwhile', async () => {
    const line = await layLine(backend.url);
    const write = (event: string, fields?: LogFields) => lines.push({ event, fields });
    const log = { info: write, warn: write, error: write, debug: write };
    const early = openQueues({ url: line.url, log });
    const worked = collect(early, definition, 1);
    await line.cut(); // in the middle of the first connection
    await expect(early.check()).rejects.toThrow();
    await line.mend();
    await queues.add(definition, [{ id: 'late', data: { n: 1 } }]);
    expect(await worked).toEqual([1]);
    await early.add(definition, [{ id: 'later', data: { n: 2 } }]);
    await early.close();
    await line.cut();
  });
});

describe('the enqueuer', () => {
  it('never fails its caller: what the queue does not take is left to the sweep', async () => {
    const lines: LogFields[] = [];
    const log = {
      info() {},
      warn: (_event: string, fields?: LogFields) => lines.push(fields ?? {}),
      error() {},
      debug() {},
    };
    const queues = { add: () => Promise.reject(new Error('away: 4101019999')) } as unknown as Queues;
    const enqueuer = createSuggestCaseEnqueuer(queues, log);
    enqueuer.enqueue({ messageId: randomUUID(), municipality: '22222222', round: 1 });
    await enqueuer.flush();
    expect(lines).toMatchObject([{ queue: 'suggest-case', jobs: 1 }]);
    expect(JSON.stringify(lines)).not.toContain('4101019999');
    await enqueuer.flush();
  });
});
