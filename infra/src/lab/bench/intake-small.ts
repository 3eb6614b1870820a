import { performance } from 'node:perf_hooks';
import { atLeast, atMost, type Bench, type Outcome, type Size } from './bench.js';
import type { Child } from './child.js';
import { Connection, postOnce } from './client.js';
import { alternate, median, percentile, rounded } from './measure.js';
import { type Copies, REST_PATH, replyCopies } from './memos.js';
import type { Place } from './place.js';
import { startPostfix } from './postfix.js';
import { openWrk } from './wrk.js';

const OURS = 'ours';
const OURS_TWICE = 'ours, two receivers';
const PLAIN = '(b) plain';
const ROWS = '(c) bare';
const CLIENTS = [1, 16, 64];

// With clients in C, against what is trusted for "accepted = stored".
const OURS_WRK = 'ours, from wrk';
const OURS_TWICE_WRK = 'ours, two receivers, from wrk';
const POSTFIX = 'Postfix, from smtp-source';
const C_CLIENTS = [16, 64];

export const intakeSmall: Bench = {
  name: 'intake-small',
  measures: 'Receipts a second for replies of 20 KB, from 1, 16 and 64 clients that each wait for the receipt.',

  async run(place: Place, size: Size): Promise<Outcome> {
    const messages = replyCopies();
    const ours = await startWithRows(place, messages);
    const second = await place.start('ours/receiver');
    const servers = new Map([
      [OURS, [ours]],
      [OURS_TWICE, [ours, second]],
      [PLAIN, [await place.start('rivals/plain-rest')]],
      [ROWS, [await place.start('rivals/bare-rows')]],
    ]);
    const seconds = size.quick ? 1 : 3;
    const table = new Table();
    for (const clients of CLIENTS) {
      const contenders = [...servers].map(([name, children]) => ({
        name,
        async measure() {
          const cpuMs = () => children.reduce((sum, child) => sum + child.cpuMs(), 0);
          const before = [cpuMs(), place.postgresCpuMs()] as const;
          const { perSecond, milliseconds } = await offerFrom(children, messages, clients, seconds);
          const cpu = [cpuMs() - before[0], place.postgresCpuMs() - before[1]] as const;
          table.add(name, clients, { perSecond, milliseconds, cpu });
          return perSecond;
        },
      }));
      await alternate(contenders, size.rounds);
    }
    const postfix = await comparePostfix(place, messages, [ours, second], { table, seconds, rounds: size.rounds });

    const ratio = (clients: number, other: string) => rounded(table.rate(OURS, clients) / table.rate(other, clients));
    const cpuOfPlain = rounded(table.cpuEach(OURS, 64) / table.cpuEach(PLAIN, 64));
    return {
      columns: ['clients', '', 'receipts/s', 'least–most', 'p50 ms', 'p99 ms', 'CPU ms each', 'of PostgreSQL'],
      rows: table.rows(),
      figures: {
        rate_of_limit: Math.min(ratio(16, ROWS), ratio(64, ROWS)),
        times_faster_than_plain: Math.min(ratio(16, PLAIN), ratio(64, PLAIN)),
        two_receivers_of_one_64: rounded(table.rate(OURS_TWICE, 64) / table.rate(OURS, 64)),
        rate_of_limit_1: ratio(1, ROWS),
        rate_of_limit_16: ratio(16, ROWS),
        rate_of_limit_64: ratio(64, ROWS),
        times_faster_than_plain_1: ratio(1, PLAIN),
        times_faster_than_plain_16: ratio(16, PLAIN),
        times_faster_than_plain_64: ratio(64, PLAIN),
        cpu_of_plain: cpuOfPlain,
        ...postfix.figures,
      },
      goals: [
        ...[16, 64].flatMap((clients) => [
          atLeast(`rate at ${clients} clients, of (c)`, ratio(clients, ROWS), 0.5, ' ×'),
          atLeast(`rate at ${clients} clients, of (b)`, ratio(clients, PLAIN), 3, ' ×'),
        ]),
        atMost('CPU of receiver and PostgreSQL a message at 64 clients, of (b)', cpuOfPlain, 0.25, ' ×'),
        ...postfix.goals,
      ],
      notes: [
        `Rounds of ${seconds} s; ${messages.bytes} bytes a message, with one file of 13.9 KB.`,
        '(c): the same rows, group commit; it reads nothing and stores no content. Ours stores it, sealed.',
        'CPU: per receipt, of the server and of PostgreSQL, over all rounds.',
        '(b): express.text, xml2js, writeFile, Prisma; it syncs only the commit and writes five of the eight rows.',
        ...postfix.notes,
      ],
      profile: size.quick ? undefined : await profileOf(place, messages),
    };
  },
};

interface Rounds {
  readonly table: Table;
  readonly seconds: number;
  readonly rounds: number;
}

