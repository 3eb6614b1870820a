import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { issueToken } from '../../testkit/set-up.js';
import { Random } from '../random.js';
import { atMost, type Bench, type Outcome, type Size } from './bench.js';
import type { Child } from './child.js';
import { alternate, median, millisecondsOf, rounded, spread } from './measure.js';
import type { Place } from './place.js';
import { askForZip, deliverFiles, download, type Files, untilReady } from './zip-messages.js';

const SYLLABLES =
  'kom mu ne bar net sko le af last ning hver an den week end for æl dre sag søg er vej led ing på rør ende'.split(' ');
const BLOCK_BYTES = 3_000_000;
const PDF = { block: randomBytes(BLOCK_BYTES), extension: 'pdf' } as const;
const TEXT = { block: letters(BLOCK_BYTES), extension: 'txt' } as const;
const MAX_RATIO = 1.11;
const MAX_GROWTH_MB = 60;
const MESSAGES_OF_10_GB = 10;

/** What is zipped. */
interface Load extends Files {
  readonly name: string;
  readonly rounds: (size: Size) => number;
}

const LOADS: readonly Load[] = [
  { name: '100 MB of PDFs', ...PDF, files: 11, blocks: 3, rounds: ({ rounds }) => rounds },
  { name: '100 MB of text', ...TEXT, files: 11, blocks: 3, rounds: ({ rounds }) => rounds },
  { name: '2 GB of PDFs', ...PDF, files: 40, blocks: 17, rounds: ({ quick }) => (quick ? 0 : 1) },
];
const ONE_GB: Files = { ...PDF, files: 20, blocks: 17 };

/** Text as of letters: few words are frequent, so that deflate halves it and not more. */
function letters(bytes: number): Buffer {
  const random = new Random(1);
  const syllables = () => Array.from({ length: random.between(1, 4) }, () => random.pick(SYLLABLES)).join('');
  const words = Array.from({ length: 5_000 }, syllables);
  const parts: string[] = [];
  for (let length = 0; length < 2 * bytes; length += parts.at(-1)?.length ?? 0) {
    parts.push(`${words[Math.floor((random.below(1_000) / 1_000) ** 3 * words.length)]} `);
  }
  return Buffer.from(parts.join('')).subarray(0, bytes);
}

export const zip: Bench = {
  name: 'zip',
  measures: 'Messages as a zip to a client, against Info-ZIP on the same files (-0 and -1); and 10 GB by a job.',

  async run(place: Place, size: Size): Promise<Outcome> {
    const receiver = await place.start('ours/receiver', { env: { MAX_MESSAGE_BYTES: String(4e9) } });
    const archiver = await place.start('ours/archiver', { env: { ZIP_MAX_BYTES: String(11e9) } });
    const idle = await idleOf(place, receiver, archiver);
    const rows: string[][] = [];
    const [ratios, growths]: [number[], number[]] = [[], []];
    for (const load of LOADS.filter(({ rounds }) => rounds(size) > 0)) {
      const folder = await writeFiles(place, load);
      const url = urlOf(archiver, await deliverFiles(place, receiver, load));
      const token = await issueToken(place.paths);
      const costs: number[] = [];
      const zipOf = (level: string) => ({
        name: level,
        measure: () => millisecondsOf(() => infoZip(folder, level)),
      });
      const ours = {
        name: 'ours',
        async measure() {
          const before = archiver.cpuMs();
          const time = await millisecondsOf(() => download(url, token));
          costs.push(archiver.cpuMs() - before);
          return time;
        },
      };
      const times = await alternate([ours, zipOf('-0'), zipOf('-1')], load.rounds(size), load.files > 20 ? 0 : 1);
      const ratio = (level: string) => rounded(median(times('ours')) / median(times(level)));
      const growth = rounded(archiver.peakMb() - idle, 0);
      archiver.forgetPeak();
      ratios.push(ratio('-0'));
      growths.push(growth);
      const [first, second] = [ratio('-0'), ratio('-1')].map(String);
      const measured = ['ours', '-0', '-1'].map((name) => spread(times(name)));
      rows.push([load.name, ...measured, first ?? '', second ?? '', median(costs).toFixed(0), String(growth)]);
    }
    if (!size.quick) {
      const { ms, cpu } = await ofManyMessages(place, receiver, archiver);
      const growth = rounded(archiver.peakMb() - idle, 0);
      growths.push(growth);
      rows.push(['10 GB by a job, and its download', spread([ms]), '', '', '', '', cpu.toFixed(0), String(growth)]);
    }
    const profile = size.quick ? undefined : await profileOf(place);
    return {
      columns: ['', 'ours ms', 'zip -0 ms', 'zip -1 ms', 'of -0', 'of -1', 'CPU ms of ours', 'growth of peak, MB'],
      rows,
      figures: { ratio_to_limit: Math.max(...ratios), rss_growth_mb: Math.max(...growths) },
      goals: [
        ...ratios.map((ratio, index) => atMost(`${rows[index]?.[0]}: time, of zip -0`, ratio, MAX_RATIO, ' ×')),
        atMost('growth of peak RSS', Math.max(...growths), MAX_GROWTH_MB, ' MB'),
      ],
      notes: [
        'Info-ZIP reads plain files from the page cache into a pipe; ours decrypts and verifies the container and sends over HTTP.',
        '2 GB: one round each. 10 GB: ten messages, made into a sealed zip, then downloaded.',
        'Idle is after 20 zips of a small message.',
      ],
      profile,
    };
  },
};

