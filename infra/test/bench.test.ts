import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

// As built: npm test builds before it tests.
const BENCH = fileURLToPath(new URL('../dist/lab/bench/main.js', import.meta.url));

function bench(...args: string[]): Promise<{ status: number | string; output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [BENCH, ...args], (error, stdout, stderr) => {
      resolve({ status: error ? (error.code ?? stderr) : 0, output: stdout + stderr });
    });
  });
}

// Once more before it fails: a few seconds of measuring can fall together with something else on the machine that hits
// one contender only. Code that has become slow is slow both times.
it('has not become several times slower, nor larger', { timeout: 120_000, retry: 1 }, async () => {
  const { status, output } = await bench('guard', '--quick');
  expect(output.split('\n').filter((line) => /^(not )?met /.test(line))).toHaveLength(5);
  expect(output).not.toMatch(/^not met/m);
  expect(status).toBe(0);
});

it('lists what there is when it does not know a name', async () => {
  const { status, output } = await bench('intake-medium');
  expect(output).toContain('intake-large');
  expect(status).toBe(2);
});
