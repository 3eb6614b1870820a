import { randomUUID } from 'node:crypto';
import { openBlobStore } from '@indbakke/shared/content';
import { startOwnSwift } from '../../testkit/swift.js';
import type { Bench, Outcome, Size } from './bench.js';
import type { Child } from './child.js';
import { postOnce } from './client.js';
import { offerFrom } from './intake-small.js';
import { alternate, median, percentile, rounded } from './measure.js';
import { type Copies, REST_PATH, replyCopies } from './memos.js';
import type { Place } from './place.js';

const CLIENTS = 4;
const FILES = { '20 KiB': 13_900, '2 MiB': 1.5 * 2 ** 20 } as const;

interface Round {
  readonly milliseconds: readonly number[];
  readonly cpuMs: number;
  readonly perSecond: number;
}

/** What S3 costs a receiver, against a folder. */
export const s3: Bench = {
  name: 's3',
  measures:
    'Receipts for letters whose content goes to S3, against a folder, none in the database; CPU of the receiver.',

  async run(place: Place, size: Size): Promise<Outcome> {
    const swift = await startOwnSwift();
    place.atEnd(() => swift.close());
    const env = { SMALL_CONTENT_BYTES: '0' };
    const inS3 = { ...env, ...swift.settings, BLOB_URL: `${swift.bucketUrl}/${randomUUID()}` };
    await (await openBlobStore(inS3.BLOB_URL, inS3)).mark(); // or it would not be the place of a database with content
    const receivers = new Map<string, Child>([
      ['folder', await place.start('ours/receiver', { env })],
      ['S3', await place.start('ours/receiver', { env: inS3 })],
    ]);
    const rows: string[][] = [];
    const figures: Record<string, number> = {};
    for (const [letter, bytes] of Object.entries(FILES)) {
      const rounds = await measure(receivers, replyCopies(randomUUID(), undefined, bytes), size);
      for (const [name, of] of rounds) {
        const all = of.flatMap(({ milliseconds }) => milliseconds);
        const cpuEach = of.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / all.length;
        figures[`cpu_ms_${name.toLowerCase()}_${letter.replace(' ', '_').toLowerCase()}`] = rounded(cpuEach);
        const rate = median(of.map(({ perSecond }) => perSecond));
        const [p50, p99] = [percentile(all, 50), percentile(all, 99)];
        rows.push([letter, name, rate.toFixed(0), p50.toFixed(1), p99.toFixed(1), cpuEach.toFixed(2)]);
      }
    }
    return {
      columns: ['letter', 'content in', 'receipts/s', 'p50 ms', 'p99 ms', 'CPU ms each'],
      rows,
      figures,
      goals: [],
      noGoals: 'it shows what content in S3 costs',
      notes: [
        `${CLIENTS} clients that each wait for the receipt. S3 is OpenStack Swift, in one process of Python on the same machine: the rates are its own, the CPU is that of the receiver.`,
      ],
    };
  },
};

/** The rounds of each receiver, without those that warm up. */
async function measure(
  receivers: ReadonlyMap<string, Child>,
  messages: Copies,
  size: Size,
): Promise<ReadonlyMap<string, Round[]>> {
  const rounds = new Map<string, Round[]>();
  const contenders = [...receivers].map(([name, child]) => ({
    name,
    async measure() {
      const before = child.cpuMs();
      const { perSecond, milliseconds } = await offerFrom([child], messages, CLIENTS, size.quick ? 1 : 5);
      rounds.set(name, [...(rounds.get(name) ?? []), { perSecond, milliseconds, cpuMs: child.cpuMs() - before }]);
      return perSecond;
    },
  }));
  for (const child of receivers.values())
    for (let n = 0; n < 20; n += 1) await postOnce(child.url, REST_PATH, messages.next());
  await alternate(contenders, size.rounds);
  return rounds;
}
