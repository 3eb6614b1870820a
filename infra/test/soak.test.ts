import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Stage, withPostgres } from '../src/lab/crash/stage.js';
import { Simulator } from '../src/lab/simulator/simulator.js';
import { SoakComparison } from '../src/lab/soak/compare.js';
import { judge } from '../src/lab/soak/flat.js';
import type { Sample } from '../src/lab/soak/samples.js';
import { Balancer } from '../src/lab/upgrade/balancer.js';
import { Fleet } from '../src/lab/upgrade/fleet.js';
import { thisVersion } from '../src/lab/upgrade/version.js';

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
  expect([status, errors]).toEqual([1, '--hours is a number of hours below 12, not "two".\n']);
});

it('what is lost, stored twice, damaged or strange is found by id', { tags: 'long', timeout: 180_000 }, async () => {
  const { signal } = new AbortController();
  await withPostgres(async (postgres) => {
    const stage = await Stage.open(postgres, 'compared');
    const balancer = await Balancer.open();
    const fleet = new Fleet(
      { env: { ...stage.env, SMALL_CONTENT_BYTES: '65536' }, copies: 1, signal, report: () => {} },
      balancer,
    );
    try {
      await fleet.startAll(thisVersion());
      const { municipalities } = stage;
      const plan = { url: balancer.url, municipalities, seed: 1, rate: 100, isFlat: true, limit: 8, sizes: [20_000] };
      const simulator = await Simulator.start({ ...plan, largeShare: 0 });
      await simulator.begun;
      await simulator.stop();
      const letters = [...simulator.letters];
      const findingsOf = async (run: (comparison: SoakComparison) => Promise<void>) => {
        const comparison = new SoakComparison(stage);
        await run(comparison);
        return comparison.findings.map(({ verdict, what }) => `${verdict}: ${what}`);
      };
      const stored = () => findingsOf((comparison) => comparison.letters(letters));
      expect([...(await stored()), ...(await findingsOf((each) => each.bytes(letters, balancer.url)))]).toEqual([]);

      const open = letters.slice(0, 1).map((letter) => ({ ...letter, status: 'open' as const }));
      expect(await findingsOf((each) => each.letters(open))).toEqual([
        `stuck: message ${open[0]?.messageUUID} is open, and should have a receipt`,
        `invented: ${letters.length - 1} messages that nobody sent`,
      ]);

      const [strange, other, mixed, halved, unread] = letters.map(({ messageUUID }) => messageUUID);
      const idOf = `(SELECT id FROM messages WHERE external_id = $1)`;
      await stage.sql(`UPDATE messages SET external_id = 'unknown' WHERE external_id = $1`, [strange]);
      await stage.sql(
        `UPDATE messages SET municipality = (SELECT cvr FROM municipalities
        WHERE cvr <> messages.municipality AND cvr = ANY ($2)) WHERE external_id = $1`,
        [other, municipalities],
      );
      await stage.sql(`UPDATE files SET sha256 = sha256(sha256) WHERE position = 0 AND message_id = ${idOf}`, [mixed]);
      await stage.sql(`DELETE FROM message_details WHERE message_id = ${idOf}`, [halved]);
      expect(await stored()).toEqual([
        `lost: message ${strange} was acknowledged and is missing`,
        `lost: message ${other} is of another municipality`,
        `lost: message ${mixed} has other files than were sent`,
        `half: message ${halved} is not whole`,
        'invented: 1 messages that nobody sent',
      ]);
      await stage.sql(
        `UPDATE message_contents SET container = set_byte(container, 9999, 255 - get_byte(container, 9999)) WHERE message_id = ${idOf}`,
        [unread],
      );
      const [last] = letters.slice(4);
      expect(await findingsOf((each) => each.bytes(last ? [last] : [], balancer.url))).toHaveLength(1);
    } finally {
      balancer.close();
      fleet.kill();
      await stage.close();
    }
  });
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
    judge(samples, [WINDOW]).trends.flatMap(({ what, isFlat }) => (isFlat ? [] : [what]));

  it('memory that goes up and down is flat', () => {
    expect(grown(samplesOf((at) => ({ rssMiB: 200 + (at % 10) * 8 })))).toEqual([]);
  });

  it('memory that grows all the time is not', () => {
    expect(grown(samplesOf((at) => ({ rssMiB: 200 + at * 2 })))).toEqual(['receiver: RSS']);
  });

  it('memory that grows only while a process warms up is flat', () => {
    expect(grown(samplesOf((at) => ({ rssMiB: Math.min(300, 100 + at * 10) })))).toEqual([]);
  });

  it('handles and rows of queues that grow are not', () => {
    expect(grown(samplesOf((at) => ({ handles: 50 + at * 2, jobs: at * 50 })))).toEqual([
      'receiver: handles',
      'rows of the queues',
    ]);
  });

  it('a row of a queue that each letter leaves is found in a window of a minute', () => {
    expect(grown(samplesOf((at) => ({ jobs: at * 15 })))).toEqual(['rows of the queues']);
  });

  it('in a window of 20 minutes, memory may grow by less', () => {
    const samples = samplesOf((at) => ({ rssMiB: 200 + at / 4 })).map((sample) => ({ ...sample, at: sample.at * 12 }));
    const { trends } = judge(samples, [{ ...WINDOW, to: 1_200 }]);
    expect(trends.find(({ what }) => what === 'receiver: RSS')).toMatchObject({ isFlat: false });
  });

  it('a service of which no process stayed is named, and so is a window without samples', () => {
    const replaced = samplesOf((at) => ({ pid: at > 60 ? 8 : 7 }));
    expect(judge(replaced, [WINDOW]).missing).toEqual(['before: no receiver ran all the time']);
    expect(judge(replaced, [{ name: 'after', from: 200, to: 300 }]).missing).toEqual(['after: 0 samples']);
  });
});
