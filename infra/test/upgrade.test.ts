import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

// The build: npm test builds first.
const UPGRADE = fileURLToPath(new URL('../dist/lab/upgrade/main.js', import.meta.url));

interface Result {
  readonly status: unknown;
  readonly output: string;
  readonly errors: string;
}

const run = (...args: string[]) =>
  new Promise<Result>((resolve) => {
    execFile(process.execPath, [UPGRADE, ...args], (error, output, errors) =>
      resolve({ status: error ? error.code : 0, output, errors }),
    );
  });

it('a version is replaced by this one under load, and nothing is refused, lost or done twice', {
  tags: 'lab',
  timeout: 600_000,
}, async () => {
  const { output, errors } = await run('--seconds', '6', '--seed', '5');
  const lines = output.trimEnd().split('\n');
  expect(lines.slice(1, lines.indexOf('')).join('\n'), errors).toBe('');
  const result = JSON.parse(lines.at(-1) ?? '');
  expect(result).toMatchObject({ found: 0, webhooks: result.events });
  expect(Math.min(result.receipts, result.changes, result.cases)).toBeGreaterThan(0);
});

it('a commit that there is not is named', { tags: 'long' }, async () => {
  const { status, errors } = await run('--from', 'no-such-commit');
  expect([status, errors]).toEqual([1, 'There is no commit "no-such-commit" in this clone.\n']);
});
