import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, mkdirSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { EXAMPLE_MUNICIPALITY } from '../../local/example-municipality.js';
import { runSql } from '../../testkit/database.js';
import { issueToken } from '../../testkit/set-up.js';
import { writeMemo } from '../../testkit/write-memo.js';
import { atMost, type Bench, type Outcome, type Size } from './bench.js';
import type { Child } from './child.js';
import { Connection } from './client.js';
import { alternate, median, millisecondsOf, rounded, spread } from './measure.js';
import { REST_PATH } from './memos.js';
import type { Place } from './place.js';

// Of a multiple of 3 bytes, for whole base64 quanta.
const BLOCK = randomBytes(3_000_000);
const MAX_RATIO = 1.11;
const MAX_GROWTH_MB = 60;

/** What is zipped: files of a number of blocks. */
interface Load {
  readonly name: string;
  readonly files: number;
  readonly blocks: number;
  readonly rounds: (size: Size) => number;
}

const LOADS: readonly Load[] = [
  { name: '100 MB', files: 11, blocks: 3, rounds: ({ rounds }) => rounds },
  { name: '2 GB', files: 40, blocks: 17, rounds: ({ quick }) => (quick ? 0 : 1) },
];

export const zip: Bench = {
  name: 'zip',
  measures: 'Messages of PDFs as a zip to a client, against Info-ZIP on the same files (-0).',

  async run(place: Place, size: Size): Promise<Outcome> {
    const receiver = await place.start('ours/receiver', { env: { MAX_MESSAGE_BYTES: String(4e9) } });
    const archiver = await place.start('ours/archiver');
    const idle = await idleOf(place, receiver, archiver);
    const rows: string[][] = [];
    const [ratios, growths]: [number[], number[]] = [[], []];
    for (const load of LOADS.filter(({ rounds }) => rounds(size) > 0)) {
      const folder = await writeFiles(place, load);
      const url = await deliver(place, receiver, archiver, load);
      const token = await issueToken(place.paths);
      const costs: number[] = [];
      const times = await alternate(
        [
          {
            name: 'ours',
            async measure() {
              const before = archiver.cpuMs();
              const time = await millisecondsOf(() => download(url, token));
              costs.push(archiver.cpuMs() - before);
              return time;
            },
          },
          { name: 'zip', measure: () => millisecondsOf(() => infoZip(folder)) },
        ],
        load.rounds(size),
        load.files > 20 ? 0 : 1,
      );
      const ratio = rounded(median(times('ours')) / median(times('zip')));
      const growth = rounded(archiver.peakMb() - idle, 0);
      archiver.forgetPeak();
      ratios.push(ratio);
      growths.push(growth);
      rows.push([
        load.name,
        spread(times('ours')),
        spread(times('zip')),
        String(ratio),
        median(costs).toFixed(0),
        String(growth),
      ]);
    }
    const profile = size.quick ? undefined : await profileOf(place);
    return {
      columns: ['', 'ours ms', 'zip ms', 'ratio', 'CPU ms of ours', 'growth of peak, MB'],
      rows,
      figures: { ratio_to_limit: Math.max(...ratios), rss_growth_mb: Math.max(...growths) },
      goals: [
        ...rows.map(([name = ''], index) =>
          atMost(`${name}: time, of zip`, ratios[index] ?? Number.NaN, MAX_RATIO, ' ×'),
        ),
        atMost('growth of peak RSS', Math.max(...growths), MAX_GROWTH_MB, ' MB'),
      ],
      notes: [
        'Info-ZIP reads plain files from the page cache into a pipe; ours decrypts and verifies the container and sends over HTTP.',
        '2 GB: one round each.',
        'Idle is after 20 zips of a small message.',
      ],
      profile,
    };
  },
};

/** The archiver’s memory after some zips of a small message, when its code is compiled. */
async function idleOf(place: Place, receiver: Child, archiver: Child): Promise<number> {
  const small: Load = { name: 'small', files: 1, blocks: 0, rounds: () => 0 };
  const url = await deliver(place, receiver, archiver, small);
  const token = await issueToken(place.paths);
  for (let round = 0; round < 20; round += 1) await download(url, token);
  archiver.forgetPeak();
  return archiver.residentMb();
}

async function writeFiles(place: Place, { name, files, blocks }: Load): Promise<string> {
  const folder = join(place.folder('rivals'), name.replaceAll(' ', '-'));
  mkdirSync(folder);
  for (let file = 0; file < files; file += 1) {
    await pipeline(Readable.from(Array(blocks).fill(BLOCK)), createWriteStream(join(folder, `fil-${file}`)));
  }
  return folder;
}

const PLACEHOLDER = Buffer.from('her kommer indholdet');

/** Delivers a MeMo with the files. @returns the URL of its zip */
async function deliver(place: Place, receiver: Child, archiver: Child, load: Load): Promise<string> {
  const contents = Array.from({ length: load.files }, (_, file) => ({
    files: [{ name: `fil-${file}`, type: 'application/pdf', content: PLACEHOLDER }],
  }));
  const xml = writeMemo({ recipient: { id: EXAMPLE_MUNICIPALITY.cvr }, documents: contents }).toString();
  const [head = '', ...parts] = xml.split(PLACEHOLDER.toString('base64'));
  const base64 = Buffer.from(BLOCK.toString('base64'), 'latin1');
  const pieces = function* () {
    yield Buffer.from(head);
    for (const part of parts) {
      for (let at = 0; at < load.blocks; at += 1) yield base64;
      yield Buffer.from(part);
    }
  };
  const length = Buffer.byteLength([head, ...parts].join('')) + load.files * load.blocks * base64.length;
  const connection = await Connection.open(receiver.url);
  const { body } = await connection.postPieces(REST_PATH, pieces(), length);
  connection.close();
  const { messageUUID } = JSON.parse(body) as { messageUUID: string };
  return `${archiver.url}/api/v1/incoming-documents/${await idOf(place, messageUUID)}/zip`;
}

async function idOf({ database }: Place, externalId: string): Promise<string> {
  const query = 'SELECT id FROM messages WHERE external_id = $1';
  const [row] = await runSql<{ id: string }>(database.ownerUrl, query, [externalId]);
  return row?.id ?? '';
}

async function download(url: string, token: string): Promise<void> {
  const request = get(url, { headers: { authorization: `Bearer ${token}` } });
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  if (answer.statusCode !== 200) throw new Error(`${url} answered ${answer.statusCode}`);
  answer.resume();
  await finished(answer);
}

async function infoZip(folder: string): Promise<void> {
  const zipping = spawn('zip', ['-0', '-q', '-r', '-', '.'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
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
  const url = await deliver(place, receiver, archiver, load);
  const token = await issueToken(place.paths);
  for (let round = 0; round < 3; round += 1) await download(url, token);
  return place.stopProfiled(archiver);
}
