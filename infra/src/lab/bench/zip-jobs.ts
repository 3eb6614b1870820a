import { setTimeout as pause } from 'node:timers/promises';
import { issueToken } from '../../testkit/set-up.js';
import { atMost, type Bench, type Outcome, type Size } from './bench.js';
import type { Child } from './child.js';
import { Connection } from './client.js';
import { median, millisecondsOf, percentile, rounded } from './measure.js';
import { type Copies, REST_PATH, replyCopies } from './memos.js';
import type { Place } from './place.js';
import { askForZip, deliverFiles, untilReady } from './zip-messages.js';

const ZIPS_OF_A_CALLER = 10;
const MAX_GROWTH_MB = 60;
const MAX_P99 = 2;
// 40 letters a second, of four senders: what a large installation gets in its busiest minutes.
const SENDERS = 4;
const EVERY_MS = 100;

export const zipJobs: Bench = {
  name: 'zip-jobs',
  measures: 'A hundred zips of many messages asked for at once: memory, and how long letters that come meanwhile wait.',

  async run(place: Place, { quick }: Size): Promise<Outcome> {
    const receiver = await place.start('ours/receiver');
    const archiver = await place.start('ours/archiver');
    const messages = quick ? 2 : 20;
    const items: string[] = [];
    const files = { files: 5, blocks: 1, block: replyOf(300_000), extension: 'pdf' };
    while (items.length < messages) items.push(await deliverFiles(place, receiver, files));
    const callers = quick ? 1 : 10;
    const tokens = await Promise.all(
      Array.from({ length: callers }, (_, n) => issueToken(place.paths, { user: `caller-${n}` })),
    );
    await makeZips(archiver, tokens.slice(0, 1), items, 2); // when its code is compiled
    await removeZips(place);
    archiver.forgetPeak();
    const idle = archiver.residentMb();
    const copies = replyCopies();
    const seconds = quick ? 1 : 20;
    await offer(receiver, copies, pause(1_000)); // warm too
    const alone = [await offer(receiver, copies, pause(seconds * 1_000))];
    const whole = { ms: 0 };
    const meanwhile = await offer(
      receiver,
      copies,
      millisecondsOf(() => makeZips(archiver, tokens, items, ZIPS_OF_A_CALLER)).then((ms) => {
        whole.ms = ms;
      }),
    );
    alone.push(await offer(receiver, copies, pause(seconds * 1_000)));
    const growth = rounded(archiver.peakMb() - idle, 0);
    const before = alone.flat();
    const ratio = rounded(percentile(meanwhile, 99) / percentile(before, 99));
    const row = (name: string, waits: readonly number[]) => [
      name,
      String(waits.length),
      ...[median(waits), percentile(waits, 99), Math.max(...waits)].map((ms) => ms.toFixed(1)),
    ];
    const zips = callers * ZIPS_OF_A_CALLER;
    const megabytes = (zips * messages * files.files * files.block.length) / 1e6;
    return {
      columns: ['', 'letters', 'p50 ms', 'p99 ms', 'most'],
      rows: [row('before and after', before), row(`while ${zips} zips are made`, meanwhile)],
      figures: {
        p99_of_alone: ratio,
        rss_growth_mb: growth,
        zips_a_second: rounded(zips / (whole.ms / 1_000)),
        mb_a_second: rounded(megabytes / (whole.ms / 1_000), 0),
      },
      goals: [
        atMost('p99 of intake meanwhile, of that alone', ratio, MAX_P99, ' ×'),
        atMost('growth of peak RSS of the archiver', growth, MAX_GROWTH_MB, ' MB'),
      ],
      notes: [
        `${zips} zips of ${messages} messages with ${files.files} files of 300 KB, by ${callers} callers, all asked for at once.`,
        `Letters of ${copies.bytes} bytes, ${(SENDERS * 1_000) / EVERY_MS} a second; a wait is from the first byte to the receipt.`,
        'Receiver, archiver, PostgreSQL and the client share the processors.',
      ],
    };
  },
};

const replyOf = (bytes: number) => Buffer.alloc(bytes, 'Svar på jeres brev. ').fill(0x25, 0, 1);

/** Each caller asks for all of its own, then waits until the last is ready. */
async function makeZips(
  archiver: Child,
  tokens: readonly string[],
  items: readonly string[],
  each: number,
): Promise<void> {
  await Promise.all(
    tokens.map(async (token) => {
      const urls: string[] = [];
      while (urls.length < each) urls.push(await askForZip(archiver, token, items));
      for (const url of urls) await untilReady(url, token);
    }),
  );
}

async function removeZips(place: Place): Promise<void> {
  const client = await place.connect();
  await client.query('DELETE FROM zip_downloads');
}

/** Sends letters at an even pace until something has ended. @returns how long each waited for its receipt, in ms */
async function offer(receiver: Child, copies: Copies, until: Promise<unknown>): Promise<number[]> {
  const waits: number[] = [];
  let isOver = false;
  const ended = until.finally(() => {
    isOver = true;
  });
  ended.catch(() => {}); // thrown below
  const senders = Array.from({ length: SENDERS }, async (_, n) => {
    const connection = await Connection.open(receiver.url);
    await pause((n * EVERY_MS) / SENDERS);
    while (!isOver) {
      const wait = await millisecondsOf(() => connection.post(REST_PATH, copies.next()));
      waits.push(wait);
      await pause(Math.max(0, EVERY_MS - wait));
    }
    connection.close();
  });
  await Promise.all([ended, ...senders]);
  return waits;
}
