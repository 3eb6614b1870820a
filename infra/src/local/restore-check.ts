import { parseArgs } from 'node:util';
import { ArchiverConfig, openLedger, readLedger as readDeletions, reapplyDeletions } from '@indbakke/archiver';
import {
  alone,
  catchUp,
  findLost,
  isRestored,
  KINDS,
  type Line,
  moveFeed,
  OperationsConfig,
  openLedgerFolder,
  readAccepted,
  readLedger,
  recordDifferences,
  sampleContent,
} from '@indbakke/operations';
import { NotReady } from '@indbakke/shared/readiness';
import type { Parts } from '@indbakke/shared/service';
import { z } from 'zod';
import { rejectOptionsTakenByNpm, runCommand } from './command.js';
import { withParts } from './with-parts.js';

const USAGE = `npm run -s restore-check [-- --move-feed]

After the database or the content was restored from a backup, before the services start: compares them with each other, with the ledger
and with the deletion ledger, and says what is wrong and what to do next, in order. Run it after each step; it may be stopped, and run
again. It changes one thing: where it finds another database than the ledger is of, the change feeds go on above all positions that
were given before. --move-feed does that although nothing tells of a restore, as when a snapshot was put back into the same server.
Takes the settings of the archiver and the operations service; without DATABASE_URL, the database of npm start. Exit status: 0 = nothing
is left to be done before the services start, 1 = something is.`;

const Config = z.object({ ...ArchiverConfig.shape, ...OperationsConfig.shape });
type Config = z.infer<typeof Config>;

const NAME = 'restore-check';
const SERVICES = ['receiver', 'journaler', 'archiver', 'operations', 'indbakke'];
const SAMPLE = 200;
const MOST_NAMED = 1_000;

/** What was found, and what follows from it. */
interface Findings {
  /** Sentences: what is as it should be, or was done. */
  readonly good: string[];
  readonly wrong: string[];
  /** What to do next, in order. */
  readonly next: string[];
}

/** What follows whatever was found. */
const ALWAYS = [
  'Where legal holds may have been set since the backup, switch retention off: UPDATE municipalities SET remove_content_after_days = NULL; ask who deletes about deletions whose delay runs.',
  'Start receivers, journalers, archivers and operations. Readers of the change feed get position-gone, and read the lists anew.',
  'Ask for the list of what was sent to us since the backup, and compare: npm run ledger -- compare FILE.csv.',
  'Keep new heads of the audit log: npm run -s audit -- verify. Those from after the backup are of rows that were lost.',
];

