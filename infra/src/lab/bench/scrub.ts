import { setTimeout as delay } from 'node:timers/promises';
import { scrub as scrubDatabase } from '@indbakke/archiver';
import { withMaintenance } from '@indbakke/shared/store';
import pg from 'pg';
import { EXAMPLE_MUNICIPALITY } from '../../local/example-municipality.js';
import { atMost, type Bench, type Outcome, type Size } from './bench.js';
import { Connection } from './client.js';
import { empty, fill } from './growth/fill.js';
import { percentile, rounded } from './measure.js';
import { type Copies, REST_PATH, registerSentMessage, replyCopies } from './memos.js';
import type { Place } from './place.js';
import { takeSample } from './rivals/rows.js';

const SIZES = [10_000, 100_000, 500_000];
const QUICK_SIZES = [2_000];
const PER_SECOND = 20;
const MAX_BLOCKED_MS = 1_000;
const MB = 2 ** 20;

export const scrub: Bench = {
  name: 'scrub',
  measures: `How long a scrub of all tables takes, and how long intake of ${PER_SECOND} replies of 20 KB a second waits meanwhile; beside it VACUUM FULL of the same tables.`,

  async run(place: Place, size: Size): Promise<Outcome> {
    const client = await place.connect();
    const sample = await takeSample(place, client);
    await empty(client);
    const source = { client, ownerUrl: place.database.ownerUrl, sample };
    const rows: string[][] = [];
    const waits: number[] = [];
    let filled = 0;
    for (const messages of size.quick ? QUICK_SIZES : SIZES) {
      await fill(source, filled, { messages, municipalities: [EXAMPLE_MUNICIPALITY.cvr] });
      filled = messages;
      // As containers of small messages are; not compressed either.
      await client.query(`UPDATE message_contents SET container = decode(repeat(md5(message_id::text), 625), 'hex')`);
      await client.query('CHECKPOINT');
      const megabytes = await sizeOfTables(client);
      const memos = replyCopies(await registerSentMessage(client).catch(() => undefined));
      const stack = await place.start('ours/stack', { env: { SCRUB_WINDOW: 'off' } });
      const during = (name: string, work: () => Promise<unknown>) =>
        offerDuring(stack.url, memos, work).then((offered) => {
          process.stdout.write(
            `  ${messages} messages, ${name}: ${offered.seconds} s, longest ${offered.longest} ms\n`,
          );
          return offered;
        });
      await during('warming', () => delay(3_000));
      const calm = await during('nothing', () => delay(size.quick ? 2_000 : 20_000));
      const scrubbed = await during('scrub', () => scrubAll(place, client));
      const vacuumed = await during('VACUUM FULL', () => vacuumAll(client));
      await stack.stop();
      waits.push(scrubbed.longest);
      for (const [name, { seconds, p50, p99, longest, refused }] of Object.entries({
        nothing: calm,
        scrub: scrubbed,
        'VACUUM FULL': vacuumed,
      }))
        rows.push([
          String(messages),
          megabytes.toFixed(0),
          name,
          String(seconds),
          String(p50),
          String(p99),
          String(longest),
          String(refused),
        ]);
    }
    const longest = Math.max(...waits);
    return {
      columns: ['messages', 'MB', 'meanwhile', 's', 'receipt p50 ms', 'p99', 'longest', 'refused'],
      rows,
      figures: { longest_wait_ms: longest },
      goals: [atMost('longest receipt during a scrub', longest, MAX_BLOCKED_MS, ' ms')],
      notes: [
        'Times count from when a message was due, on a fixed schedule; a receipt that waits delays those after it on its connection.',
        'MB: of the tables that are written anew, with indexes and TOAST. A tenth of the messages has lost its rows to a deletion before; all tables are marked as due.',
        'VACUUM FULL: of one table after the other, each under its lock.',
        'All services in one process; client and PostgreSQL on the same machine.',
      ],
    };
  },
};

async function sizeOfTables(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ bytes: number }>(
    `SELECT sum(pg_total_relation_size(format('public.%I', t)::regclass))::float8 AS bytes FROM scrub.tables() AS t`,
  );
  return (rows[0]?.bytes ?? 0) / MB;
}

async function scrubAll({ database }: Place, client: pg.Client): Promise<void> {
  await client.query('INSERT INTO scrub.marks SELECT scrub.tables()');
  await withMaintenance({ url: database.ownerUrl, name: 'bench-scrub', isOwner: true }, (connection) =>
    scrubDatabase(connection, { mayGoOn: () => true }),
  );
}

async function vacuumAll(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>('SELECT t AS name FROM scrub.tables() AS t');
  for (const { name } of rows) await client.query(`VACUUM (FULL, ANALYZE) ${pg.escapeIdentifier(name)}`);
  await client.query('CHECKPOINT');
}

interface Offered {
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
  readonly refused: number;
}

/** Offers messages on a fixed schedule until the work is done. Times of receipts in ms. */
async function offerDuring(url: string, memos: Copies, work: () => Promise<unknown>): Promise<Offered> {
  let isDone = false;
  let refused = 0;
  const receipts: number[] = [];
  const idle: Connection[] = [];
  const send = async (at: number) => {
    const [xml = Buffer.alloc(0)] = memos.next();
    try {
      const known = idle.pop();
      const connection = known?.isOpen ? known : await Connection.open(url);
      await connection.post(REST_PATH, [xml]);
      receipts.push(Date.now() - at);
      idle.push(connection);
    } catch {
      refused += 1;
    }
  };
  const began = Date.now();
  const working = work().finally(() => {
    isDone = true;
  });
  const sending: Promise<void>[] = [];
  for (let sent = 0; !isDone; sent += 1) {
    const at = began + (sent * 1_000) / PER_SECOND;
    if (at > Date.now()) await delay(at - Date.now());
    sending.push(send(at));
  }
  await working;
  const seconds = rounded((Date.now() - began) / 1_000, 1);
  await Promise.all(sending);
  for (const connection of idle) connection.close();
  const [p50, p99] = [percentile(receipts, 50), percentile(receipts, 99)];
  return { seconds, p50: Math.round(p50), p99: Math.round(p99), longest: Math.max(...receipts), refused };
}
