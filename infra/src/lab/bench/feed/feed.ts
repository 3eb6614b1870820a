import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { openStore } from '@indbakke/shared/store';
import type pg from 'pg';
import { issueToken } from '../../../testkit/set-up.js';
import { atMost, type Bench, type Outcome, type Size, shown } from '../bench.js';
import type { Child } from '../child.js';
import { percentile, rounded } from '../measure.js';
import type { Place } from '../place.js';
import { type Cost, costOfNumbering } from './cost.js';
import { Waiters } from './waiters.js';
import { Writers } from './writers.js';

const WAITERS = [1, 100, 1_000];
// A municipality with 100 000 letters a year has some thousand changes in a busy hour: less than one a second.
const STEADY_RATE = 2;
const POLL_MS = 20;

export const feed: Bench = {
  name: 'feed',
  measures: 'The change feed: changes a second to 1, 100 and 1000 callers that wait, and from commit to receipt.',

  async run(place: Place, size: Size): Promise<Outcome> {
    const client = await place.connect();
    const journaler = await place.start('ours/journaler', { env: { LOG_LEVEL: 'silent' } });
    const seconds = size.quick ? 0.5 : 10;
    const rows: string[][] = [];
    const figures: Record<string, number> = {};
    const sums = { skipped: 0, twice: 0 };
    for (const count of size.quick ? WAITERS.slice(0, 2) : WAITERS) {
      const most = await measure(place, client, journaler, count, (writers) => writers.writeFor(seconds));
      const steady = await measure(place, client, journaler, count, (writers) =>
        writers.writeAtRate(STEADY_RATE, seconds * 2),
      );
      sums.skipped += most.skipped + steady.skipped;
      sums.twice += most.twice + steady.twice;
      figures[`cpu_ms_an_answer_${count}`] = rounded(steady.cpuMs / steady.delays.length, 3);
      figures[`changes_a_second_${count}`] = rounded(most.perSecond, 0);
      figures[`delay_p50_ms_${count}`] = rounded(percentile(steady.delays, 50), 0);
      figures[`delay_p99_ms_${count}`] = rounded(percentile(steady.delays, 99), 0);
      rows.push([
        String(count),
        shown(most.perSecond),
        shown(most.perSecond * count),
        ...[50, 99].map((percent) => percentile(steady.delays, percent).toFixed(0)),
        ...[50, 99].map((percent) => percentile(most.delays, percent).toFixed(0)),
        shown(steady.cpuMs / steady.delays.length),
        String(most.skipped + steady.skipped),
        String(most.twice + steady.twice),
      ]);
    }
    await journaler.stop();
    const cost = await costOfNumbering(place, client, { seconds: size.quick ? 1 : 6, rounds: size.quick ? 1 : 5 });
    const added = cost.with.postgres - cost.without.postgres + cost.with.numberer;
    const all = cost.without.postgres + cost.without.receiver;
    return {
      columns: [
        'callers',
        'changes/s',
        'events received/s',
        'delay p50 ms',
        'p99',
        'at most changes/s: p50',
        'p99',
        'CPU ms an answer',
        'skipped',
        'twice',
      ],
      rows,
      figures: {
        ...figures,
        ...sums,
        numbering_cpu_ms: rounded(added, 3),
        numbering_of_intake: rounded(added / all, 2),
      },
      goals: [
        atMost('positions that a caller did not get', sums.skipped, 0),
        atMost('positions that a caller got again', sums.twice, 0),
        atMost('from commit to receipt, p99, 1 caller', figures.delay_p99_ms_1 as number, 250, ' ms'),
        atMost('from commit to receipt, p99, 100 callers', figures.delay_p99_ms_100 as number, 500, ' ms'),
        ...(size.quick
          ? []
          : [atMost('from commit to receipt, p99, 1000 callers', figures.delay_p99_ms_1000 as number, 2_000, ' ms')]),
      ],
      notes: [
        'One journaler, which numbers too; writers and callers are one process on the same machine. Each change is a transaction with its event and audit row. All callers follow one municipality.',
        `changes/s: written as fast as 4 connections can for ${seconds} s, until every caller has every one. Delay: from the answer to COMMIT to the receipt by each caller, at ${STEADY_RATE} changes a second; and at most changes/s. CPU: of the journaler, numbering included, for each event at each caller at ${STEADY_RATE} changes a second.`,
        'Other work on the machine makes delays longer; CPU tells what an answer takes.',
        `Numbering, by intake of replies from 64 clients with and without it, in alternating rounds, CPU ms a message: ${linesOf(cost)}.`,
      ],
    };
  },
};

function linesOf(cost: { without: Cost; with: Cost }): string {
  const line = ({ receiver, postgres, numberer }: Cost) =>
    `receiver ${receiver}, PostgreSQL ${postgres}, numberer ${numberer}`;
  return `${line(cost.with)}; without it ${line(cost.without)}`;
}

interface Measured {
  readonly perSecond: number;
  /** From commit to receipt, in ms, of each event at each caller. */
  readonly delays: readonly number[];
  /** Of the journaler. */
  readonly cpuMs: number;
  readonly skipped: number;
  readonly twice: number;
}

async function measure(
  place: Place,
  client: pg.Client,
  journaler: Child,
  count: number,
  write: (writers: Writers) => Promise<void>,
): Promise<Measured> {
  const store = openStore({ url: place.database.url, connections: 8, name: 'bench' });
  const writers = new Writers(store);
  const delays: number[] = [];
  const last = randomUUID();
  let ended = 0;
  const waiters = await Waiters.open(journaler.url, {
    count,
    token: await issueToken(place.paths, { user: 'dubu', system: true }),
    last,
    onEvent: (messageId) => {
      ended = performance.now();
      // It can be here before COMMIT was answered.
      delays.push(ended - (writers.committed.get(messageId) ?? ended));
    },
  });
  const cpuBefore = journaler.cpuMs();
  const began = performance.now();
  const following = waiters.follow();
  await write(writers);
  const changes = writers.committed.size;
  await untilNumbered(client);
  await writers.write(last);
  await following;
  const cpuMs = journaler.cpuMs() - cpuBefore;
  waiters.close();
  await store.close();
  const skipped = waiters.skipped + Math.max(0, changes * count - delays.length);
  return { perSecond: changes / ((ended - began) / 1_000), delays, cpuMs, skipped, twice: waiters.twice };
}

async function untilNumbered(client: pg.Client): Promise<void> {
  while ((await client.query('SELECT FROM events WHERE position IS NULL LIMIT 1')).rowCount !== 0) await pause(POLL_MS);
}
