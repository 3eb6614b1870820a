import { performance } from 'node:perf_hooks';
import { digestOfParty, loadKeyRing } from '@indbakke/shared/keys';
import pg from 'pg';
import type { Database } from '../../../local/database.js';
import { registerMunicipality } from '../../../local/register-municipality.js';
import { localSettings } from '../../../local/settings.js';
import { issueToken } from '../../../testkit/set-up.js';
import { atMost, type Bench, type Outcome, type Size } from '../bench.js';
import type { Child } from '../child.js';
import { Connection } from '../client.js';
import { percentile, rounded } from '../measure.js';
import type { Place } from '../place.js';
import { CASE, fill, MEASURED, MUNICIPALITIES, type Stock } from './fill.js';

const ROWS = 5_000_000;
const QUICK_ROWS = 20_000;
const [FEWER, MORE] = [6, 13]; // months
const MAX_GROWTH = 1.1;
const ROUNDS = 20;
const CALLS_A_ROUND = 10;
const CITIZENS_NUMBER = '4101999999';

export const audit: Bench = {
  name: 'audit',
  measures: 'Searches of the audit log with the same rows in 6 and in 13 months.',

  async run(place: Place, size: Size): Promise<Outcome> {
    const rows = size.to ?? (size.quick ? QUICK_ROWS : ROWS);
    const rounds = size.quick ? 1 : ROUNDS;
    for (const cvr of MUNICIPALITIES) {
      await registerMunicipality(place.database.ownerUrl, { cvr, name: `Kommune ${cvr}`, contactPoints: [] });
    }
    const copy = await place.copyDatabase();
    const sites = [
      await openSite(place, place.database, { rows, months: FEWER }),
      await openSite(place, copy, { rows, months: MORE }),
    ];
    const measured: Measured[] = [];
    for (const [name, bodies] of await searchesOf(sites[1] as Site))
      measured.push(await measure(sites, name, bodies, rounds));
    return outcomeOf(measured, rows, rounds * CALLS_A_ROUND);
  },
};

/** A filled database and its journaler. */
interface Site {
  readonly owner: pg.Client;
  readonly server: Child;
  readonly token: string;
  connection?: Connection;
}

async function openSite(place: Place, { url, ownerUrl }: Database, stock: Stock): Promise<Site> {
  const keys = await loadKeyRing(localSettings(place.paths).KEY_FILE as string);
  const owner = new pg.Client({ connectionString: ownerUrl });
  await owner.connect();
  place.atEnd(() => owner.end());
  const began = performance.now();
  await fill({ client: owner, ownerUrl }, stock, digestOfParty(keys, CITIZENS_NUMBER));
  const seconds = (performance.now() - began) / 1_000;
  process.stdout.write(`  ${stock.rows} rows in ${stock.months} months, filled in ${seconds.toFixed(0)} s\n`);
  const server = await place.start('ours/journaler', { env: { DATABASE_URL: url } });
  const roles = ['Revisionslog.Læs'];
  const token = await issueToken(place.paths, { user: 'revisor-1', municipality: MEASURED, roles });
  return { owner, server, token };
}

/** A body for each call, in turn; with the ids of both databases, where those differ. */
type Bodies = (site: Site, turn: number) => Promise<object> | object;

async function searchesOf(_: Site): Promise<readonly (readonly [name: string, bodies: Bodies])[]> {
  const ids = new Map<Site, string[]>();
  const messageOf = async (site: Site, turn: number) => {
    const known = ids.get(site) ?? (await someMessages(site.owner));
    ids.set(site, known);
    return known[turn % known.length];
  };
  const day = 86_400_000;
  const daysAgo = (days: number) => new Date(Date.now() - days * day).toISOString();
  return [
    ['newest', () => ({})],
    ['message', async (site, turn) => ({ message: await messageOf(site, turn) })],
    ['user', (_, turn) => ({ user: `caseworker-${turn % 500}` })],
    ['user and action', (_, turn) => ({ user: `caseworker-${turn % 500}`, action: 'journalized' })],
    ['case', (_, turn) => ({ case: `C${CASE + turn}` })],
    ['citizen', () => ({ citizen: CITIZENS_NUMBER })],
    ['citizen, a month', () => ({ citizen: CITIZENS_NUMBER, from: daysAgo(60), to: daysAgo(30) })],
    ['action', () => ({ action: 'journalized' })],
    ['refusals', () => ({ result: 'not-found' })],
    ['a day', (_, turn) => ({ from: daysAgo((turn % 100) + 1), to: daysAgo(turn % 100) })],
  ];
}

