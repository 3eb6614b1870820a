import { setImmediate as endOfTurn } from 'node:timers/promises';
import { type BatcherOptions, createBatcher } from '@indbakke/shared/batch';
import { describe, expect, it } from 'vitest';

interface Item {
  readonly to: string;
  readonly id: string;
}

const item = (to: string, id: string): Item => ({ to, id });

/** A batcher whose batches the test ends, by their number. */
function underControl(options: Partial<BatcherOptions<Item, string>> = {}) {
  const started: string[] = [];
  const ends: { done(): void; fail(error: Error): void }[] = [];
  const batcher = createBatcher<Item, string>({
    keyOf: ({ to }) => to,
    maxBatch: 10,
    concurrency: 1,
    run(key, items) {
      const ids = items.map(({ id }) => id);
      started.push(`${key}: ${ids.join(' ')}`);
      return new Promise((resolve, reject) => {
        ends.push({ done: () => resolve(ids.map((id) => `${id} done`)), fail: reject });
      });
    },
    ...options,
  });
  const end = async (batch: number) => {
    ends[batch]?.done();
    await endOfTurn();
    await endOfTurn();
  };
  const fail = async (batch: number, error: Error) => {
    ends[batch]?.fail(error);
    await endOfTurn();
    await endOfTurn();
  };
  return { add: batcher.add, flush: batcher.flush, started, end, fail };
}

