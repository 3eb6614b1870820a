import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { registerMunicipality } from '../../local/register-municipality.js';
import { issueToken } from '../../testkit/set-up.js';
import { Random } from '../random.js';
import { atMost, type Bench, type Goal, type Outcome, type Size } from './bench.js';
import { Connection } from './client.js';
import { median, percentile, rounded } from './measure.js';
import { type Copies, REST_PATH, registerSentMessage, replyCopies } from './memos.js';
import type { Place } from './place.js';

const FLOODED = '33333333';
const OTHERS = ['40000001', '40000002', '40000003', '40000004', '40000005'];
const OLD_LETTERS = 100_000;
const OLD_LETTER_BYTES = 2_000;
/** The connections that old letters come over, each as fast as it is answered. */
const FLOOD_CONNECTIONS = 16;
const SENT_AGAIN_MS = 1_000;
/** The first letters are stored at once; that is over before others are looked at, as a flood lasts for hours. */
const BURST_MS = 5_000;
/** Of the others together: letters and lists a second, each at its own random time. */
const RATE = 10;
const LIST = '/api/v1/incoming-documents?status=pending&limit=50';
/** What is in their lists together. */
const PENDING = 200;
const LIMIT = 1.25;

/** Milliseconds, in fractions. */
const wallClock = () => performance.timeOrigin + performance.now();

export const fairness: Bench = {
  name: 'fairness',
  measures: `What other municipalities notice while ${OLD_LETTERS} old letters come for one.`,
  page: 'fairness.md',

  async run(place: Place, size: Size): Promise<Outcome> {
    for (const cvr of [FLOODED, ...OTHERS]) {
      await registerMunicipality(place.database.ownerUrl, { cvr, name: `Kommune ${cvr}`, contactPoints: [] });
    }
    const client = await place.connect();
    const old = replyCopies(await registerSentMessage(client, FLOODED), FLOODED, OLD_LETTER_BYTES);
    const others: Other[] = [];
    for (const municipality of OTHERS) {
      const letters = replyCopies(await registerSentMessage(client, municipality), municipality);
      others.push({ letters, token: await issueToken(place.paths, { municipality }) });
    }
    const [receiver, journaler] = [await place.start('ours/receiver'), await place.start('ours/journaler')];
    const scene = {
      client,
      others,
      receiver: receiver.url,
      journaler: journaler.url,
    };
    await offer({ ...scene, seconds: PENDING / RATE / (size.quick ? 10 : 1), seed: size.rounds }); // warm
    const seconds = size.quick ? 3 : 60;

    const without: Noticed[] = [];
    const during: Noticed[] = [];
    const rates: number[] = [];
    for (let round = 0; round < size.rounds; round += 1) {
      without.push(await offer({ ...scene, seconds, seed: round }));
      const flood = new Flood(receiver.url, old);
      await delay(size.quick ? 0 : BURST_MS);
      during.push(await offer({ ...scene, seconds, seed: round })); // at the same times
      rates.push(await flood.stop());
      await untilQuiet(client);
    }
    const perSecond = median(rates);
    const [calm, flooded] = [figuresOf(together(without)), figuresOf(together(during))];
    const ratios = Object.fromEntries(
      FIGURES.map(({ name }) => [name, rounded((flooded[name] ?? 0) / (calm[name] ?? 1))]),
    );
    return {
      columns: ['of the others', 'without flood', 'with flood', 'ratio'],
      rows: FIGURES.map(({ name, title }) => [
        title,
        `${calm[name]?.toFixed(1)} ms`,
        `${flooded[name]?.toFixed(1)} ms`,
        `${ratios[name]?.toFixed(2)} ×`,
      ]),
      figures: { ...ratios, flood_per_second: rounded(perSecond, 0) },
      goals: FIGURES.map(
        ({ name, title }): Goal => atMost(`${title}, of that without flood`, ratios[name] ?? 0, LIMIT, ' ×'),
      ),
      notes: [
        `${size.rounds} rounds without and with a flood in turn, ${seconds} s each; ${RATE} letters of 20 KB and ${RATE} lists of 50 a second of ${OTHERS.length} other municipalities, each at its own random time, the same ones in both; counted from when each was due. What was refused counts as answered then.`,
        `The flood: old letters of ${OLD_LETTER_BYTES} bytes of content, over ${FLOOD_CONNECTIONS} connections, each as fast as it is answered, from ${BURST_MS / 1_000} s before: ${perSecond.toFixed(0)} a second were received, with the first ones, which are let in at once.`,
        'Each is a reply, so each gets a suggestion. Suggestion: from when the letter was due to the commit of its suggestion.',
        'One receiver and one journaler; clients and PostgreSQL on the same machine.',
      ],
    };
  },
};

interface Other {
  readonly letters: Copies;
  readonly token: string;
}

interface Scene {
  readonly client: pg.Client;
  readonly others: readonly Other[];
  readonly receiver: string;
  readonly journaler: string;
  readonly seconds: number;
  readonly seed: number;
}

/** Milliseconds. */
interface Noticed {
  readonly receipts: readonly number[];
  readonly suggestions: readonly number[];
  readonly lists: readonly number[];
}