async function someMessages(owner: pg.Client): Promise<string[]> {
  const { rows } = await owner.query<{ id: string }>(
    'SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS n, count(*) OVER () AS most FROM messages WHERE municipality = $1) AS m WHERE n % greatest(most / 50, 1) = 0 LIMIT 50',
    [MEASURED],
  );
  return rows.map(({ id }) => id);
}

interface Measured {
  readonly name: string;
  readonly items: readonly number[];
  readonly milliseconds: readonly number[][];
}

/** Makes a search at each site in turn (A B A B …), after some for warming up. */
async function measure(sites: readonly Site[], name: string, bodies: Bodies, rounds: number): Promise<Measured> {
  const milliseconds: number[][] = sites.map(() => []);
  const items = sites.map(() => 0);
  for (let round = -1; round < rounds; round += 1) {
    for (const [at, site] of sites.entries()) {
      for (let call = 0; call < CALLS_A_ROUND; call += 1) {
        const body = await bodies(site, (round + 1) * CALLS_A_ROUND + call);
        const began = performance.now();
        const found = await search(site, body);
        if (round >= 0) milliseconds[at]?.push(performance.now() - began);
        items[at] = found;
      }
    }
  }
  return { name, items, milliseconds };
}

/** @returns how many rows it found */
async function search(site: Site, body: object): Promise<number> {
  if (!site.connection?.isOpen) site.connection = await Connection.open(site.server.url);
  const headers = `Authorization: Bearer ${site.token}\r\n`;
  const answer = await site.connection.call('POST', '/api/v1/audit-events/search', headers, JSON.stringify(body));
  if (answer.status !== 200) throw new Error(`The search answered ${answer.status}: ${answer.body.slice(0, 300)}`);
  return (JSON.parse(answer.body) as { items: unknown[] }).items.length;
}

const growthOf = ({ milliseconds }: Measured, percent: number): number => {
  const [fewer, more] = milliseconds.map((each) => percentile(each, percent));
  return rounded((more ?? Number.NaN) / (fewer ?? Number.NaN));
};

function outcomeOf(measured: readonly Measured[], rows: number, times: number): Outcome {
  const worst = (percent: number) => Math.max(...measured.map((each) => growthOf(each, percent)));
  return {
    columns: [
      'search by',
      'rows found',
      `${FEWER} months: p50`,
      'p95',
      `${MORE} months: p50`,
      'p95',
      'p50, growth',
      'p95, growth',
    ],
    rows: measured.map((each) => [
      each.name,
      each.items.join(' / '),
      ...each.milliseconds.flatMap((one) => [percentile(one, 50).toFixed(1), percentile(one, 95).toFixed(1)]),
      `${growthOf(each, 50).toFixed(2)}×`,
      `${growthOf(each, 95).toFixed(2)}×`,
    ]),
    figures: { growth_ratio: worst(50), growth_ratio_p95: worst(95), rows },
    goals: [atMost(`highest growth, ${FEWER} → ${MORE} months`, worst(50), MAX_GROWTH, ' ×')],
    notes: [
      `ms over HTTP, one client, ${times} calls at each in turn. ${rows} rows of ten municipalities, of which one is measured; a page is 50 rows.`,
      'Each search writes a row of its own.',
    ],
  };
}
