import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { atLeast, atMost, type Bench, type Outcome, type Size, shown } from './bench.js';
import { Connection } from './client.js';
import { percentile, rounded } from './measure.js';
import { type Copies, REST_PATH, registerSentMessage, replyCopies } from './memos.js';
import type { Place } from './place.js';

const RATES = [50, 100, 200];
const MAX_CONNECTIONS = 200;

export const endToEnd: Bench = {
  name: 'end-to-end',
  measures: 'Replies of 20 KB at 50, 100 and 200 a second for a minute, from the first byte to the suggestion.',

  async run(place: Place, size: Size): Promise<Outcome> {
    const client = await place.connect();
    const memos = replyCopies(await registerSentMessage(client));
    const stack = await place.start('ours/stack');
    await offer(client, stack.url, memos, 20, 2); // warm

    const seconds = size.quick ? 2 : 60;
    const rows: string[][] = [];
    const figures: Record<string, number> = {};
    let knee = 0;
    // At the lowest rate: beyond the knee everything waits, and p50 grows with p99.
    let calmP50: number | undefined;
    for (const rate of RATES) {
      const { ages, receipts, refused, late } = await offer(client, stack.url, memos, rate, seconds);
      const [p50, p99] = [percentile(ages, 50), percentile(ages, 99)];
      calmP50 ??= p50;
      const keepsUp = p99 <= 10 * calmP50 && refused === 0 && !late;
      if (keepsUp && knee === (RATES[RATES.indexOf(rate) - 1] ?? 0)) knee = rate;
      figures[`p50_ms_${rate}`] = rounded(p50, 0);
      figures[`p99_ms_${rate}`] = rounded(p99, 0);
      rows.push([
        String(rate),
        percentile(receipts, 50).toFixed(0),
        percentile(receipts, 99).toFixed(0),
        p50.toFixed(0),
        p99.toFixed(0),
        shown(p99 / p50),
        String(refused),
        keepsUp ? 'keeps up' : 'falls behind',
      ]);
    }
    const lowest = RATES[0] ?? 0;
    const growth = rounded((figures[`p99_ms_${lowest}`] ?? 0) / (figures[`p50_ms_${lowest}`] ?? 1));
    return {
      columns: ['offered/s', 'receipt p50 ms', 'p99', 'suggested p50 ms', 'p99', 'p99 / p50', 'refused', ''],
      rows,
      figures: { growth_ratio: growth, knee_per_second: knee, ...figures },
      goals: [atLeast('the knee', knee, lowest, '/s'), atMost(`p99, of p50, at ${lowest}/s`, growth, 10, ' ×')],
      notes: [
        `${seconds} s at each rate, on a fixed schedule; times count from when a message was due.`,
        `Knee: the highest rate with p99 ≤ 10 × the p50 of the lowest, nothing refused, and receipts as fast as messages: ${knee === 0 ? 'below all of them' : `${knee}/s${knee === RATES.at(-1) ? ' or more' : ''}`}.`,
        'All services in one process; client and PostgreSQL on the same machine.',
        'Suggested: PostgreSQL’s commit time of the suggestion.',
      ],
    };
  },
};

interface Offered {
  /** Milliseconds from when a message was due to its suggestion. */
  readonly ages: number[];
  /** The same to its receipt. */
  readonly receipts: number[];
  readonly refused: number;
  /** The last receipt came more than a second after the last message was due. */
  readonly late: boolean;
}

async function offer(client: pg.Client, url: string, memos: Copies, rate: number, seconds: number): Promise<Offered> {
  const idle: Connection[] = [];
  const due = new Map<string, number>();
  const receipts: number[] = [];
  let refused = 0;
  let open = 0;
  const send = async (at: number) => {
    const [xml = Buffer.alloc(0)] = memos.next();
    if (idle.length === 0 && open >= MAX_CONNECTIONS) {
      refused += 1; // no connection left: the server is far behind
      return;
    }
    open += 1;
    try {
      const connection = takeOpen(idle) ?? (await Connection.open(url));
      const { body } = await connection.post(REST_PATH, [xml]);
      receipts.push(Date.now() - at);
      due.set((JSON.parse(body) as { messageUUID: string }).messageUUID, at);
      idle.push(connection);
    } catch {
      refused += 1;
    }
    open -= 1;
  };
  const sending: Promise<void>[] = [];
  const began = Date.now();
  for (let sent = 0; sent < rate * seconds; sent += 1) {
    const at = began + (sent * 1_000) / rate;
    if (at - Date.now() >= 1) await delay(at - Date.now());
    sending.push(send(at));
  }
  await Promise.all(sending);
  const late = Date.now() - began > (seconds + 1) * 1_000;
  for (const connection of idle) connection.close();
  return { ages: await agesOf(client, due), receipts, refused, late };
}

/** The connection with the shortest idle time, unless the server has closed it. */
function takeOpen(idle: Connection[]): Connection | undefined {
  const last = idle.pop();
  if (last?.isOpen) return last;
  idle.length = 0; // the others have been idle for longer
  return undefined;
}

/** Waits for all suggestion runs, for up to a minute; later ones count as that minute. */
async function agesOf(client: pg.Client, due: ReadonlyMap<string, number>): Promise<number[]> {
  const ids = [...due.keys()];
  for (const end = Date.now() + 60_000; Date.now() < end; await delay(100)) {
    const { rows } = await client.query(
      `SELECT FROM messages WHERE suggestion_run_at IS NULL AND external_id = ANY ($1) LIMIT 1`,
      [ids],
    );
    if (rows.length === 0) break;
  }
  const { rows } = await client.query<{ id: string; at: number }>(
    `SELECT external_id AS id, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float * 1000 AS at
     FROM messages WHERE suggestion_run_at IS NOT NULL AND external_id = ANY ($1)`,
    [ids],
  );
  const suggested = new Map(rows.map(({ id, at }) => [id, at]));
  const now = Date.now();
  return ids.map((id) => (suggested.get(id) ?? now) - (due.get(id) ?? 0));
}
