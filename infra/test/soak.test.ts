import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { judge } from '../src/lab/soak/flat.js';
import type { Sample } from '../src/lab/soak/samples.js';

// The build: npm test builds first.
const SOAK = fileURLToPath(new URL('../dist/lab/soak/main.js', import.meta.url));

interface Result {
  readonly status: unknown;
  readonly output: string;
  readonly errors: string;
}

const soak = (...args: string[]) =>
  new Promise<Result>((resolve) => {
    execFile(process.execPath, [SOAK, ...args], { maxBuffer: 2 ** 26 }, (error, output, errors) =>
      resolve({ status: error ? error.code : 0, output, errors }),
    );
  });

it('three minutes under load, with every part restarted and a rolling upgrade, account for every letter', {
  tags: 'lab',
  timeout: 1_200_000,
}, async () => {
  const { status, output, errors } = await soak('--hours', '0.05', '--rate', '15', '--seed', '3', '--no-page');
  const lines = output.trimEnd().split('\n');
  expect(lines.at(-1), errors).toBe('lost 0, twice 0, stuck 0');
  const result = JSON.parse(lines.at(-2) ?? '');
  expect(result, output).toMatchObject({ found: 0, acknowledged: result.sent });
  expect(Math.min(result.sent, result.changes, result.events, result.webhooks)).toBeGreaterThan(0);
  expect(status).toBe(0);
});

it('what is no number is named', { tags: 'long' }, async () => {
  const { status, errors } = await soak('--hours', 'two');
  expect([status, errors]).toEqual([1, '--hours is a number of hours, not "two".\n']);
});

describe('whether a figure stays flat', () => {
  const WINDOW = { name: 'before', from: 0, to: 100 };

  /** One sample a second of one process. */
  const samplesOf = (figures: (at: number) => { rssMiB?: number; handles?: number; pid?: number; jobs?: number }) =>
    Array.from({ length: 101 }, (_, at): Sample => {
      const { rssMiB = 200, handles = 50, pid = 7, jobs = 0 } = figures(at);
      const processes = [{ pid, service: 'receiver', rssMiB, handles, cpuMs: 0 }];
      return { at, processes, connections: 20, jobs, postgres: undefined, driverCpuMs: 0 };
    });
  const grown = (samples: readonly Sample[]) =>
    judge(samples, [WINDOW]).flatMap(({ what, isFlat }) => (isFlat ? [] : [what]));

  it('memory that goes up and down is flat', () => {
    expect(grown(samplesOf((at) => ({ rssMiB: 200 + (at % 10) * 8 })))).toEqual([]);
  });

  it('memory that grows all the time is not', () => {
    expect(grown(samplesOf((at) => ({ rssMiB: 200 + at })))).toEqual(['receiver: RSS']);
  });

  it('memory that grows only while a process warms up is flat', () => {
    expect(grown(samplesOf((at) => ({ rssMiB: Math.min(300, 100 + at * 10) })))).toEqual([]);
  });

  it('handles and rows of queues that grow are not', () => {
    expect(grown(samplesOf((at) => ({ handles: 50 + at, jobs: at * 50 })))).toEqual([
      'receiver: handles',
      'rows of the queues',
    ]);
  });

  it('a process that was replaced is not judged', () => {
    expect(grown(samplesOf((at) => ({ pid: at > 60 ? 8 : 7, rssMiB: at > 60 ? 900 : 200 })))).toEqual([]);
  });
});
