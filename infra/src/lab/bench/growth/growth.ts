import { performance } from 'node:perf_hooks';
import type pg from 'pg';
import { EXAMPLE_MUNICIPALITY } from '../../../local/example-municipality.js';
import { registerMunicipality } from '../../../local/register-municipality.js';
import { issueToken } from '../../../testkit/set-up.js';
import { atMost, type Bench, type Outcome, type Size, shown } from '../bench.js';
import { rounded } from '../measure.js';
import type { Place } from '../place.js';
import { takeSample } from '../rivals/rows.js';
import { empty, fill, type Stock } from './fill.js';
import { type Cost, type Costs, costsOf, OPERATIONS, SUGGESTION } from './operations.js';
import { costOfSweeps } from './sweeps.js';

const DEFAULT_TO = 100_000;
const QUICK_TO = 5_000;
const SMALLEST = 10_000;
const [FEW, SOME, MANY] = [1, 10, 100]; // municipalities
const SWEEPS = 'sweeps';
const NAMES = [...OPERATIONS, SWEEPS];
/** Operations with a known processor time. */
const COUNTED = OPERATIONS.filter((name) => name !== SUGGESTION);
const MAX_GROWTH = 1.5;

export const growth: Bench = {
  name: 'growth',
  measures: 'The cost of each operation with 10 k to 10 M stored messages, and with 1, 10 and 100 municipalities.',

  async run(place: Place, size: Size): Promise<Outcome> {
    const to = size.to ?? (size.quick ? QUICK_TO : DEFAULT_TO);
    const times = size.quick ? 5 : 120;
    const client = await place.connect();
    const cvrs = await registerMunicipalities(place, MANY);
    const sample = await takeSample(place, client);
    const source = { client, ownerUrl: place.database.ownerUrl, sample };
    const measure = (stock: Stock) => measureAt({ place, client, stock, times });

    const sameSize = Math.min(to, 10 * SMALLEST);
    const measured: Measured[] = [];
    for (const municipalities of [FEW, MANY]) {
      await empty(client);
      const stock = { messages: sameSize, municipalities: cvrs.slice(0, municipalities) };
      await fill(source, 0, stock);
      measured.push(await measure(stock));
    }
    await empty(client);
    const bySize: Measured[] = [];
    let filled = 0;
    for (const messages of sizesTo(to)) {
      const began = performance.now();
      const stock = { messages, municipalities: cvrs.slice(0, SOME) };
      await fill(source, filled, stock);
      const seconds = (performance.now() - began) / 1_000;
      process.stdout.write(`  ${messages} messages, filled in ${seconds.toFixed(0)} s\n`);
      filled = messages;
      bySize.push(await measure(stock));
    }
    return outcomeOf({ bySize, few: measured[0] as Measured, many: measured[1] as Measured, times });
  },
};

/** 10 k, 100 k, 1 M … and `to`. */
function sizesTo(to: number): number[] {
  const sizes: number[] = [];
  for (let messages = Math.min(SMALLEST, to / 5); messages < to; messages *= 10) sizes.push(messages);
  return [...sizes, to];
}

/** @returns their CVR numbers, first the example municipality, which is measured */
async function registerMunicipalities({ database }: Place, count: number): Promise<string[]> {
  const others = Array.from({ length: count - 1 }, (_, at) => String(90_000_000 + at));
  for (const cvr of others)
    await registerMunicipality(database.ownerUrl, { cvr, name: `Kommune ${cvr}`, contactPoints: [] });
  return [EXAMPLE_MUNICIPALITY.cvr, ...others];
}

interface Measured {
  readonly stock: Stock;
  readonly costs: Costs;
  /** Bytes of the database on disk per message. */
  readonly bytesEach: number;
}

async function measureAt({
  place,
  client,
  stock,
  times,
}: {
  readonly place: Place;
  readonly client: pg.Client;
  readonly stock: Stock;
  readonly times: number;
}): Promise<Measured> {
  const { rows } = await client.query<{ bytes: number }>('SELECT pg_database_size(current_database())::float AS bytes');
  const stack = await place.start('ours/stack');
  const token = await issueToken(place.paths);
  const { yardstick, of } = await costsOf(
    { url: stack.url, token, client, cpuMs: () => stack.cpuMs() + place.postgresCpuMs() },
    times,
  );
  await stack.stop();
  const costs = { yardstick, of: new Map([...of, [SWEEPS, await costOfSweeps(client, times)]]) };
  return { stock, costs, bytesEach: (rows[0]?.bytes ?? 0) / stock.messages };
}

interface AllMeasured {
  readonly bySize: readonly Measured[];
  readonly few: Measured;
  readonly many: Measured;
  readonly times: number;
}

