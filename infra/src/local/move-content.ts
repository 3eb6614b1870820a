import { parseArgs } from 'node:util';
import { DELETION_LEDGER_SUFFIX } from '@indbakke/archiver';
import { LEDGER_SUFFIX } from '@indbakke/operations';
import { commonSettings, readConfig, s3Settings, url } from '@indbakke/shared/config';
import { besideContent, type ContentPlace, openBlobStore } from '@indbakke/shared/content';
import { type Moved, type MoveOptions, moveContent, moveLedger } from '@indbakke/shared/content-move';
import { withMaintenance } from '@indbakke/shared/store';
import { z } from 'zod';
import { runCommand } from './command.js';
import { withOwnerUrl } from './with-owner-url.js';

const USAGE = `npm run move-content

Moves content from BLOB_URL_OTHER to BLOB_URL, a folder or a place in S3 each, while everything runs; and the two ledgers beside it, where
DELETION_LEDGER_URL and LEDGER_URL do not name another place. All services must run with both settings (docs/s3.md, Moving content).
Each copy is read back and compared before the old one goes. May be stopped or killed, and run again. Uses the database of npm start, or
the one named by DATABASE_OWNER_URL. Exit status 1: something that a row names is left in the old place.`;

const PROGRESS_EVERY_MS = 5_000;
const AT_ONCE = 4;

const Config = z.object({
  BLOB_URL: commonSettings.BLOB_URL,
  BLOB_URL_OTHER: url('file:', 's3:').describe('the place to move content from'),
  DELETION_LEDGER_URL: url('file:', 's3:').optional(),
  LEDGER_URL: url('file:', 's3:').optional(),
  ...s3Settings,
});
type Config = z.infer<typeof Config>;

await runCommand(USAGE, async () => {
  const { values } = parseArgs({ options: { help: { type: 'boolean', short: 'h', default: false } } });
  if (values.help) return USAGE;
  const config = readConfig(Config, process.env);
  let isStopping = false;
  const stop = () => {
    isStopping = true;
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  const mayGoOn = () => !isStopping;
  return withOwnerUrl((ownerUrl) =>
    alone(ownerUrl, async () => {
      const content = await moveAllContent(ownerUrl, config, mayGoOn);
      const ledgers = await moveLedgers(config, mayGoOn);
      return report(content, ledgers, isStopping);
    }),
  );
});

type Connection = Parameters<Parameters<typeof withMaintenance>[1]>[0];

/** @throws Error when content is being moved already */
function alone<T>(ownerUrl: string, work: () => Promise<T>): Promise<T> {
  return withMaintenance({ url: ownerUrl, name: 'indbakke-move-content', isOwner: true }, async (connection) => {
    const { rows } = await connection.query(`SELECT pg_try_advisory_lock(hashtext('indbakke-move-content')) AS mine`);
    if (!rows[0]?.mine) throw new Error('Another npm run move-content is at it.');
    return work();
  });
}

async function moveAllContent(ownerUrl: string, config: Config, mayGoOn: () => boolean): Promise<Moved> {
  const move = await openBoth(config, '');
  await requireMarked('BLOB_URL_OTHER', move.from);
  await requireMarked('BLOB_URL', move.to);
  return withConnections(ownerUrl, AT_ONCE, async (connections) => {
    const options = { mayGoOn, onProgress: progressOf('content') };
    const all = await moveContent(connections, move, options);
    // Again, for what was finished in the old place meanwhile, by a service that was restarted late.
    for (let last = all; last.moved > 0 && mayGoOn(); ) {
      last = await moveContent(connections, move, options);
      Object.assign(all, last, {
        moved: all.moved + last.moved,
        bytes: all.bytes + last.bytes,
        gone: all.gone + last.gone,
      });
    }
    return all;
  });
}

/** @throws Error when no service has used the place: then it is another one, or that of a mount that is away */
async function requireMarked(setting: 'BLOB_URL' | 'BLOB_URL_OTHER', place: ContentPlace): Promise<void> {
  if (await place.isMarked()) return;
  throw new Error(`${setting}: no service has used this place yet. Is it the right one, and mounted? See docs/s3.md.`);
}

async function moveLedgers(config: Config, mayGoOn: () => boolean): Promise<ReadonlyMap<string, Moved>> {
  const moved = new Map<string, Moved>();
  for (const [what, suffix, own] of [
    ['the deletion ledger', DELETION_LEDGER_SUFFIX, config.DELETION_LEDGER_URL],
    ['the ledger', LEDGER_SUFFIX, config.LEDGER_URL],
  ] as const) {
    if (own === undefined)
      moved.set(what, await moveLedger(await openBoth(config, suffix), { mayGoOn, onProgress: progressOf(what) }));
  }
  return moved;
}

async function openBoth(config: Config, suffix: string): Promise<{ from: ContentPlace; to: ContentPlace }> {
  const open = (setting: 'BLOB_URL' | 'BLOB_URL_OTHER') =>
    openBlobStore(besideContent(config[setting], suffix), config).catch((cause: Error) => {
      throw new Error(`${setting}: ${cause.message.replace(/\.$/, '')}.`, { cause });
    });
  return { from: await open('BLOB_URL_OTHER'), to: await open('BLOB_URL') };
}

async function withConnections<T>(
  ownerUrl: string,
  count: number,
  work: (connections: readonly Connection[]) => Promise<T>,
  opened: readonly Connection[] = [],
): Promise<T> {
  if (opened.length === count) return work(opened);
  return withMaintenance({ url: ownerUrl, name: 'indbakke-move-content', isOwner: true }, (connection) =>
    withConnections(ownerUrl, count, work, [...opened, connection]),
  );
}

function progressOf(what: string): MoveOptions['onProgress'] & object {
  let shownAt = performance.now();
  return ({ moved, bytes }) => {
    if (performance.now() < shownAt + PROGRESS_EVERY_MS) return;
    shownAt = performance.now();
    process.stderr.write(`${what}: ${moved} files moved, ${mebibytes(bytes)}\n`);
  };
}

function report(content: Moved, ledgers: ReadonlyMap<string, Moved>, isStopped: boolean): string {
  const all = [content, ...ledgers.values()];
  const failed = all.flatMap((each) => each.failed);
  const lines = [
    `Content: ${content.moved} files moved, ${mebibytes(content.bytes)}.`,
    ...[...ledgers].map(([what, { moved }]) => `Of ${what}: ${moved} files moved.`),
  ];
  if (content.gone > 0) lines.push(`${content.gone} were deleted meanwhile, in both places.`);
  if (content.unnamed > 0)
    lines.push(
      `${content.unnamed} that no row names are left: of uploads under way, or orphans, which go after 30 days.`,
    );
  for (const line of failed) lines.push(`left: ${line}`);
  if (isStopped || failed.length > 0) {
    process.exitCode = 1;
    return [...lines, `${isStopped ? 'Stopped' : `${failed.length} are left`}. Run this again.`].join('\n');
  }
  return [...lines, 'Nothing that a row names is left in the old place.'].join('\n');
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
