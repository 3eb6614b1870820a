import { afterAll, beforeAll, expect, it } from 'vitest';
import { FAULTS } from '../src/lab/simulator/faults.js';
import { Simulator } from '../src/lab/simulator/simulator.js';
import { startTestStack, type TestStack } from '../src/testkit/stack.js';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack.close());

it('plays', async () => {
  const warnings: string[] = [];
  process.on('warning', (w) => warnings.push(String(w)));
  const s = await Simulator.start({
    url: stack.url,
    municipalities: ['22222222', '33333333'],
    rate: 20,
    seed: 1,
    limit: 60,
    isFlat: true,
    faults: FAULTS.filter(({ needs }) => !needs).map(({ name }) => name),
    faultAttempts: 1,
    stopSeconds: 30,
    inbox: { url: stack.url, token: (municipality) => stack.token({ municipality }) },
  });
  await s.begun;
  const report = await s.stop();
  console.log(JSON.stringify(report, null, 1), warnings);
  expect(report.isGood).toBe(true);
});
