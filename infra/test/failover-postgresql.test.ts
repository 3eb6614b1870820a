import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

// The build: npm test builds first.
const FAILOVER = fileURLToPath(new URL('../dist/lab/failover/main.js', import.meta.url));

function failOver(...args: string[]): Promise<{ status: number | string; lines: string[] }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [FAILOVER, ...args], (error, stdout, stderr) => {
      const lines = stdout.trimEnd().split('\n');
      resolve({ status: error ? (error.code ?? stderr) : 0, lines: error ? [...lines, stderr] : lines });
    });
  });
}

it('loses nothing when the primary is killed, and when it is cut off', { tags: 'lab', timeout: 240_000 }, async () => {
  const { status, lines } = await failOver('postgresql', '--rounds', '2', '--seed', '1');
  expect(lines.filter((line) => /^(lost|twice|stuck|half|back):/.test(line))).toEqual([]);
  expect(lines.at(-1)).toBe('lost 0, twice 0, stuck 0, half 0, back 0');
  expect(status).toBe(0);
});

it('lists the engines when one is unknown', { tags: 'long' }, async () => {
  const { status, lines } = await failOver('oracle');
  expect(status).toBe(1);
  expect(lines.join('\n')).toContain('Name one engine: ');
});
