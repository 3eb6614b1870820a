import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { HAS_CLAMD } from '../src/testkit/clamd.js';
import { HAS_SWIFT } from '../src/testkit/swift.js';

// The build: npm test builds first.
const CRASH = fileURLToPath(new URL('../dist/lab/crash/main.js', import.meta.url));

function crash(...args: string[]): Promise<{ status: number | string; lines: string[] }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [CRASH, ...args], (error, stdout, stderr) => {
      const lines = stdout.trimEnd().split('\n');
      resolve({ status: error ? (error.code ?? stderr) : 0, lines: error ? [...lines, stderr] : lines });
    });
  });
}

it('loses nothing, stores nothing twice or half, whatever is killed', { tags: 'lab', timeout: 240_000 }, async () => {
  const { status, lines } = await crash('--runs', '4', '--seed', '1');
  expect(lines.filter((line) => /^(lost|twice|stuck|half|back):/.test(line))).toEqual([]);
  expect(lines.at(-1)).toBe('lost 0, twice 0, stuck 0, half 0, back 0');
  expect(status).toBe(0);
});

it.runIf(HAS_SWIFT)('loses nothing with content in S3 either', { tags: 'lab', timeout: 240_000 }, async () => {
  const { status, lines } = await crash('--content', 's3', '--runs', '3', '--seed', '2');
  expect(lines.filter((line) => /^(lost|twice|stuck|half|back):/.test(line))).toEqual([]);
  expect(lines.at(-1)).toBe('lost 0, twice 0, stuck 0, half 0, back 0');
  expect(status).toBe(0);
});

it.runIf(HAS_CLAMD)(
  'scans every file once it may be opened, whatever is killed',
  { tags: 'lab', timeout: 240_000 },
  async () => {
    const { status, lines } = await crash('--scan', '--runs', '5', '--seed', '3');
    expect(lines.filter((line) => /^(lost|twice|stuck|half|back):/.test(line))).toEqual([]);
    expect(lines.find((line) => line.startsWith('| file-scanned'))).toMatch(/^\| file-scanned +\| +2 \| +2 \|/);
    expect(lines.at(-1)).toBe('lost 0, twice 0, stuck 0, half 0, back 0');
    expect(status).toBe(0);
  },
);

it('lists the crash points when one is unknown', { tags: 'long' }, async () => {
  const { status, lines } = await crash('--point', 'nowhere');
  expect(status).toBe(1);
  expect(lines.join('\n')).toContain('--point is one of content-written, ');
});
