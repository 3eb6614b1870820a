import { setTimeout as delay } from 'node:timers/promises';
import { scrub as scrubDatabase } from '@indbakke/shared/scrub';
import { withMaintenance } from '@indbakke/shared/store';
import pg from 'pg';
import { EXAMPLE_MUNICIPALITY } from '../../local/example-municipality.js';
import { atMost, type Bench, type Outcome, type Size } from './bench.js';
import { Connection } from './client.js';
import { empty, fill } from './growth/fill.js';
import { percentile } from './measure.js';
import { type Copies, REST_PATH, registerSentMessage, replyCopies } from './memos.js';
import type { Place } from './place.js';
import { takeSample } from './rivals/rows.js';

const SIZES = [10_000, 100_000, 500_000];
const DEFAULT_TO = 500_000;
const QUICK_SIZES = [2_000];
const PER_SECOND = 20;
const MAX_BLOCKED_MS = 1_000;
/** What counts for a delivery that is refused. */
const REFUSED_MS = 60_000;
const MB = 2 ** 20;

export const scrub: Bench = {
  name: 'scrub',
  measures: `How long a scrub of all tables takes, and how long intake of ${PER_SECOND} replies of 20 KB a second waits meanwhile; beside it VACUUM FULL of the same tables.`,

  async run(place: Place, size: Size): Promise<Outcome> {
    const client = await place.connect();
    const sample = await takeSample(place, client);
    await empty(client);
    const memos = replyCopies(await registerSentMessage(client));
    const source = { client, ownerUrl: place.database.ownerUrl, sample };
    const rows: string[][] = [];
    const waits: number[] = [];
    let filled = 0;
    for (const messages of size.quick ? QUICK_SIZES : SIZES.filter((each) => each <= (size.to ?? DEFAULT_TO))) {
      await fill(source, filled, { messages, municipalities: [EXAMPLE_MUNICIPALITY.cvr] });
      filled = messages;
      // As containers of small messages are; not compressed either.
      await client.query(`UPDATE message_contents SET container = decode(repeat(md5(message_id::text), 625), 'hex')`);
      await client.query('CHECKPOINT');
      const megabytes = await sizeOfTables(client);
      const stack = await place.start('ours/stack');
      const during = <T>(work: () => Promise<T>) => offerDuring({ place, url: stack.url, memos }, work);
      const add = (name: string, offered: Offered, from = 0, to = Number.POSITIVE_INFINITY) => {
        const figures = figuresOf(offered, from, to);
        process.stdout.write(`  ${messages} messages, ${name}: ${figures.join(', ')}\n`);
        rows.push([String(messages), megabytes.toFixed(0), name, ...figures]);
      };
      await during(() => delay(3_000)); // warm
      add('nothing', await during(() => delay(size.quick ? 2_000 : 20_000)));
      const scrubbed = await during(() => scrubAll(place, client));
      add('scrub: tables', scrubbed, 0, scrubbed.result);
      add('scrub: write-ahead log', scrubbed, scrubbed.result);
      waits.push(Math.max(...scrubbed.locks.map(({ ms }) => ms)));
      add('VACUUM FULL', await during(() => vacuumAll(client)));
      await stack.stop();
    }
    const longest = Math.max(...waits);
    return {
      columns: ['messages', 'MB', 'meanwhile', 's', 'locks p50 ms', 'longest', 'receipt p50 ms', 'p99', 'longest'],
      rows,
      figures: { longest_wait_ms: longest },
      goals: [atMost('longest wait for the locks of intake during a scrub', longest, MAX_BLOCKED_MS, ' ms')],
      notes: [
        'Locks: what a connection of its own waits, 50 times a second, for the locks that intake takes on all of these tables and on messages. That is what a scrub can hold up.',
        'Receipts count from when a message was due, on a fixed schedule; they also wait for disk and processors, which other programs of the machine used at the same time.',
        'MB: of the tables that are written anew, with indexes and TOAST. A tenth of the messages has lost its rows to a deletion before; all tables are marked as due.',
        'A delivery that is refused, since 100 others wait, counts as 60 s.',
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

/** @returns when the tables were done, and the write-ahead log was begun */
async function scrubAll({ database }: Place, client: pg.Client): Promise<number> {
  let tablesDoneAt = 0;
  await client.query('INSERT INTO scrub.marks SELECT scrub.tables()');
  await withMaintenance({ url: database.ownerUrl, name: 'bench-scrub', isOwner: true }, (connection) =>
    scrubDatabase(connection, {
      mayGoOn: () => true,
      onProgress({ table, rows, seconds, done }) {
        if (table === 'pg_wal') tablesDoneAt ||= Date.now();
        if (done) process.stdout.write(`    ${table}: ${rows}, ${seconds} s\n`);
      },
    }),
  );
  return tablesDoneAt;
}

async function vacuumAll(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>('SELECT t AS name FROM scrub.tables() AS t');
  for (const { name } of rows) await client.query(`VACUUM (FULL, ANALYZE) ${pg.escapeIdentifier(name)}`);
  await client.query('CHECKPOINT');
}

interface Timed {
  readonly at: number;
  readonly ms: number;
}

interface Offered<T = unknown> {
  readonly began: number;
  readonly ended: number;
  readonly receipts: readonly Timed[];
  readonly locks: readonly Timed[];
  readonly result: T;
}

/** Of what was due from one time to another: seconds; for locks median and longest; for receipts median, 99 % and longest. */
function figuresOf({ began, ended, receipts, locks }: Offered, from: number, to: number): string[] {
  const within = (all: readonly Timed[]) => all.filter(({ at }) => at >= from && at < to).map(({ ms }) => ms);
  const [waits, times] = [within(locks), within(receipts)];
  const seconds = (Math.min(ended, to) - Math.max(began, from)) / 1_000;
  const figures = [
    percentile(waits, 50),
    Math.max(...waits),
    percentile(times, 50),
    percentile(times, 99),
    Math.max(...times),
  ];
  return [seconds.toFixed(1), ...figures.map((ms) => ms.toFixed(0))];
}

/** Offers messages on a fixed schedule, and takes the locks of intake, until the work is done. */
async function offerDuring<T>(
  { place, url, memos }: { readonly place: Place; readonly url: string; readonly memos: Copies },
  work: () => Promise<T>,
): Promise<Offered<T>> {
  let isDone = false;
  const began = Date.now();
  const working = work().finally(() => {
    isDone = true;
  });
  const [receipts, locks] = await Promise.all([offer(url, memos, () => isDone), takeLocks(place, () => isDone)]);
  return { began, ended: Date.now(), receipts, locks, result: await working };
}

async function offer(url: string, memos: Copies, isDone: () => boolean): Promise<Timed[]> {
  const receipts: Timed[] = [];
  const idle: Connection[] = [];
  const send = async (at: number) => {
    const [xml = Buffer.alloc(0)] = memos.next();
    const known = idle.pop();
    const connection = known?.isOpen ? known : await Connection.open(url);
    // Where intake is held up for long, all places are taken, and the answer is to send again.
    const isTaken = await connection.post(REST_PATH, [xml]).then(
      () => true,
      () => false,
    );
    receipts.push({ at, ms: isTaken ? Date.now() - at : REFUSED_MS });
    idle.push(connection);
  };
  const sending: Promise<void>[] = [];
  const began = Date.now();
  for (let sent = 0; !isDone(); sent += 1) {
    const at = began + (sent * 1_000) / PER_SECOND;
    if (at > Date.now()) await delay(at - Date.now());
    sending.push(send(at));
  }
  await Promise.all(sending);
  for (const connection of idle) connection.close();
  return receipts;
}

async function takeLocks({ database }: Place, isDone: () => boolean): Promise<Timed[]> {
  const client = new pg.Client({ connectionString: database.ownerUrl });
  await client.connect();
  const { rows } = await client.query<{ name: string }>('SELECT t AS name FROM scrub.tables() AS t');
  const tables = ['messages', ...rows.map(({ name }) => name)].join(', ');
  const locks: Timed[] = [];
  while (!isDone()) {
    const at = Date.now();
    await client.query(`BEGIN; LOCK TABLE ${tables} IN ROW EXCLUSIVE MODE; ROLLBACK`);
    locks.push({ at, ms: Date.now() - at });
    await delay(20);
  }
  await client.end();
  return locks;
}
