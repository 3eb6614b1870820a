import { expect, it } from 'vitest';
import { createLog } from '../../src/log/index.js';
import { repeat } from '../../src/service/index.js';

const NEVER_MS = 2 ** 30;
const log = createLog('repeat', 'silent');

/** A repetition whose runs end when they are told to. */
function controlled(firstMs = NEVER_MS) {
  const ends: (() => void)[] = [];
  const work = repeat('test', NEVER_MS, log, () => new Promise<void>((resolve) => ends.push(resolve)), firstMs);
  return { work, runs: () => ends.length, end: () => ends.at(-1)?.() };
}

it('runs at once when it is woken', async () => {
  const { work, runs, end } = controlled();
  work.start();
  work.wake();
  expect(runs()).toBe(1);
  end();
  await work.stop();
});

it('runs once more when it was woken during a run, however often', async () => {
  const { work, runs, end } = controlled();
  work.start();
  for (let n = 0; n < 5; n += 1) work.wake();
  expect(runs()).toBe(1);
  end();
  await expect.poll(runs).toBe(2);
  end();
  await work.stop();
  expect(runs()).toBe(2);
});

it('is not woken before the start or after the stop', async () => {
  const { work, runs, end } = controlled();
  work.wake();
  expect(runs()).toBe(0);
  work.start();
  work.wake();
  work.wake();
  const stopped = work.stop();
  end();
  await stopped;
  work.wake();
  expect(runs()).toBe(1);
});