/** Compares ours with Postfix, each with a client in C. */
async function comparePostfix(
  place: Place,
  messages: Copies,
  receivers: readonly Child[],
  { table, seconds, rounds }: Rounds,
): Promise<Pick<Outcome, 'figures' | 'goals' | 'notes'>> {
  const postfix = await startPostfix(place);
  const wrk = await openWrk(place, messages);
  if (!postfix || !wrk) {
    const missing = [...(postfix ? [] : ['Postfix (which needs root too)']), ...(wrk ? [] : ['wrk'])].join(' and ');
    return { figures: {}, goals: [], notes: [`Not compared with Postfix: ${missing} is not installed.`] };
  }
  const urls = receivers.map(({ url }) => `${url}${REST_PATH}`);
  const rateOf = new Map([
    [OURS_WRK, (clients: number) => wrk.rate(urls.slice(0, 1), clients, seconds)],
    [OURS_TWICE_WRK, (clients: number) => wrk.rate(urls, clients, seconds)],
    [POSTFIX, (clients: number) => postfix.rate(clients, messages.bytes, MAILS_A_SECOND * seconds)],
  ]);
  for (const clients of C_CLIENTS) {
    const contenders = [...rateOf].map(([name, rate]) => ({
      name,
      async measure() {
        const perSecond = await rate(clients);
        table.add(name, clients, { perSecond });
        return perSecond;
      },
    }));
    await alternate(contenders, rounds);
  }
  const ofPostfix = (name: string) =>
    rounded(Math.min(...C_CLIENTS.map((clients) => table.rate(name, clients) / table.rate(POSTFIX, clients))));
  return {
    figures: { rate_of_postfix: ofPostfix(OURS_WRK), rate_of_postfix_two_receivers: ofPostfix(OURS_TWICE_WRK) },
    goals: [atLeast('rate of two receivers, of Postfix', ofPostfix(OURS_TWICE_WRK), 1, ' ×')],
    notes: [
      'Postfix answers 250 when a mail of the same size is synced in its queue; its deliveries are deferred, so that only intake runs.',
    ],
  };
}

// So that a round of Postfix takes about as long as one of ours.
const MAILS_A_SECOND = 500;

interface Measured {
  readonly perSecond: number;
  /** From the first byte to the receipt, per message. */
  readonly milliseconds?: readonly number[];
  /** Processor time in ms. */
  readonly cpu?: readonly [server: number, postgres: number];
}

/** The rounds of every contender, except for the first one, which warms up. */
class Table {
  readonly #rounds = new Map<string, { name: string; clients: number; rounds: Measured[] }>();

  add(name: string, clients: number, round: Measured): void {
    const key = `${clients} ${name}`;
    const entry = this.#rounds.get(key);
    if (entry) entry.rounds.push(round);
    else this.#rounds.set(key, { name, clients, rounds: [] });
  }

  rate(name: string, clients: number): number {
    return median(this.#of(name, clients).map(({ perSecond }) => perSecond));
  }

  /** Processor time per message in ms, of server and PostgreSQL together. */
  cpuEach(name: string, clients: number): number {
    const [server = Number.NaN, postgres = Number.NaN] = cpuEach(this.#of(name, clients));
    return server + postgres;
  }

  rows(): string[][] {
    return [...this.#rounds.values()].map(({ name, clients, rounds }) => {
      const rates = rounds.map(({ perSecond }) => perSecond);
      const milliseconds = rounds.flatMap((round) => round.milliseconds ?? []);
      const latency = (percent: number) =>
        milliseconds.length === 0 ? '' : percentile(milliseconds, percent).toFixed(1);
      const [server = '', postgres = ''] = cpuEach(rounds).map((ms) => ms.toFixed(2));
      const between = `${Math.min(...rates).toFixed(0)}–${Math.max(...rates).toFixed(0)}`;
      return [String(clients), name, median(rates).toFixed(0), between, latency(50), latency(99), server, postgres];
    });
  }

  #of(name: string, clients: number): readonly Measured[] {
    return this.#rounds.get(`${clients} ${name}`)?.rounds ?? [];
  }
}

/** Of the server and of PostgreSQL, in ms per message; empty if not measured. */
function cpuEach(rounds: readonly Measured[]): number[] {
  const count = rounds.reduce((sum, { milliseconds = [] }) => sum + milliseconds.length, 0);
  if (count === 0) return [];
  return [0, 1].map((at) => rounds.reduce((sum, { cpu }) => sum + (cpu?.[at] ?? 0), 0) / count);
}

/** Starts ours with one message, whose rows (c) copies. */
async function startWithRows(place: Place, messages: Copies): Promise<Child> {
  const ours = await place.start('ours/receiver');
  await postOnce(ours.url, REST_PATH, messages.next());
  return ours;
}

/** @returns the rate of ours relative to (b); medians of `rounds` rounds */
export async function smallOfPlain(place: Place, clients: number, rounds: number, seconds: number): Promise<number> {
  const messages = replyCopies();
  const ours = await startWithRows(place, messages);
  const plain = await place.start('rivals/plain-rest');
  const rateOf = (server: Child) => offerFrom([server], messages, clients, seconds).then(({ perSecond }) => perSecond);
  const rates = await alternate(
    [
      { name: OURS, measure: () => rateOf(ours) },
      { name: PLAIN, measure: () => rateOf(plain) },
    ],
    rounds,
  );
  return median(rates(OURS)) / median(rates(PLAIN));
}

export interface Offered {
  readonly perSecond: number;
  /** From the first byte to the receipt, per message. */
  readonly milliseconds: number[];
}

/** @param servers share the clients evenly */
export async function offerFrom(
  servers: readonly Child[],
  messages: Copies,
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
          await connection.post(REST_PATH, messages.next());
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

async function profileOf(place: Place, messages: Copies): Promise<string[]> {
  const server = await place.start('ours/receiver', { profiled: true });
  await offerFrom([server], messages, 16, 5);
  return place.stopProfiled(server);
}
