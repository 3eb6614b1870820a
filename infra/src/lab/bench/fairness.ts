import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { registerMunicipality } from '../../local/register-municipality.js';
import { issueToken } from '../../testkit/set-up.js';
import { atMost, type Bench, type Goal, type Outcome, type Size } from './bench.js';
import { Connection } from './client.js';
import { median, percentile, rounded } from './measure.js';
import { type Copies, REST_PATH, registerSentMessage, replyCopies } from './memos.js';
import type { Place } from './place.js';

const FLOODED = { cvr: '33333333', name: 'Oversvømmet Kommune', contactPoints: [] };
const OLD_LETTERS = 100_000;
const OLD_LETTER_BYTES = 2_000;
/** The connections that old letters come over, each as fast as it is answered. */
const FLOOD_CONNECTIONS = 16;
const SENT_AGAIN_MS = 1_000;
/** Of the other municipality: letters and lists a second. */
const RATE = 10;
const LIST = '/api/v1/incoming-documents?status=pending&limit=50';
/** What is in its list. */
const PENDING = 200;
const LIMIT = 1.25;

export const fairness: Bench = {
  name: 'fairness',
  measures: `What one municipality notices while ${OLD_LETTERS} old letters come for another.`,
  page: 'fairness.md',

  async run(place: Place, size: Size): Promise<Outcome> {
    await registerMunicipality(place.database.ownerUrl, FLOODED);
    const client = await place.connect();
    const letters = replyCopies(await registerSentMessage(client));
    const old = replyCopies(await registerSentMessage(client, FLOODED.cvr), FLOODED.cvr, OLD_LETTER_BYTES);
    const [receiver, journaler] = [await place.start('ours/receiver'), await place.start('ours/journaler')];
    const scene = {
      client,
      letters,
      receiver: receiver.url,
      journaler: journaler.url,
      token: await issueToken(place.paths),
    };
    await offer({ ...scene, seconds: PENDING / RATE / (size.quick ? 10 : 1) }); // warm
    const seconds = size.quick ? 3 : 40;

    const without: Noticed[] = [];
    const during: Noticed[] = [];
    const rates: number[] = [];
    for (let round = 0; round < size.rounds; round += 1) {
      without.push(await offer({ ...scene, seconds }));
      const flood = new Flood(receiver.url, old);
      during.push(await offer({ ...scene, seconds }));
      rates.push(await flood.stop());
      await untilQuiet(client);
    }
    const perSecond = median(rates);
    const [calm, flooded] = [figuresOf(together(without)), figuresOf(together(during))];
    const ratios = Object.fromEntries(
      FIGURES.map(({ name }) => [name, rounded((flooded[name] ?? 0) / (calm[name] ?? 1))]),
    );
    return {
      columns: ['of the other municipality', 'without flood', 'with flood', 'ratio'],
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
        `${size.rounds} rounds without and with a flood in turn, ${seconds} s each; ${RATE} letters of 20 KB and ${RATE} lists of 50 a second, on a fixed schedule, times counted from when each was due. What was refused counts as answered then.`,
        `The flood: old letters of ${OLD_LETTER_BYTES} bytes of content, over ${FLOOD_CONNECTIONS} connections, each as fast as it is answered: ${perSecond.toFixed(0)} a second were received, so ${OLD_LETTERS} take ${Math.round(OLD_LETTERS / perSecond / 60)} minutes.`,
        'Each is a reply, so each gets a suggestion. Suggestion: from when the letter was due to the commit of its suggestion.',
        'One receiver and one journaler; clients and PostgreSQL on the same machine.',
      ],
    };
  },
};

interface Scene {
  readonly client: pg.Client;
  readonly letters: Copies;
  readonly receiver: string;
  readonly journaler: string;
  readonly token: string;
  readonly seconds: number;
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

/** Letters and lists of the other municipality, on a fixed schedule. */
async function offer({ client, letters, receiver, journaler, token, seconds }: Scene): Promise<Noticed> {
  const due = new Map<string, number>();
  const headers = `Authorization: Bearer ${token}\r\n`;
  const receipts = onSchedule(receiver, seconds, 0, async (connection, at) => {
    const { body } = await connection.post(REST_PATH, letters.next());
    due.set((JSON.parse(body) as { messageUUID: string }).messageUUID, at);
  });
  const lists = onSchedule(journaler, seconds, 0.5, async (connection) => {
    const { status } = await connection.call('GET', LIST, headers);
    if (status !== 200) throw new Error(`A list was answered ${status}.`);
  });
  const noticed = { receipts: await receipts, lists: await lists };
  return { ...noticed, suggestions: await suggestionsOf(client, due) };
}

/** @param phase of a period, between this schedule and others @returns milliseconds from when each was due to its answer */
async function onSchedule(
  url: string,
  seconds: number,
  phase: number,
  ask: (connection: Connection, at: number) => Promise<void>,
): Promise<number[]> {
  const idle: Connection[] = [];
  const took: number[] = [];
  const began = Date.now() + (phase * 1_000) / RATE;
  const asked: Promise<void>[] = [];
  for (let n = 0; n < RATE * seconds; n += 1) {
    const at = began + (n * 1_000) / RATE;
    await delay(Math.max(0, at - Date.now()));
    asked.push(
      (async () => {
        const connection = idle.pop() ?? (await Connection.open(url));
        await ask(connection, at).then(
          () => idle.push(connection),
          () => connection.close(), // refused: as slow as it was
        );
        took.push(Date.now() - at);
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
  for (const limit = Date.now() + 60_000; ; await delay(200)) {
    const { rows } = await client.query<{ id: string; at: number }>(made, [ids]);
    if (rows.length < ids.length && Date.now() < limit) continue;
    const at = new Map(rows.map((row) => [row.id, row.at]));
    return ids.map((id) => (at.get(id) ?? Date.now()) - (due.get(id) ?? 0));
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