describe('batcher', () => {
  it('starts a lone item at the end of the turn', async () => {
    const { add, started, end } = underControl();

    const answer = add(item('A', '1'));
    expect(started).toEqual([]);
    await endOfTurn();

    expect(started).toEqual(['A: 1']);
    await end(0);
    expect(await answer).toBe('1 done');
  });

  it('batches the items of one turn, and gives each its own result', async () => {
    const { add, started, end } = underControl();

    const answers = [add(item('A', '1')), add(item('A', '2'))];
    await Promise.resolve(); // still the same turn
    answers.push(add(item('A', '3')));
    await endOfTurn();
    await end(0);

    expect(started).toEqual(['A: 1 2 3']);
    expect(await Promise.all(answers)).toEqual(['1 done', '2 done', '3 done']);
  });

  it('collects items while a batch is in flight, and starts them as soon as it ends', async () => {
    const { add, started, end } = underControl();
    void add(item('A', '1'));
    await endOfTurn();
    void add(item('A', '2'));
    await endOfTurn();
    void add(item('A', '3'));
    await endOfTurn();
    expect(started).toEqual(['A: 1']);

    await end(0);

    expect(started).toEqual(['A: 1', 'A: 2 3']);
  });

  it('limits the batches in flight, of all keys together', async () => {
    const { add, started, end } = underControl({ concurrency: 2 });
    for (const to of ['A', 'B', 'C']) void add(item(to, '1'));
    await endOfTurn();
    expect(started).toEqual(['A: 1', 'B: 1']);

    await end(1);

    expect(started).toEqual(['A: 1', 'B: 1', 'C: 1']);
  });

  it('limits the size of a batch', async () => {
    const { add, started, end } = underControl({ maxBatch: 2 });
    for (const id of ['1', '2', '3']) void add(item('A', id));
    await endOfTurn();

    await end(0);

    expect(started).toEqual(['A: 1 2', 'A: 3']);
  });

  it('starts the key that has waited longest first', async () => {
    const { add, started, end } = underControl({ maxBatch: 2 });
    for (const id of ['1', '2', '3']) void add(item('A', id));
    void add(item('B', '4'));
    await endOfTurn();
    void add(item('A', '5'));

    await end(0);
    await end(1);

    expect(started).toEqual(['A: 1 2', 'A: 3 5', 'B: 4']);
  });

  it('lets no key starve another', async () => {
    const { add, started, end } = underControl({ maxBatch: 1 });
    void add(item('A', '1'));
    void add(item('B', '2'));
    await endOfTurn();
    for (const id of ['3', '4']) void add(item('A', id));

    await end(0);
    await end(1);

    expect(started).toEqual(['A: 1', 'B: 2', 'A: 3']);
  });

  it('puts conflicting items into separate batches', async () => {
    const { add, started, end } = underControl({ concurrency: 2, conflictOf: ({ id }) => id });
    void add(item('A', '1'));
    void add(item('A', '2'));
    const second = add(item('A', '1'));

    await endOfTurn();

    expect(started).toEqual(['A: 1 2', 'A: 1']);
    await end(1);
    expect(await second).toBe('1 done');
    await end(0);
  });

  it('runs the items of a failed batch one by one, and fails only the bad one', async () => {
    const runs: string[] = [];
    const { add } = createBatcher<Item, string>({
      keyOf: ({ to }) => to,
      maxBatch: 10,
      concurrency: 1,
      async run(_key, items) {
        const ids = items.map(({ id }) => id);
        runs.push(ids.join(' '));
        if (ids.includes('bad')) throw new Error('a bad item');
        return ids;
      },
    });

    const answers = await Promise.allSettled(['1', 'bad', '3'].map((id) => add(item('A', id))));

    expect(runs).toEqual(['1 bad 3', '1', 'bad', '3']);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(answers[1]).toMatchObject({ reason: new Error('a bad item') });
  });

  it('fails all items for a shared fault, and runs none again', async () => {
    const { add, started, fail } = underControl({ isSharedFault: () => true });
    const answers = Promise.allSettled([add(item('A', '1')), add(item('A', '2'))]);
    await endOfTurn();

    await fail(0, new Error('away'));

    expect(started).toEqual(['A: 1 2']);
    expect((await answers).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  it('fails the rest of a batch for a shared fault while it runs them one by one, and continues', async () => {
    const { add, started, end, fail } = underControl({ isSharedFault: ({ message }: Error) => message === 'away' });
    const answers = Promise.allSettled(['1', '2', '3', '4'].map((id) => add(item('A', id))));
    const last = add(item('B', '5'));
    await endOfTurn();

    await fail(0, new Error('a bad item'));
    await end(1);
    await fail(2, new Error('away'));
    await end(3);

    expect(started).toEqual(['A: 1 2 3 4', 'A: 1', 'A: 2', 'B: 5']);
    const away = { status: 'rejected', reason: new Error('away') };
    expect(await answers).toEqual([{ status: 'fulfilled', value: '1 done' }, away, away, away]);
    expect(await last).toBe('5 done');
  });

  it('starts no other batch while it runs one item by item, and then continues', async () => {
    const { add, started, end, fail } = underControl();
    void add(item('A', '1'));
    void add(item('A', '2'));
    const last = add(item('B', '3'));
    await endOfTurn();

    await fail(0, new Error('a bad item'));
    await end(1);
    await end(2);
    await end(3);

    expect(started).toEqual(['A: 1 2', 'A: 1', 'A: 2', 'B: 3']);
    expect(await last).toBe('3 done');
  });

  describe('with a pause', () => {
    const LONG = 3_600_000;

    const FIRST = 9;

    /** A batcher whose next batch waits for a pause. */
    async function paused(options: Partial<BatcherOptions<Item, string>>) {
      const { add, flush, started, end } = underControl(options);
      for (let n = 0; n < FIRST; n += 1) {
        void add(item('A', String(n)));
        await endOfTurn();
        await end(n);
      }
      expect(started).toHaveLength(FIRST);
      return { add, flush, end, next: () => started.slice(FIRST) };
    }

    it('begins a few batches without one, then collects items until it is flushed', async () => {
      const { add, flush, next, end } = await paused({ pauseMs: LONG });
      void add(item('A', '10'));
      await endOfTurn();
      const last = add(item('A', '11'));
      await endOfTurn();
      expect(next()).toEqual([]);

      const flushed = flush();
      await endOfTurn();
      await endOfTurn();
      expect(next()).toEqual(['A: 10 11']);
      await end(FIRST);
      await flushed;

      expect(await last).toBe('11 done');
    });

    it('continues after the pause', async () => {
      const { add, next, end } = await paused({ pauseMs: 1 });
      void add(item('A', '10'));

      await expect.poll(next).toEqual(['A: 10']);
      await end(FIRST);
    });

    it('does not pause while a full batch waits', async () => {
      const { add, started, end } = underControl({ pauseMs: LONG, maxBatch: 2 });
      for (let n = 0; n < FIRST; n += 1) {
        void add(item('A', String(n)));
        await endOfTurn();
        if (n === FIRST - 1) for (const id of ['10', '11']) void add(item('A', id));
        await end(n);
      }

      expect(started.slice(FIRST)).toEqual(['A: 10 11']);
    });
  });

  it('pauses once after many full batches, not once for each', async () => {
    const [batches, pauseMs] = [40, 50]; // together longer than the poll waits
    const { add, started, end } = underControl({ pauseMs, maxBatch: 1 });
    for (let n = 0; n <= batches; n += 1) void add(item('A', String(n)));
    await endOfTurn();
    for (let n = 0; n <= batches; n += 1) await end(n);
    expect(started).toHaveLength(batches + 1);

    void add(item('A', 'last'));

    await expect.poll(() => started.at(-1)).toBe('A: last');
  });

  it('fails when there are fewer results than items', async () => {
    const { add } = createBatcher<Item, string>({
      keyOf: ({ to }) => to,
      maxBatch: 10,
      concurrency: 1,
      run: async () => [],
    });

    await expect(add(item('A', '1'))).rejects.toThrow('1 items gave 0 results');
  });
});
