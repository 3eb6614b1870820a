import { randomUUID } from 'node:crypto';
import { createLog } from '@indbakke/shared/log';
import { openQueues, SUGGEST_CASE } from '@indbakke/shared/queue';
import { EXAMPLE_MUNICIPALITY } from '../../../local/example-municipality.js';
import { HAS_REDIS, startOwnRedis } from '../../../testkit/redis.js';
import { issueToken } from '../../../testkit/set-up.js';
import type { Bench, Outcome, Size } from '../bench.js';
import { cpuMsOf } from '../cpu.js';
import { alternate, median, rounded, spread } from '../measure.js';
import { type Copies, registerSentMessage, replyCopies } from '../memos.js';
import type { Place } from '../place.js';
import { insertRows, type Sample, takeSample } from '../rivals/rows.js';
import { type CpuOfLetter, cpuOfLives } from './lives.js';
import { type Lists, listsOf, receiptsOf, suggestionsOf, untilSuggested } from './loads.js';
import { pageOf } from './page.js';
import { PARTS, startProcesses, stopProcesses } from './processes.js';

const BATCH = 100;
const LARGE_BYTES = 4_000_000;

export const scale: Bench = {
  name: 'scale',
  measures:
    'Receipts and suggestions a second and the list at 1, 2 and 4 processes of each service, and processor time for a letter.',

  async run(place: Place, size: Size): Promise<Outcome> {
    const client = await place.connect();
    const answers = await registerSentMessage(client);
    const scene: Scene = {
      place,
      client,
      size,
      letters: replyCopies(answers),
      token: await issueToken(place.paths),
      sample: await takeSample(place, client, answers),
    };
    const numbers = size.quick ? [1, 2] : [1, 2, 4];
    const measured = new Map<number, Measured[]>(numbers.map((each) => [each, []]));
    const contenders = numbers.map((each) => ({
      name: String(each),
      async measure() {
        const found = await measureWith(scene, each);
        measured.get(each)?.push(found);
        return found.receipts;
      },
    }));
    await alternate(contenders, size.rounds, 0);
    const cpu = await cpuOfBackends(scene);
    const perMb = await cpuOfMb(scene);
    const idle = median((measured.get(2) ?? []).map((one) => one.idle));
    const of = (each: number, figure: (one: Measured) => number) => (measured.get(each) ?? []).map(figure);
    return {
      columns: ['processes of each', 'receipts/s', 'suggestions/s', 'lists/s', 'list p95 ms', 'idle, processors'],
      rows: numbers.map((each) => [
        String(each),
        spread(of(each, ({ receipts }) => receipts)),
        spread(of(each, ({ suggestions }) => suggestions)),
        spread(of(each, ({ lists }) => lists.perSecond)),
        spread(of(each, ({ lists }) => lists.p95)),
        rounded(median(of(each, ({ idle }) => idle)), 3).toString(),
      ]),
      figures: {
        ...Object.fromEntries(
          numbers.flatMap((each) => [
            [`receipts_per_second_${each}`, rounded(median(of(each, ({ receipts }) => receipts)), 0)],
            [`suggestions_per_second_${each}`, rounded(median(of(each, ({ suggestions }) => suggestions)), 0)],
            [`list_p95_ms_${each}`, rounded(median(of(each, ({ lists }) => lists.p95)), 1)],
          ]),
        ),
        ...Object.fromEntries(
          Object.entries(cpu.PostgreSQL).map(([part, ms]) => [`cpu_ms_${part.toLowerCase()}`, rounded(ms, 1)]),
        ),
        cpu_ms_for_a_mb: rounded(perMb, 1),
      },
      goals: [],
      noGoals: 'it shows what a letter takes, for [what many municipalities need](scale.md)',
      notes: [
        `Each measurement starts new processes, in turn 1, 2, 4, 1, 2, 4 …; ${secondsOf(size)} s each. Receipts: replies of 20 KB from 32 senders that wait. Suggestions: a backlog of ${backlogOf(size)}. Lists: 50 of the inbox, 8 callers at once.`,
        'Idle: all those processes and PostgreSQL together, with nothing to do.',
        'Senders, callers and PostgreSQL share the machine with the services: more processes than processors gain nothing here.',
      ],
      pages: { 'scale.md': pageOf({ cpu, perMb, idle }) },
    };
  },
};

interface Scene {
  readonly place: Place;
  readonly client: Awaited<ReturnType<Place['connect']>>;
  readonly size: Size;
  readonly letters: Copies;
  readonly token: string;
  readonly sample: Sample;
}