const urlOf = (archiver: Child, id: string) => `${archiver.url}/api/v1/incoming-documents/${id}/zip`;

/** 10 GB of messages as one zip. */
async function ofManyMessages(place: Place, receiver: Child, archiver: Child): Promise<{ ms: number; cpu: number }> {
  const items: string[] = [];
  while (items.length < MESSAGES_OF_10_GB) items.push(await deliverFiles(place, receiver, ONE_GB));
  const token = await issueToken(place.paths);
  const before = archiver.cpuMs();
  const ms = await millisecondsOf(async () => {
    const url = await askForZip(archiver, token, items);
    await untilReady(url, token);
    await download(`${url}/content`, token);
  });
  return { ms, cpu: archiver.cpuMs() - before };
}

/** The archiver’s memory after some zips of a small message, when its code is compiled. */
async function idleOf(place: Place, receiver: Child, archiver: Child): Promise<number> {
  const url = urlOf(archiver, await deliverFiles(place, receiver, { ...PDF, files: 1, blocks: 0 }));
  const token = await issueToken(place.paths);
  for (let round = 0; round < 20; round += 1) await download(url, token);
  archiver.forgetPeak();
  return archiver.residentMb();
}

async function writeFiles(place: Place, { name, files, blocks, block }: Load): Promise<string> {
  const folder = join(place.folder('rivals'), name.replaceAll(' ', '-'));
  mkdirSync(folder);
  for (let file = 0; file < files; file += 1) {
    await pipeline(Readable.from(Array(blocks).fill(block)), createWriteStream(join(folder, `fil-${file}`)));
  }
  return folder;
}

async function infoZip(folder: string, level: string): Promise<void> {
  const zipping = spawn('zip', [level, '-q', '-r', '-', '.'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(zipping, 'exit');
  zipping.stdout.resume();
  await finished(zipping.stdout);
  const [code] = (await exited) as [number];
  if (code !== 0) throw new Error(`zip ended with ${code}. Is Info-ZIP installed (Debian package zip)?`);
}

/** 100 MB of PDFs again, under the profiler. */
async function profileOf(place: Place): Promise<string[]> {
  const receiver = await place.start('ours/receiver', { env: { MAX_MESSAGE_BYTES: String(4e9) } });
  const archiver = await place.start('ours/archiver', { profiled: true });
  const [load] = LOADS;
  if (!load) return [];
  const url = urlOf(archiver, await deliverFiles(place, receiver, load));
  const token = await issueToken(place.paths);
  for (let round = 0; round < 3; round += 1) await download(url, token);
  return place.stopProfiled(archiver);
}