await runCommand(USAGE, async () => {
  rejectOptionsTakenByNpm(NAME, ['move-feed']);
  const { values } = parseArgs({
    options: {
      'move-feed': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return USAGE;
  return withParts(NAME, Config, (parts, config) => check(parts, config, values['move-feed']));
});

async function check(parts: Parts, config: Config, isForced: boolean): Promise<string> {
  const findings: Findings = { good: [], wrong: [], next: [] };
  const isReady = await checkParts(parts, findings);
  if (isReady && (await checkNothingRuns(parts, findings))) {
    const folder = await openLedgerFolder(config);
    await alone(config.DATABASE_URL, true, async () => {
      await catchUp(parts, folder);
      const { lines, faults } = await readLedger(folder, parts.keys);
      findings.wrong.push(...faults);
      const deleted = await checkDeletions(parts, config, findings);
      await checkLedger(parts, lines, deleted, findings);
      await checkContents(parts, config, deleted, findings);
      await checkFeed(parts, folder, lines, isForced, findings);
    });
  }
  if (findings.wrong.length > 0) process.exitCode = 1;
  return report(findings);
}

async function checkParts({ store, blobs, keys }: Parts, { wrong, good, next }: Findings): Promise<boolean> {
  try {
    const { masterKeys } = await store.check();
    const missing = masterKeys.filter((id) => !keys.keyIds.has(id));
    if (missing.length > 0) throw new NotReady('key-missing');
    await blobs.check();
    good.push('Database, keys and content folder can be used.');
    return true;
  } catch (error) {
    const reason = error instanceof NotReady ? error.reason : (error as Error).message;
    wrong.push(`Database, keys or content folder cannot be used: ${reason}.`);
    next.push('Mend that (docs/monitoring.md, What /readyz says), and run this again.');
    return false;
  }
}

async function checkNothingRuns({ store }: Parts, { wrong, next }: Findings): Promise<boolean> {
  const rows = await store.sweep<{ name: string }>(
    `SELECT DISTINCT application_name AS name FROM pg_stat_activity WHERE datname = current_database() AND application_name = ANY ($1)`,
    [SERVICES],
  );
  if (rows.length === 0) return true;
  wrong.push(`Services run: ${rows.map(({ name }) => name).join(', ')}.`);
  next.push('Stop all services, and run this again.');
  return false;
}

/** @returns the ids of messages that the deletion ledger has */
async function checkDeletions(parts: Parts, config: Config, { wrong, good, next }: Findings): Promise<Set<string>> {
  const ledger = await openLedger(config);
  const deleted = new Set<string>();
  for await (const line of readDeletions(ledger, parts.keys)) if ('deletion' in line) deleted.add(line.deletion.id);
  const counts = await reapplyDeletions(parts, ledger, { isDryRun: true });
  const due = counts.deleted + counts['content-removed'] + counts.tombstone + counts['delay-cancelled'];
  const stuck = counts['handed-over'] + counts['legal-hold'] + counts['unknown-municipality'] + counts.forged;
  if (due > 0) wrong.push(`${due} deletions or removals of content are not in this database.`);
  if (stuck > 0) wrong.push(`${stuck} lines of the deletion ledger cannot be done again; that command says why.`);
  if (due + stuck > 0) next.push('Delete again what was deleted: npm run reapply-deletions. Then run this again.');
  else good.push(`All of the deletion ledger is done here: ${deleted.size} messages.`);
  return deleted;
}

async function checkLedger(
  parts: Parts,
  lines: readonly Line[],
  deleted: ReadonlySet<string>,
  { wrong, good, next }: Findings,
): Promise<void> {
  const days = lines.filter(({ is }) => is === 'day').length;
  if (lines.length === 0) {
    wrong.push('The ledger is empty, so nothing tells which messages there should be.');
    next.push('See that LEDGER_URL or BLOB_URL names the right folder.');
    return;
  }
  const accepted = await readAccepted(parts);
  let count = 0;
  for await (const lost of findLost(parts, lines)) {
    if (deleted.has(lost.id) || accepted.has(lost.id)) continue; // a row without content comes by reapply-deletions
    count += 1;
    await recordDifferences(parts, [{ ...lost, kind: 'gone', subject: lost.id }]);
    if (count <= MOST_NAMED)
      wrong.push(
        `${lost.municipality} ${lost.day}: the message ${lost.id} (${lost.externalId}) was received and is not here.`,
      );
  }
  if (count > MOST_NAMED) wrong.push(`And ${count - MOST_NAMED} more messages: npm run ledger -- --verify names them.`);
  if (count === 0) good.push(`All messages of the ${days} days in the ledger are here.`);
  else
    next.push(
      'Restore a newer backup, or archived WAL, if there is any. Else have these messages sent again; for those that cannot be: npm run ledger -- accept --municipality CVR. Then run this again.',
    );
}

async function checkContents(
  parts: Parts,
  config: Config,
  deleted: ReadonlySet<string>,
  { wrong, good, next }: Findings,
): Promise<void> {
  const sampled = await sampleContent(parts, { most: SAMPLE, bytesPerSecond: Number.POSITIVE_INFINITY });
  const faults = sampled.faults.filter(({ id }) => !deleted.has(id)); // of these the content is to go
  for (const { municipality, id, kind } of faults) wrong.push(`${municipality}: the message ${id} ${KINDS[kind]}.`);
  if (faults.length === 0) good.push(`The content of ${sampled.read} messages was read, and is what was received.`);
  else
    next.push(
      `Restore a newer backup of the content folder ${config.BLOB_URL}, or the right one. Then run this again. npm run ledger -- --verify --content reads all of it.`,
    );
}

async function checkFeed(
  parts: Parts,
  folder: Awaited<ReturnType<typeof openLedgerFolder>>,
  lines: readonly Line[],
  isForced: boolean,
  { wrong, good, next }: Findings,
): Promise<void> {
  if (isForced || (await isRestored(parts))) {
    const heads = await moveFeed(parts, folder, lines, NAME);
    good.push(`The change feeds of ${heads.size} municipalities go on above all positions that were given before.`);
  } else if (lines.length === 0) {
    wrong.push('Nothing tells whether positions of the change feed would be given again, since the ledger is empty.');
    next.push('If there never was a ledger: npm run restore-check -- --move-feed.');
  } else good.push('The ledger is of this database: positions of the change feed are not given again.');
}

function report({ good, wrong, next }: Findings): string {
  const steps = [...next, ...ALWAYS].map((step, at) => `  ${at + 1}. ${step}`);
  return [...good, ...wrong.map((sentence) => `WRONG: ${sentence}`), '', 'Next, in this order:', ...steps].join('\n');
}
