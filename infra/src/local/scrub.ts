import { parseArgs } from 'node:util';
import { insertAudit } from '@indbakke/shared/audit';
import { type Progress, type Scrubbed, scrub, scrubAudit } from '@indbakke/shared/scrub';
import { withMaintenance } from '@indbakke/shared/store';
import { runCommand } from './command.js';
import { withOwnerUrl } from './with-owner-url.js';

const USAGE = `npm run scrub

Removes from the database's files and its write-ahead log what deleted rows have left there, now and not in the window of the
night (SCRUB_WINDOW). Everything may run meanwhile. After a stop, run it again. Uses the database of npm start, or the one named
by DATABASE_OWNER_URL. Exit status 1: something is left.`;

const PROGRESS_EVERY_MS = 5_000;

await runCommand(USAGE, async () => {
  const { values } = parseArgs({ options: { help: { type: 'boolean', short: 'h', default: false } } });
  if (values.help) return USAGE;
  let isStopping = false;
  const stop = () => {
    isStopping = true;
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  return withOwnerUrl((url) =>
    withMaintenance({ url, name: 'indbakke-scrub', isOwner: true }, async (connection) => {
      const done = await scrub(connection, { mayGoOn: () => !isStopping, onProgress: progressPrinter() });
      if (!done) return 'Nothing was deleted since the last scrub, or another one is running.';
      const { text, values } = insertAudit(scrubAudit(done));
      await connection.query(text, values);
      if (done.left > 0 || done.walSegments === undefined) process.exitCode = 1;
      return sentenceOf(done);
    }),
  );
});

/** A line for each table, and every few seconds where one takes long. */
function progressPrinter(): (progress: Progress) => void {
  let shownAt = performance.now();
  return ({ table, rows, of, seconds, done }) => {
    if (!done && performance.now() < shownAt + PROGRESS_EVERY_MS) return;
    shownAt = performance.now();
    const what = table === 'pg_wal' ? 'segments' : 'rows';
    const so = done ? `${rows} ${what}` : `${rows} of about ${Math.round(of)} ${what}`;
    process.stderr.write(`${table}: ${so}, ${seconds} s\n`);
  };
}

function sentenceOf({ tables, rows, seconds, walSegments, left }: Scrubbed): string {
  const wal =
    walSegments === undefined
      ? 'The write-ahead log was left: the owner of the tables may not clear it (docs/backup.md, Scrub).'
      : `The write-ahead log was cleared, with ${walSegments} kept segments.`;
  return `${tables} tables with ${rows} rows were written anew in ${seconds} s${left > 0 ? `, ${left} are left` : ''}. ${wal}`;
}
