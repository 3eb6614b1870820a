import { parseArgs } from 'node:util';
import { ArchiverConfig, ledgerUrlOf, openLedger, RESULTS, type Result, reapplyDeletions } from '@indbakke/archiver';
import type { Parts } from '@indbakke/shared/service';
import { rejectOptionsTakenByNpm, runCommand } from './command.js';
import { withParts } from './with-parts.js';

const USAGE = `npm run reapply-deletions [-- --dry-run]

After a restore of the database from a backup: deletes again what was deleted since, and removes content that was removed since, as the
deletion ledger has it. Messages that the backup does not have get a row without content, so that they do not come back. Deletions whose
delay is over and that no ledger has are cancelled. May be stopped, and run again; --dry-run only counts. Takes the settings of the
archiver from the environment; without DATABASE_URL, the database of npm start. Stop receivers and archivers meanwhile. Exit status 1:
something could not be deleted, or the ledger is empty.`;

const PROGRESS_EVERY_MS = 5_000;
const LEFT = ['handed-over', 'legal-hold', 'unknown-municipality', 'forged'] as const satisfies readonly Result[];

await runCommand(USAGE, async () => {
  rejectOptionsTakenByNpm('reapply-deletions', ['dry-run']);
  const { values } = parseArgs({
    options: { 'dry-run': { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
  });
  if (values.help) return USAGE;
  return withParts('reapply-deletions', ArchiverConfig, (parts, config) => reapply(parts, config, values['dry-run']));
});

async function reapply(parts: Parts, config: ArchiverConfig, isDryRun: boolean): Promise<string> {
  let shownAt = performance.now();
  const counts = await reapplyDeletions(parts, await openLedger(config), {
    isDryRun,
    onForged: (where) => process.stderr.write(`forged: ${where}\n`),
    onLine(soFar) {
      if (performance.now() < shownAt + PROGRESS_EVERY_MS) return;
      shownAt = performance.now();
      process.stderr.write(`${Object.values(soFar).reduce((sum, count) => sum + count)} lines read\n`);
    },
  });
  if (Object.values(counts).every((count) => count === 0)) throw new Error(emptyLedger(ledgerUrlOf(config)));
  if (LEFT.some((result) => counts[result] > 0)) process.exitCode = 1;
  const lines = Object.entries(RESULTS).map(([result, meaning]) => `${counts[result as Result]} ${meaning}`);
  return [...(isDryRun ? ['Dry run: nothing was changed. It would be:'] : []), ...lines].join('\n');
}

/** Of a wrong folder nothing else tells: the deleted would stay, and come back. */
function emptyLedger(url: string): string {
  return `The deletion ledger ${url} is empty. If anything was ever deleted here, DELETION_LEDGER_URL or BLOB_URL names another folder.`;
}
