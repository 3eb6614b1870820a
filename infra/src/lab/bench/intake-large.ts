import { atLeast, atMost, type Bench, type Goal, type Outcome, type Size } from './bench.js';
import type { Child } from './child.js';
import { postOnce } from './client.js';
import { alternate, type Contender, median, millisecondsOf, rounded, spread } from './measure.js';
import { bigCopies, type Copies, REST_PATH, replyCopies } from './memos.js';
import type { Place } from './place.js';

const OURS = 'ours';
const BARE = '(a) bare: hash, write, fsync';
const PLAIN = '(b) plain: express.text, xml2js, writeFile, Prisma';
// After this many small messages code is compiled and pools are filled; resident memory is then idle.
const SMALL_MEMOS = 40;

export interface LargeOptions {
  readonly atOnce: number;
  readonly maxRatio: number;
  /** Of ours and (a), which are close to each other. */
  readonly rounds: (size: Size) => number;
  readonly maxGrowthMb?: number;
  /** Of (b), which takes seconds per message. */
  readonly plainRounds: (size: Size) => number;
}

export const intakeLarge: Bench = {
  name: 'intake-large',
  measures: 'One MeMo of 104 MB over loopback, from the first byte to the receipt.',
  run: (place, size) =>
    compareLarge(place, size, {
      atOnce: 1,
      maxRatio: 1,
      rounds: ({ rounds }) => 3 * rounds,
      plainRounds: ({ rounds }) => rounds,
    }),
};

export const intakeLarge8: Bench = {
  name: 'intake-large-8',
  measures: 'Eight MeMos of 104 MB at once, to the last receipt, and the receiver’s memory.',
  run: (place, size) =>
    compareLarge(place, size, {
      atOnce: 8,
      maxRatio: 1.1,
      maxGrowthMb: 60,
      rounds: ({ rounds }) => rounds,
      plainRounds: ({ quick }) => (quick ? 0 : 1), // half a minute each
    }),
};

/** Compares ours with the limit of the machine (a) and a plain implementation (b). */
export async function compareLarge(place: Place, size: Size, options: LargeOptions): Promise<Outcome> {
  const memos = await bigCopies();
  const ours = await place.start('ours/receiver');
  const bare = await place.start('rivals/bare-file');
  const plain = await place.start('rivals/plain-rest', { nodeOptions: ['--max-old-space-size=12000'] });
  const small = replyCopies();
  for (let sent = 0; sent < SMALL_MEMOS; sent += 1) await postOnce(ours.url, REST_PATH, small.next());
  const servers: [string, Child][] = [
    [OURS, ours],
    [BARE, bare],
    [PLAIN, plain],
  ];
  const idle = new Map(servers.map(([name, server]) => [name, server.residentMb()]));
  for (const [, server] of servers) server.forgetPeak();

  const costs = new Map<string, number[]>();
  const contenders = servers.map(
    ([name, server]): Contender => ({
      name,
      async measure() {
        const before = server.cpuMs();
        const time = await millisecondsOf(() => sendAtOnce(server, memos, options.atOnce));
        costs.set(name, [...(costs.get(name) ?? []), (server.cpuMs() - before) / options.atOnce]);
        return time;
      },
      ...(name === PLAIN && { rounds: options.plainRounds(size) }),
    }),
  );
  const [oursAndBare, slow] = [contenders.slice(0, 2), contenders.slice(2)];
  const limits = await alternate(oursAndBare, options.rounds(size));
  const besidePlain = await alternate([...oursAndBare.slice(0, 1), ...slow], options.plainRounds(size), 0);

  const growth = (name: string, server: Child) => server.peakMb() - (idle.get(name) ?? Number.NaN);
  const times = (name: string) => (name === PLAIN ? besidePlain(name) : limits(name));
  const measured = servers.filter(([name]) => times(name).length > 0);
  const cpu = (name: string) => median(costs.get(name) ?? []);
  const figures = {
    ratio_to_limit: rounded(median(limits(OURS)) / median(limits(BARE))),
    best_ratio_to_limit: rounded(Math.min(...limits(OURS)) / Math.min(...limits(BARE))),
    cpu_ratio_to_limit: rounded(cpu(OURS) / cpu(BARE)),
    ...(besidePlain(PLAIN).length > 0 && {
      times_faster_than_plain: rounded(median(besidePlain(PLAIN)) / median(besidePlain(OURS)), 1),
    }),
    rss_growth_mb: rounded(growth(OURS, ours), 0),
  };
  return {
    columns: ['', 'ms, median (least–most)', 'MB/s', 'rounds', 'CPU ms each', 'peak over idle, MB'],
    rows: measured.map(([name, server]) => [
      name,
      spread(times(name)),
      ((options.atOnce * memos.bytes) / 1e3 / median(times(name))).toFixed(0),
      String(times(name).length),
      cpu(name).toFixed(0),
      growth(name, server).toFixed(0),
    ]),
    figures,
    goals: goalsOf(figures, options),
    notes: [
      'Idle is after 40 small messages; the peak is over all rounds (VmHWM).',
      '(b) is compared with alternating rounds of ours. It does not fsync, seal or audit.',
    ],
    profile: size.quick ? undefined : await profileOf(place, memos, options.atOnce),
  };
}

function goalsOf(
  figures: { ratio_to_limit: number; times_faster_than_plain?: number; rss_growth_mb: number },
  { maxRatio, maxGrowthMb }: LargeOptions,
): Goal[] {
  const faster = figures.times_faster_than_plain;
  return [
    atMost('time, of (a)', figures.ratio_to_limit, maxRatio, ' ×'),
    ...(faster === undefined ? [] : [atLeast('faster than (b)', faster, 4, ' ×')]),
    ...(maxGrowthMb === undefined ? [] : [atMost('growth of peak RSS', figures.rss_growth_mb, maxGrowthMb, ' MB')]),
  ];
}

async function sendAtOnce({ url }: Child, memos: Copies, atOnce: number): Promise<void> {
  await Promise.all(Array.from({ length: atOnce }, () => postOnce(url, REST_PATH, memos.next())));
}

/** More rounds of ours, under the profiler; they are slower and do not count. */
async function profileOf(place: Place, memos: Copies, atOnce: number): Promise<string[]> {
  const server = await place.start('ours/receiver', { profiled: true });
  for (let round = 0; round < 3; round += 1) await sendAtOnce(server, memos, atOnce);
  return place.stopProfiled(server);
}
