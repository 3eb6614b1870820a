import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { HAS_REDIS } from '../src/testkit/redis.js';

// The build: npm test builds first. Longer: npm run failover.
const FAILOVER = fileURLToPath(new URL('../dist/lab/failover/main.js', import.meta.url));

const QUIET = 'lost 0, twice 0, stuck 0, half 0, back 0';

/** What a round of it prints: the row of its table by title, and the last line. */
function failOver(engine: string): Promise<{ row: Record<string, string>; last: string; status: unknown }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [FAILOVER, engine, '--rounds', '1', '--seed', '5'], (error, stdout, stderr) => {
      const lines = stdout.trimEnd().split('\n');
      const [titles = [], , cells = []] = lines
        .filter((line) => line.startsWith('|'))
        .map((line) => line.split('|').map((cell) => cell.trim()));
      const row = Object.fromEntries(titles.map((title, column) => [title, cells[column] ?? '']));
      resolve({ row, last: lines.at(-1) ?? '', status: error ? `${error.code}: ${stderr}${stdout}` : 0 });
    });
  });
}

describe.runIf(HAS_REDIS)('under load', { tags: 'lab', timeout: 300_000 }, () => {
  it.each(['redis-cluster', 'redis-sentinel'])(
    'a master dies with jobs that its replica lacks (%s), and everything is done, once',
    async (engine) => {
      const { row, last, status } = await failOver(engine);
      expect([status, last]).toEqual([0, QUIET]);
      expect(row['not answered 200']).toBe('0');
      expect(Number(row['suggestion runs'])).toBeGreaterThan(0);
      expect(Number(row['bytes acknowledged and lost'])).toBeGreaterThan(0);
    },
  );

  it('the queue is moved with jobs of all kinds waiting, and everything is done, once', async () => {
    const { row, last, status } = await failOver('queue-move');
    expect([status, last]).toEqual([0, QUIET]);
    expect(row['of kinds']).toBe('8 of 8');
  });
});
