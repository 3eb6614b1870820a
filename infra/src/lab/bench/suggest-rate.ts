import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { createLog } from '@indbakke/shared/log';
import { openQueues, type Queues, SUGGEST_CASE } from '@indbakke/shared/queue';
import type pg from 'pg';
import { EXAMPLE_MUNICIPALITY } from '../../local/example-municipality.js';
import { HAS_REDIS, startOwnRedis } from '../../testkit/redis.js';
import { atLeast, type Bench, type Outcome, type Size } from './bench.js';
import type { Child } from './child.js';
import { alternate, median, percentile, rounded, spread } from './measure.js';
import { registerSentMessage } from './memos.js';
import { NO_OP } from './no-op.js';
import type { Place } from './place.js';
import { insertRows, type Sample, takeSample } from './rivals/rows.js';

const PERSISTENT = ['--appendonly', 'yes']; // synced every second, its default
const CONCURRENCY = 128; // the journaler's default
const RATE = 100; // messages a second
const BATCH = 100;

export const suggestRate: Bench = {
  name: 'suggest-rate',
  measures: 'Suggestions: messages a second from a backlog, and their age at 100 a second.',

  async run(place: Place, size: Size): Promise<Outcome> {
    const client = await place.connect();
    const sample = await takeSample(place, client, await registerSentMessage(client));
    const redis = HAS_REDIS ? await startOwnRedis(place.folder('redis'), PERSISTENT) : undefined;
    if (redis) place.atEnd(() => redis.close());
    const jobs = size.quick ? 500 : 3_000;
    const backends = [['PostgreSQL', place.database.url], ...(redis ? [['Redis', redis.url]] : [])] as [
      string,
      string,
    ][];

    const rows: string[][] = [];
    const figures: Record<string, number> = {};
    let profile: string[] | undefined;
    for (const [backend, url] of backends) {
      const queues = openQueues({ url, log: createLog('bench', 'silent') });
      place.atEnd(() => queues.close());
      const ours = { name: 'ours', measure: () => suggestAll({ place, client, sample, queues, url }, jobs) };
      const noOp = { name: 'no-op', measure: () => noOpRate({ place, client, queues, url }, jobs) };
      const rates = await alternate([ours, noOp], size.rounds, 0);
      const ages = await agesOf({ place, client, sample, queues, url }, size.quick ? 2 : 8);
      const ratio = rounded(median(rates('ours')) / median(rates('no-op')));
      rows.push(
        [backend, 'ours', spread(rates('ours')), percentile(ages, 50).toFixed(0), percentile(ages, 99).toFixed(0)],
        [backend, 'no-op jobs', spread(rates('no-op')), '', ''],
      );
      figures[`rate_of_limit_${backend.toLowerCase()}`] = ratio;
      figures[`age_p99_ms_${backend.toLowerCase()}`] = rounded(percentile(ages, 99), 0);
      if (!size.quick && !profile) profile = await profileOf({ place, client, sample, queues, url }, jobs);
    }
    const ratios = backends.map(([backend]) => figures[`rate_of_limit_${backend.toLowerCase()}`] ?? 0);
    return {
      columns: ['backend', '', 'messages/s (least–most)', 'age p50 ms', 'age p99 ms'],
      rows,
      figures: { rate_of_limit: Math.min(...ratios), ...figures },
      goals: backends.map(([backend], index) => atLeast(`rate on ${backend}, of no-op`, ratios[index] ?? 0, 0.6, ' ×')),
      notes: [
        `${jobs} messages a round, ${CONCURRENCY} concurrently, in a new worker process; from the first commit of suggestions, not counted, to the last. Tables are analyzed before each round.`,
        `Age at ${RATE}/s: from commit of the rows to commit of the suggestion; jobs are added one by one.`,
        'Each message gets a suggestion, an event and an audit row.',
        ...(redis ? [] : ['Redis is not installed here.']),
      ],
      profile,
    };
  },
};

interface Scene {
  readonly place: Place;
  readonly client: pg.Client;
  readonly sample: Sample;
  readonly queues: Queues;
  /** Backend of the queues. */
  readonly url: string;
}

