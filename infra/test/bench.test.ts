import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

// The build: npm test builds first.
const BENCH = fileURLToPath(new URL('../dist/lab/bench/main.js', import.meta.url));

function bench(...args: string[]): Promise<{ status: number | string; output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [BENCH, ...args], (error, stdout, stderr) => {
      resolve({ status: error ? (error.code ?? stderr) : 0, output: stdout + stderr });
    });
  });
}

// Retried once: other work on the machine may hit one contender only in these few seconds. Slow code is slow both times.
it('is not several times slower or larger than expected', { tags: 'lab', timeout: 300_000, retry: 1 }, async () => {
  const { status, output } = await bench('guard', '--quick');
  expect(output.split('\n').filter((line) => /^(not )?met /.test(line))).toHaveLength(5);
  expect(output).not.toMatch(/^not met/m);
  expect(status).toBe(0);
});

it('measures every call of the inbox with two sizes', { tags: 'lab', timeout: 300_000 }, async () => {
  const { status, output } = await bench('inbox', '--quick');
  expect(JSON.parse(output.trim().split('\n').at(-1) ?? '')).toMatchObject({
    name: 'inbox',
    messages: 2_000,
    calls_not_answered: 0,
  });
  expect(status).toBe(0);
});

it('brings each change to each caller of the feed once', { tags: 'lab', timeout: 300_000 }, async () => {
  const { status, output } = await bench('feed', '--quick');
  expect(JSON.parse(output.trim().split('\n').at(-1) ?? '')).toMatchObject({ name: 'feed', skipped: 0, twice: 0 });
  expect(status).toBe(0);
});

it('suggests the right case, and only that, for messages with known answers', {
  tags: 'lab',
  timeout: 300_000,
}, async () => {
  const { status, output } = await bench('suggest', '--quick');
  expect(JSON.parse(output.trim().split('\n').at(-1) ?? '')).toMatchObject({
    name: 'suggest',
    messages: 300,
    wrong: 0,
    precision: 1,
  });
  expect(status).toBe(0);
});

it.each(['scale', 'fairness'])('%s measures every figure', { tags: 'lab', timeout: 300_000 }, async (name) => {
  const { status, output } = await bench(name, '--quick');
  const figures = Object.entries(JSON.parse(output.trim().split('\n').at(-1) ?? '')).slice(1);
  expect(figures.filter(([, value]) => typeof value !== 'number')).toEqual([]);
  expect(status).toBe(0);
});

it('lists the benchmarks when a name is unknown', { tags: 'long' }, async () => {
  const { status, output } = await bench('intake-medium');
  expect(output).toContain('intake-large');
  expect(status).toBe(2);
});
