import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { HAS_FAKETIME } from '../src/testkit/faketime.js';

// The build: npm test builds first.
const COPIES = fileURLToPath(new URL('../dist/lab/copies/main.js', import.meta.url));

// Longer than the lock of a job and the look for lost ones (shared/src/queue), and than an idle transaction may last.
const PAUSE_SECONDS = 17;

interface Result {
  readonly status: unknown;
  readonly output: string;
  readonly errors: string;
}

const copies = (...args: string[]) =>
  new Promise<Result>((resolve) => {
    execFile(process.execPath, [COPIES, ...args], (error, output, errors) =>
      resolve({ status: error ? error.code : 0, output, errors }),
    );
  });

it(`two copies of each service${HAS_FAKETIME ? ' with clocks hours apart' : ''} do everything once, one killed, one paused and woken`, {
  tags: 'lab',
  timeout: 600_000,
}, async () => {
  const { status, output, errors } = await copies('--rounds', '1', '--pause', String(PAUSE_SECONDS), '--seed', '3');
  const lines = output.trimEnd().split('\n');
  expect(lines.slice(1, lines.indexOf('')).join('\n'), errors).toBe('');
  expect(lines.at(-1)).toBe('lost 0, twice 0, stuck 0');
  const result = JSON.parse(lines.at(-2) ?? '');
  expect(result).toMatchObject({ found: 0, webhooks: result.events });
  expect(Math.min(result.receipts, result.changes, result.extracts, result.zips)).toBeGreaterThan(0);
  expect(status).toBe(0);
});

it('what is no number is named', { tags: 'long' }, async () => {
  const { status, errors } = await copies('--rounds', 'two');
  expect([status, errors]).toEqual([1, '--rounds is a whole number, not "two".\n']);
});