/** @returns messages a second */
async function suggestAll(scene: Scene, count: number): Promise<number> {
  const ids = await addBacklog(scene, count);
  await scene.client.query('ANALYZE');
  const journaler = await startAndWait(scene, ids);
  await journaler.stop();
  // The suggestions of the first commit were made before the measured time begins.
  const { rows } = await scene.client.query<{ rate: number }>(
    `SELECT (count(*) FILTER (WHERE at > first) / extract(epoch FROM max(at) - min(first)))::float AS rate
     FROM (SELECT pg_xact_commit_timestamp(xmin) AS at, min(pg_xact_commit_timestamp(xmin)) OVER () AS first
           FROM messages WHERE id = ANY ($1)) AS commits`,
    [ids],
  );
  return rows[0]?.rate ?? Number.NaN;
}

async function profileOf(scene: Scene, count: number): Promise<string[]> {
  const ids = await addBacklog(scene, count);
  return scene.place.stopProfiled(await startAndWait(scene, ids, true));
}

/** Adds messages without a suggestion run, each with its job. */
async function addBacklog({ client, sample, queues }: Scene, count: number): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < count) {
    const externalIds = Array.from({ length: Math.min(BATCH, count - ids.length) }, () => randomUUID());
    const batch = await insertRows(client, sample, externalIds);
    await addJobs(queues, batch);
    ids.push(...batch);
  }
  return ids;
}

/** Starts a journaler and waits for all suggestion runs. */
async function startAndWait({ place, client, url }: Scene, ids: readonly string[], profiled = false): Promise<Child> {
  const journaler = await place.start('ours/journaler', { profiled, env: settingsOf(url) });
  await allSuggested(client, ids);
  return journaler;
}

/** @returns jobs a second */
async function noOpRate({ place, client, queues, url }: Omit<Scene, 'sample'>, count: number): Promise<number> {
  const ids = Array.from({ length: count }, () => randomUUID());
  for (let at = 0; at < count; at += BATCH) {
    for (const messageId of ids.slice(at, at + BATCH)) {
      queues.enqueue(NO_OP, { messageId, municipality: '22222222', run: 1 });
    }
    await queues.flush();
  }
  await client.query('ANALYZE');
  const worker = await place.start('rivals/no-op-worker', { env: { ...settingsOf(url), JOBS: String(count) } });
  const { milliseconds } = await worker.message<{ milliseconds: number }>();
  await worker.stop();
  return ((count - 1) * 1_000) / milliseconds;
}

/** Milliseconds from the commit of a message to that of its suggestion, at RATE for `seconds`. */
async function agesOf({ place, client, sample, queues, url }: Scene, seconds: number): Promise<number[]> {
  const journaler = await place.start('ours/journaler', { env: settingsOf(url) });
  await delay(500); // until the worker is connected
  const committed = new Map<string, number>();
  const adding: Promise<void>[] = [];
  const began = performance.now();
  for (let sent = 0; sent < seconds * RATE; sent += 1) {
    await delay(Math.max(0, began + (sent * 1_000) / RATE - performance.now()));
    const [id = ''] = await insertRows(client, sample, [randomUUID()]);
    committed.set(id, Date.now());
    adding.push(addJobs(queues, [id]));
  }
  await Promise.all(adding);
  await allSuggested(client, [...committed.keys()]);
  await journaler.stop();
  const { rows } = await client.query<{ id: string; at: number }>(
    `SELECT id, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float * 1000 AS at FROM messages WHERE id = ANY ($1)`,
    [[...committed.keys()]],
  );
  return rows.map(({ id, at }) => at - (committed.get(id) ?? Number.NaN));
}

function settingsOf(queueUrl: string) {
  return { QUEUE_URL: queueUrl, SUGGEST_CONCURRENCY: String(CONCURRENCY) };
}

function addJobs(queues: Queues, ids: readonly string[]): Promise<void> {
  const municipality = EXAMPLE_MUNICIPALITY.cvr;
  for (const messageId of ids) queues.enqueue(SUGGEST_CASE, { messageId, municipality, run: 1 });
  return queues.flush();
}

async function allSuggested(client: pg.Client, ids: readonly string[]): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; await delay(50)) {
    const { rows } = await client.query(
      `SELECT FROM messages WHERE suggestion_run_at IS NULL AND id = ANY ($1) LIMIT 1`,
      [ids],
    );
    if (rows.length === 0) return;
  }
  throw new Error('After a minute some messages still have no suggestion run.');
}