interface Measured {
  readonly receipts: number;
  readonly suggestions: number;
  readonly lists: Lists;
  /** Processors that are busy while nothing is to be done. */
  readonly idle: number;
}

const secondsOf = ({ quick }: Size) => (quick ? 1 : 10);
const backlogOf = ({ quick }: Size) => (quick ? 200 : 3_000);

async function measureWith(scene: Scene, each: number): Promise<Measured> {
  const { place, client, size, letters, token } = scene;
  const seconds = secondsOf(size);
  const backlog = await addBacklog(scene, backlogOf(size));
  await client.query('ANALYZE');
  const processes = await startProcesses(place, each);
  try {
    const suggestions = await suggestionsOf(client, backlog);
    const idle = await idleOf(scene, processes, seconds);
    const lists = await listsOf(processes.journaler, token, seconds);
    const receipts = await receiptsOf(processes.receiver, letters, seconds);
    await untilSuggested(client);
    return { receipts, suggestions, lists, idle };
  } finally {
    await stopProcesses(processes);
  }
}

async function idleOf(
  { place }: Scene,
  processes: Awaited<ReturnType<typeof startProcesses>>,
  seconds: number,
): Promise<number> {
  const cpu = () =>
    PARTS.flatMap((part) => processes[part]).reduce((sum, child) => sum + child.cpuMs(), place.postgresCpuMs());
  const before = cpu();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  return (cpu() - before) / (seconds * 1_000);
}

/** Messages without a suggestion run, each with its job. */
async function addBacklog({ place, client, sample }: Scene, count: number): Promise<string[]> {
  const queues = openQueues({ url: place.database.url, log: createLog('bench', 'silent') });
  const ids: string[] = [];
  while (ids.length < count) {
    const externalIds = Array.from({ length: Math.min(BATCH, count - ids.length) }, () => randomUUID());
    const batch = await insertRows(client, sample, externalIds);
    for (const messageId of batch)
      queues.enqueue(SUGGEST_CASE, { messageId, municipality: EXAMPLE_MUNICIPALITY.cvr, run: 1 });
    await queues.flush();
    ids.push(...batch);
  }
  await queues.close();
  return ids;
}

const livesOf = ({ quick }: Size) => (quick ? 20 : 600);

/** With the queues on PostgreSQL, and on Redis where it is installed. */
async function cpuOfBackends(scene: Scene): Promise<{ PostgreSQL: CpuOfLetter; Redis?: CpuOfLetter }> {
  const onPostgres = await cpuOfLetter(scene, undefined);
  if (!HAS_REDIS) return { PostgreSQL: onPostgres };
  const redis = await startOwnRedis(scene.place.folder('redis'), ['--appendonly', 'yes']);
  scene.place.atEnd(() => redis.close());
  return { PostgreSQL: onPostgres, Redis: await cpuOfLetter(scene, redis) };
}

async function cpuOfLetter(
  scene: Scene,
  redis: { readonly url: string; readonly pid: number } | undefined,
): Promise<CpuOfLetter> {
  const processes = await startProcesses(scene.place, 1, redis?.url);
  try {
    const town = { ...scene, processes, redisCpuMs: () => (redis ? cpuMsOf(redis.pid) : 0) };
    await cpuOfLives(town, livesOf(scene.size) / 10); // warm
    return await cpuOfLives(town, livesOf(scene.size));
  } finally {
    await stopProcesses(processes);
  }
}

/** @returns processor time of a receiver and PostgreSQL for each further million bytes of a letter’s files, in ms */
async function cpuOfMb({ place, size }: Scene): Promise<number> {
  const receiver = await place.start('ours/receiver');
  const cpuEach = async (bytes: number) => {
    const letters = replyCopies(undefined, EXAMPLE_MUNICIPALITY.cvr, bytes);
    const before = receiver.cpuMs() + place.postgresCpuMs();
    let sent = 0;
    const next = () => {
      sent += 1;
      return letters.next();
    };
    await receiptsOf([receiver], { ...letters, next }, secondsOf(size));
    return (receiver.cpuMs() + place.postgresCpuMs() - before) / sent;
  };
  await cpuEach(1_000);
  const [small, large] = [await cpuEach(1_000), await cpuEach(LARGE_BYTES)];
  await receiver.stop();
  return ((large - small) * 1e6) / LARGE_BYTES;
}
