import { performance } from 'node:perf_hooks';
import { atLeast, type Bench, type Outcome, type Size } from './bench.js';
import type { Child } from './child.js';
import { Connection, postOnce } from './client.js';
import { type Copies, REST_PATH, replyCopies } from './letters.js';
import { alternate, median, percentile, rounded } from './measure.js';
import type { Place } from './place.js';

const OURS = 'ours';
const OURS_TWICE = 'ours, two receivers';
const PLAIN = '(b) plain: express.text, xml2js, writeFile, Prisma';
const ROWS = '(c) bare: the same rows, group commit';
const CLIENTS = [1, 16, 64];

export const intakeSmall: Bench = {
  name: 'intake-small',
  measures:
    'Replies of 20 KB from 1, 16 and 64 clients, each sending the next when it has its receipt: receipts a second.',

  async run(place: Place, size: Size): Promise<Outcome> {
    const letters = replyCopies();
    const ours = await startWithRows(place, letters);
    const servers: [string, Child[]][] = [
      [OURS, [ours]],
      [OURS_TWICE, [ours, await place.start('ours/receiver')]],
      [PLAIN, [await place.start('rivals/plain-rest')]],
      [ROWS, [await place.start('rivals/bare-rows')]],
    ];

    const seconds = size.quick ? 1 : 3;
    const table: string[][] = [];
    const rates = new Map<string, number>();
    const latencies = new Map<string, number[]>();
    const costs = new Map<string, string[]>();
    for (const clients of CLIENTS) {
      const rounds = await alternate(
        servers.map(([name, children]) => ({
          name,
          async measure() {
            const cpuMs = () => children.reduce((sum, child) => sum + child.cpuMs(), 0);
            const [cpu, postgresCpu] = [cpuMs(), place.postgresCpuMs()];
            const { perSecond, milliseconds } = await offerFrom(children, letters, clients, seconds);
            const each = (ms: number) => (ms / milliseconds.length).toFixed(1);
            costs.set(`${name} ${clients}`, [each(cpuMs() - cpu), each(place.postgresCpuMs() - postgresCpu)]);
            latencies.set(`${name} ${clients}`, [...(latencies.get(`${name} ${clients}`) ?? []), ...milliseconds]);
            return perSecond;
          },
        })),
        size.rounds,
      );
      for (const [name] of servers) {
        const rate = median(rounds(name));
        const all = latencies.get(`${name} ${clients}`) ?? [];
        rates.set(`${name} ${clients}`, rate);
        table.push([
          String(clients),
          name,
          rate.toFixed(0),
          `${Math.min(...rounds(name)).toFixed(0)}–${Math.max(...rounds(name)).toFixed(0)}`,
          percentile(all, 50).toFixed(1),
          percentile(all, 99).toFixed(1),
          ...(costs.get(`${name} ${clients}`) ?? []),
        ]);
      }
    }
    const ratio = (clients: number, other: string) =>
      rounded((rates.get(`${OURS} ${clients}`) ?? 0) / (rates.get(`${other} ${clients}`) ?? 0));
    return {
      columns: ['clients', '', 'receipts/s', 'least–most', 'p50 ms', 'p99 ms', 'CPU ms each', 'of PostgreSQL'],
      rows: table,
      figures: {
        rate_of_limit: Math.min(ratio(16, ROWS), ratio(64, ROWS)),
        times_faster_than_plain: Math.min(ratio(16, PLAIN), ratio(64, PLAIN)),
        two_receivers_of_one_64: rounded(
          (rates.get(`${OURS_TWICE} 64`) ?? Number.NaN) / (rates.get(`${OURS} 64`) ?? Number.NaN),
        ),
        rate_of_limit_1: ratio(1, ROWS),
        rate_of_limit_16: ratio(16, ROWS),
        rate_of_limit_64: ratio(64, ROWS),
        times_faster_than_plain_1: ratio(1, PLAIN),
        times_faster_than_plain_16: ratio(16, PLAIN),
        times_faster_than_plain_64: ratio(64, PLAIN),
      },
      goals: [16, 64].flatMap((clients) => [
        atLeast(`rate at ${clients} clients, of (c)`, ratio(clients, ROWS), 0.5, ' ×'),
        atLeast(`rate at ${clients} clients, of (b)`, ratio(clients, PLAIN), 3, ' ×'),
      ]),
      notes: [
        `Rounds of ${seconds} s. ${letters.bytes} bytes a letter, one file of 13.9 KB in it.`,
        '(c) reads nothing and keeps no content. Ours reads the letter, and keeps its content, sealed, with the rows.',
        'CPU: processor time for each receipt, of the server and of PostgreSQL, in the last round.',
        '(b) syncs nothing but the commit, and writes five of the eight rows.',
      ],
      profile: size.quick ? undefined : await profileOf(place, letters),
    };
  },
};

/** Ours, with the first letter taken in: (c) takes its rows from that one. */
async function startWithRows(place: Place, letters: Copies): Promise<Child> {
  const ours = await place.start('ours/receiver');
  await postOnce(ours.url, REST_PATH, letters.next());
  return ours;
}

/** @returns the rate of ours with so many clients, of that of the plain way; the median of `rounds` rounds of each */
export async function smallOfPlain(place: Place, clients: number, rounds: number, seconds: number): Promise<number> {
  const letters = replyCopies();
  const ours = await startWithRows(place, letters);
  const plain = await place.start('rivals/plain-rest');
  const rateOf = (server: Child) => offerFrom([server], letters, clients, seconds).then(({ perSecond }) => perSecond);
  const rates = await alternate(
    [
      { name: OURS, measure: () => rateOf(ours) },
      { name: PLAIN, measure: () => rateOf(plain) },
    ],
    rounds,
  );
  return median(rates(OURS)) / median(rates(PLAIN));
}

interface Offered {
  readonly perSecond: number;
  /** From the first byte to the receipt, of each letter. */
  readonly milliseconds: number[];
}

/** @param servers share the clients evenly */
async function offerFrom(
  servers: readonly Child[],
  letters: Copies,
  clients: number,
  seconds: number,
): Promise<Offered> {
  const urls = servers.map(({ url }) => url);
  const connections = await Promise.all(
    Array.from({ length: clients }, (_, client) => Connection.open(urls[client % urls.length] as string)),
  );
  const milliseconds: number[] = [];
  const began = performance.now();
  const end = began + seconds * 1_000;
  try {
    await Promise.all(
      connections.map(async (connection) => {
        for (let now = performance.now(); now < end; ) {
          await connection.post(REST_PATH, letters.next());
          const then = performance.now();
          milliseconds.push(then - now);
          now = then;
        }
      }),
    );
    return { perSecond: (milliseconds.length * 1_000) / (performance.now() - began), milliseconds };
  } finally {
    for (const connection of connections) connection.close();
  }
}

async function profileOf(place: Place, letters: Copies): Promise<string[]> {
  const server = await place.start('ours/receiver', { profiled: true });
  await offerFrom([server], letters, 16, 5);
  return place.stopProfiled(server);
}
