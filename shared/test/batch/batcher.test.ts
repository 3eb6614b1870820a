import { setImmediate as endOfTurn } from 'node:timers/promises';
import { createGrouper, type GrouperOptions } from '@indbakke/shared/batch';
import { describe, expect, it } from 'vitest';

interface Letter {
  readonly to: string;
  readonly id: string;
}

const letter = (to: string, id: string): Letter => ({ to, id });

/** A grouper whose groups end when the test says so, by their number. */
function underControl(options: Partial<GrouperOptions<Letter, string>> = {}) {
  const started: string[] = [];
  const ends: { done(): void; fail(error: Error): void }[] = [];
  const grouper = createGrouper<Letter, string>({
    keyOf: ({ to }) => to,
    maxGroup: 10,
    sideBySide: 1,
    run(key, items) {
      const ids = items.map(({ id }) => id);
      started.push(`${key}: ${ids.join(' ')}`);
      return new Promise((resolve, reject) => {
        ends.push({ done: () => resolve(ids.map((id) => `${id} done`)), fail: reject });
      });
    },
    ...options,
  });
  const end = async (group: number) => {
    ends[group]?.done();
    await endOfTurn();
    await endOfTurn();
  };
  const fail = async (group: number, error: Error) => {
    ends[group]?.fail(error);
    await endOfTurn();
    await endOfTurn();
  };
  return { add: grouper.add, started, end, fail };
}

describe('grouper', () => {
  it('starts a lone item at the end of the turn', async () => {
    const { add, started, end } = underControl();

    const answer = add(letter('A', '1'));
    expect(started).toEqual([]);
    await endOfTurn();

    expect(started).toEqual(['A: 1']);
    await end(0);
    expect(await answer).toBe('1 done');
  });

  it('puts together what comes in one turn, and gives each its own result', async () => {
    const { add, started, end } = underControl();

    const answers = [add(letter('A', '1')), add(letter('A', '2'))];
    await Promise.resolve(); // still the same turn
    answers.push(add(letter('A', '3')));
    await endOfTurn();
    await end(0);

    expect(started).toEqual(['A: 1 2 3']);
    expect(await Promise.all(answers)).toEqual(['1 done', '2 done', '3 done']);
  });

  it('gathers while a group is under way, and starts what waits as soon as it ends', async () => {
    const { add, started, end } = underControl();
    void add(letter('A', '1'));
    await endOfTurn();
    void add(letter('A', '2'));
    await endOfTurn();
    void add(letter('A', '3'));
    await endOfTurn();
    expect(started).toEqual(['A: 1']);

    await end(0);

    expect(started).toEqual(['A: 1', 'A: 2 3']);
  });

  it('has no more groups under way than it may, of any key', async () => {
    const { add, started, end } = underControl({ sideBySide: 2 });
    for (const to of ['A', 'B', 'C']) void add(letter(to, '1'));
    await endOfTurn();
    expect(started).toEqual(['A: 1', 'B: 1']);

    await end(1);

    expect(started).toEqual(['A: 1', 'B: 1', 'C: 1']);
  });

  it('never makes a group larger than it may be', async () => {
    const { add, started, end } = underControl({ maxGroup: 2 });
    for (const id of ['1', '2', '3']) void add(letter('A', id));
    await endOfTurn();

    await end(0);

    expect(started).toEqual(['A: 1 2', 'A: 3']);
  });

  it('takes the key that has waited longest first', async () => {
    const { add, started, end } = underControl({ maxGroup: 2 });
    for (const id of ['1', '2', '3']) void add(letter('A', id));
    void add(letter('B', '4'));
    await endOfTurn();
    void add(letter('A', '5'));

    await end(0);
    await end(1);

    expect(started).toEqual(['A: 1 2', 'A: 3 5', 'B: 4']);
  });

  it('lets no key keep another waiting for ever', async () => {
    const { add, started, end } = underControl({ maxGroup: 1 });
    void add(letter('A', '1'));
    void add(letter('B', '2'));
    await endOfTurn();
    for (const id of ['3', '4']) void add(letter('A', id));

    await end(0);
    await end(1);

    expect(started).toEqual(['A: 1', 'B: 2', 'A: 3']);
  });

  it('puts items that conflict into groups of their own', async () => {
    const { add, started, end } = underControl({ sideBySide: 2, conflictOf: ({ id }) => id });
    void add(letter('A', '1'));
    void add(letter('A', '2'));
    const second = add(letter('A', '1'));

    await endOfTurn();

    expect(started).toEqual(['A: 1 2', 'A: 1']);
    await end(1);
    expect(await second).toBe('1 done');
    await end(0);
  });

  it('runs a group that fails one by one, and fails only the item whose fault it is', async () => {
    const runs: string[] = [];
    const { add } = createGrouper<Letter, string>({
      keyOf: ({ to }) => to,
      maxGroup: 10,
      sideBySide: 1,
      async run(_key, items) {
        const ids = items.map(({ id }) => id);
        runs.push(ids.join(' '));
        if (ids.includes('bad')) throw new Error('a bad letter');
        return ids;
      },
    });

    const answers = await Promise.allSettled(['1', 'bad', '3'].map((id) => add(letter('A', id))));

    expect(runs).toEqual(['1 bad 3', '1', 'bad', '3']);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(answers[1]).toMatchObject({ reason: new Error('a bad letter') });
  });

  it('tells all of a fault that they share, and runs none of them again', async () => {
    const { add, started, fail } = underControl({ isSharedFault: () => true });
    const answers = Promise.allSettled([add(letter('A', '1')), add(letter('A', '2'))]);
    await endOfTurn();

    await fail(0, new Error('away'));

    expect(started).toEqual(['A: 1 2']);
    expect((await answers).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  it('tells the rest of a group that it runs one by one of a fault that they share, and goes on', async () => {
    const { add, started, end, fail } = underControl({ isSharedFault: ({ message }: Error) => message === 'away' });
    const answers = Promise.allSettled(['1', '2', '3', '4'].map((id) => add(letter('A', id))));
    const last = add(letter('B', '5'));
    await endOfTurn();

    await fail(0, new Error('a bad letter'));
    await end(1);
    await fail(2, new Error('away'));
    await end(3);

    expect(started).toEqual(['A: 1 2 3 4', 'A: 1', 'A: 2', 'B: 5']);
    const away = { status: 'rejected', reason: new Error('away') };
    expect(await answers).toEqual([{ status: 'fulfilled', value: '1 done' }, away, away, away]);
    expect(await last).toBe('5 done');
  });

  it('keeps others waiting while it runs a group one by one, and then goes on', async () => {
    const { add, started, end, fail } = underControl();
    void add(letter('A', '1'));
    void add(letter('A', '2'));
    const last = add(letter('B', '3'));
    await endOfTurn();

    await fail(0, new Error('a bad letter'));
    await end(1);
    await end(2);
    await end(3);

    expect(started).toEqual(['A: 1 2', 'A: 1', 'A: 2', 'B: 3']);
    expect(await last).toBe('3 done');
  });

  it('fails, and does not answer with nothing, when there are fewer results than items', async () => {
    const { add } = createGrouper<Letter, string>({
      keyOf: ({ to }) => to,
      maxGroup: 10,
      sideBySide: 1,
      run: async () => [],
    });

    await expect(add(letter('A', '1'))).rejects.toThrow('1 items gave 0 results');
  });
});