const FIGURES = [
  { name: 'receipt_p50', title: 'receipt, p50', of: ({ receipts }: Noticed) => percentile(receipts, 50) },
  { name: 'receipt_p95', title: 'receipt, p95', of: ({ receipts }: Noticed) => percentile(receipts, 95) },
  { name: 'suggestion_p50', title: 'suggestion, p50', of: ({ suggestions }: Noticed) => percentile(suggestions, 50) },
  { name: 'suggestion_p95', title: 'suggestion, p95', of: ({ suggestions }: Noticed) => percentile(suggestions, 95) },
  { name: 'list_p95', title: 'list, p95', of: ({ lists }: Noticed) => percentile(lists, 95) },
] as const;

function figuresOf(noticed: Noticed): Record<string, number> {
  return Object.fromEntries(FIGURES.map(({ name, of }) => [name, of(noticed)]));
}

function together(rounds: readonly Noticed[]): Noticed {
  return {
    receipts: rounds.flatMap(({ receipts }) => receipts),
    suggestions: rounds.flatMap(({ suggestions }) => suggestions),
    lists: rounds.flatMap(({ lists }) => lists),
  };
}

/** Letters and lists of the others. */
async function offer({ client, others, receiver, journaler, seconds, seed }: Scene): Promise<Noticed> {
  const random = new Random(seed);
  const due = new Map<string, number>();
  const receipts = onSchedule(receiver, seconds, random.fork('letters'), async (connection, at) => {
    const { body } = await connection.post(REST_PATH, random.pick(others).letters.next());
    due.set((JSON.parse(body) as { messageUUID: string }).messageUUID, at);
  });
  const lists = onSchedule(journaler, seconds, random.fork('lists'), async (connection) => {
    const { status } = await connection.call('GET', LIST, `Authorization: Bearer ${random.pick(others).token}\r\n`);
    if (status !== 200) throw new Error(`A list was answered ${status}.`);
  });
  const noticed = { receipts: await receipts, lists: await lists };
  return { ...noticed, suggestions: await suggestionsOf(client, due) };
}

/** @returns milliseconds from when each was due to its answer */
async function onSchedule(
  url: string,
  seconds: number,
  random: Random,
  ask: (connection: Connection, at: number) => Promise<void>,
): Promise<number[]> {
  const idle: Connection[] = [];
  const took: number[] = [];
  const end = wallClock() + seconds * 1_000;
  const asked: Promise<void>[] = [];
  for (let at = wallClock(); at < end; at += random.gap(1_000 / RATE)) {
    await delay(Math.max(0, at - wallClock()));
    asked.push(
      (async () => {
        const last = idle.pop();
        const connection = last?.isOpen ? last : await Connection.open(url);
        await ask(connection, at).then(
          () => idle.push(connection),
          () => connection.close(), // refused: as slow as it was
        );
        took.push(wallClock() - at);
      })(),
    );
  }
  await Promise.all(asked);
  for (const connection of idle) connection.close();
  return took;
}

/** Waits for the suggestion of each letter, for up to a minute; later ones count as that minute. */
async function suggestionsOf(client: pg.Client, due: ReadonlyMap<string, number>): Promise<number[]> {
  const ids = [...due.keys()];
  const made = `SELECT external_id AS id, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 * 1000 AS at
    FROM messages WHERE suggestion_run_at IS NOT NULL AND external_id = ANY ($1)`;
  for (const limit = wallClock() + 60_000; ; await delay(200)) {
    const { rows } = await client.query<{ id: string; at: number }>(made, [ids]);
    if (rows.length < ids.length && wallClock() < limit) continue;
    const at = new Map(rows.map((row) => [row.id, row.at]));
    return ids.map((id) => (at.get(id) ?? wallClock()) - (due.get(id) ?? 0));
  }
}

/** Until no message waits for a suggestion, since those of the flood would slow what comes next. */
async function untilQuiet(client: pg.Client): Promise<void> {
  const waiting = `SELECT FROM messages WHERE suggestion_run_at IS NULL AND status = 'pending' LIMIT 1`;
  while (((await client.query(waiting)).rowCount ?? 0) > 0) await delay(500);
}

/** Old letters, as fast as they are taken, until it is stopped. */
class Flood {
  readonly #senders: Promise<unknown>;
  readonly #began = performance.now();
  #received = 0;
  #isStopped = false;

  constructor(url: string, letters: Copies) {
    this.#senders = Promise.all(Array.from({ length: FLOOD_CONNECTIONS }, () => this.#send(url, letters)));
  }

  /** @returns how many were received a second */
  async stop(): Promise<number> {
    this.#isStopped = true;
    await this.#senders;
    return (this.#received * 1_000) / (performance.now() - this.#began);
  }

  async #send(url: string, letters: Copies): Promise<void> {
    let connection = await Connection.open(url);
    while (!this.#isStopped) {
      try {
        await connection.post(REST_PATH, letters.next());
        this.#received += 1;
      } catch {
        connection.close();
        await delay(SENT_AGAIN_MS); // what is to be sent again
        connection = await Connection.open(url);
      }
    }
    connection.close();
  }
}