function outcomeOf({ bySize, few, many, times }: AllMeasured): Outcome {
  const [smallest, largest] = [bySize[0] as Measured, bySize.at(-1) as Measured];
  const span = `${count(smallest.stock.messages)} → ${count(largest.stock.messages)}`;
  const bySizeGrowth = growthOf(smallest, largest);
  const byMunicipalities = growthOf(few, many);
  return {
    columns: ['messages', 'municipalities', '', 'SELECT 1', ...NAMES, 'bytes each'],
    rows: [
      ...bySize.flatMap(rowsOf),
      ...growthRows(span, String(SOME), bySizeGrowth),
      ...[few, many].flatMap(rowsOf),
      ...growthRows(count(few.stock.messages), `${FEW} → ${MANY}`, byMunicipalities),
    ],
    figures: {
      growth_ratio: most(bySizeGrowth.cpu),
      growth_ratio_municipalities: most(byMunicipalities.cpu),
      growth_ratio_ms: most(bySizeGrowth.milliseconds),
      messages: largest.stock.messages,
      ...Object.fromEntries(COUNTED.map((name) => [keyOf(name), bySizeGrowth.cpu[name] ?? Number.NaN])),
    },
    goals: [
      atMost(`highest growth of processor time, ${span} messages`, most(bySizeGrowth.cpu), MAX_GROWTH, ' ×'),
      atMost(
        `highest growth of processor time, ${FEW} → ${MANY} municipalities`,
        most(byMunicipalities.cpu),
        MAX_GROWTH,
        ' ×',
      ),
    ],
    notes: [
      `Medians of ${times}, one client, all services in one process; \`--to ${largest.stock.messages}\` repeats it.`,
      'CPU: of the services and PostgreSQL; intake includes the suggestion. The goals use CPU, which other work disturbs least. Growth in ms is relative to `SELECT 1`, but not for sweeps.',
      'blocks: 8 KB pages of our tables and indexes that PostgreSQL touched, cached or not.',
      'intake: a reply of 20 KB, to the receipt. suggestion: from its commit to the suggestion’s, queue included. list page: the first 50 pending. sweeps: one idle round of the three.',
      'Stored: two thirds journalized, nearly a third deleted, at most 2000 of a municipality pending; content is a placeholder.',
    ],
  };
}

function rowsOf({ stock, costs, bytesEach }: Measured): string[][] {
  const place = [count(stock.messages), String(stock.municipalities.length)];
  const each = (of: keyof Cost, shownAs: (value: number) => string) =>
    NAMES.map((name) => costOf(costs, name)[of]).map((value) => (Number.isNaN(value) ? '' : shownAs(value)));
  return [
    [...place, 'ms', shown(costs.yardstick), ...each('milliseconds', shown), bytesEach.toFixed(0)],
    [...place, 'CPU ms', '', ...each('cpu', shown), ''],
    [...place, 'blocks', '', ...each('blocks', (blocks) => blocks.toFixed(0)), ''],
  ];
}

/** By what factor the cost of each operation grows. */
type Ratios = Readonly<Record<string, number>>;

interface Growth {
  /** Relative to the yardstick, except for sweeps. */
  readonly milliseconds: Ratios;
  readonly cpu: Ratios;
}

function growthOf(here: Measured, there: Measured): Growth {
  const ratios = (names: readonly string[], cost: (measured: Measured, name: string) => number): Ratios =>
    Object.fromEntries(names.map((name) => [name, rounded(cost(there, name) / cost(here, name))]));
  return {
    milliseconds: ratios(
      NAMES,
      ({ costs }, name) => costOf(costs, name).milliseconds / (name === SWEEPS ? 1 : costs.yardstick),
    ),
    cpu: ratios(COUNTED, ({ costs }, name) => costOf(costs, name).cpu),
  };
}

const most = (ratios: Ratios) => Math.max(...Object.values(ratios));

function growthRows(messages: string, municipalities: string, { milliseconds, cpu }: Growth): string[][] {
  const row = (what: string, ratios: Ratios) => [
    messages,
    municipalities,
    what,
    '',
    ...NAMES.map((name) => (ratios[name] === undefined ? '' : `${shown(ratios[name])}×`)),
    '',
  ];
  return [row('growth, CPU', cpu), row('growth, ms', milliseconds)];
}

function costOf({ of }: Costs, name: string): Cost {
  return of.get(name) ?? { milliseconds: Number.NaN, cpu: Number.NaN, blocks: Number.NaN };
}

const keyOf = (name: string) => `growth_ratio_${name.replaceAll(' ', '_')}`;

/** `1 M`, `10 k`. */
function count(messages: number): string {
  if (messages >= 1e6) return `${messages / 1e6}M`;
  return messages >= 1e3 ? `${messages / 1e3}k` : String(messages);
}
