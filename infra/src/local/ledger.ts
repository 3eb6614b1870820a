import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import {
  acceptDifferences,
  alone,
  catchUp,
  checkDay,
  compareList,
  FATES,
  type Fate,
  KINDS,
  type Kind,
  LineReader,
  makeDueDays,
  OperationsConfig,
  openLedgerFolder,
  Pace,
  PLACES,
  type Place,
  readDays,
  readDifferences,
  readLedger,
} from '@indbakke/operations';
import { INSTALLATION } from '@indbakke/shared/audit';
import type { Parts } from '@indbakke/shared/service';
import { rejectOptionsTakenByNpm, runCommand } from './command.js';
import { withParts } from './with-parts.js';

const USAGE = `npm run -s ledger -- [--day 2026-11-26] [--municipality CVR] [--verify [--content]]
npm run -s ledger -- compare FILE.csv [--column HEADING]
npm run -s ledger -- accept --municipality CVR [--day 2026-11-26]

The ledger says for each day and municipality which messages were received, and what had become of them the night after. Without
--day: the newest day. --verify compares with what is stored now: the whole ledger, or one day of it; with --content it also reads all
files. Differences are printed with their ids; the command ends with status 1 then.

compare takes a list of what was sent to us, as Administrativ Adgang exports it (CSV, with commas or semicolons), and says which
messageUUIDs are not here (status 1), and what became of the others. --column names the column of the ids; else it is found.

accept: differences that somebody has looked at, and that cannot be mended, alarm no longer; those of the ledger itself with
--municipality ${INSTALLATION}. The audit log has it.

Takes the settings of the operations service from the environment; without DATABASE_URL, the database of npm start.`;

const OPTIONS = {
  day: { type: 'string' },
  municipality: { type: 'string' },
  verify: { type: 'boolean', default: false },
  content: { type: 'boolean', default: false },
  column: { type: 'string' },
} as const;

interface Wanted {
  readonly day?: string | undefined;
  readonly municipality?: string | undefined;
}

const PROGRESS_EVERY_MS = 5_000;

await runCommand(USAGE, async () => {
  rejectOptionsTakenByNpm('ledger', Object.keys(OPTIONS));
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { ...OPTIONS, help: { type: 'boolean', short: 'h', default: false } },
  });
  if (values.help) return USAGE;
  const { day, municipality, verify, content } = values;
  if (day !== undefined && !/^\d{4}-\d\d-\d\d$/.test(day)) throw new Error('--day must be a day such as 2026-11-26.');
  const [command, file, ...more] = positionals;
  if (more.length > 0) throw new Error(USAGE);
  if (command === undefined)
    return withParts('ledger', OperationsConfig, (parts, config) =>
      verify ? verifyDays(parts, config, { day, municipality }, content) : show(parts, config, { day, municipality }),
    );
  if (command === 'compare' && file !== undefined) {
    const bytes = await readFile(file);
    return withParts('ledger', OperationsConfig, (parts) => compare(parts, bytes, values.column));
  }
  if (command === 'accept' && file === undefined && municipality !== undefined)
    return withParts('ledger', OperationsConfig, async (parts) => {
      const count = await acceptDifferences(parts, { municipality, day }, 'ledger-accept');
      return `${count} differences are accepted.`;
    });
  throw new Error(USAGE);
});

async function show(parts: Parts, config: OperationsConfig, wanted: Wanted): Promise<string> {
  const folder = await openLedgerFolder(config);
  await alone(config.DATABASE_URL, true, () => makeDueDays(parts, folder, new Date()));
  const all = await readDays(parts, wanted);
  const newest = all.at(-1)?.day;
  const days = wanted.day === undefined ? all.filter(({ day }) => day === newest) : all;
  if (days.length === 0) throw new Error('The ledger has no such day. A day is counted some minutes after its end.');
  const lines = days.map(({ municipality, day, received, fates, checkedAt }) => {
    const what = Object.entries(fates).filter(([, count]) => count > 0);
    const told = what.map(([fate, count]) => `${count} ${FATES[fate as Fate]}`).join(', ');
    const checked = checkedAt ? `compared ${checkedAt.toISOString()}` : 'not compared yet';
    return `${municipality} ${day}: ${received} received${told && `: ${told}`}; ${checked}`;
  });
  return [...lines, ...(await differencesOf(parts, wanted))].join('\n');
}

async function verifyDays(
  parts: Parts,
  config: OperationsConfig,
  wanted: Wanted,
  readsContent: boolean,
): Promise<string> {
  const folder = await openLedgerFolder(config);
  const whole = await readLedger(folder, parts.keys);
  let shownAt = performance.now();
  const days = await alone(config.DATABASE_URL, true, async () => {
    await catchUp(parts, folder);
    await makeDueDays(parts, folder, new Date());
    const reader = new LineReader(parts, folder);
    const pace = new Pace(config.LEDGER_BYTES_PER_SECOND);
    const due = await readDays(parts, wanted);
    for (const [at, day] of due.entries()) {
      await checkDay(parts, reader, day, { pace, readsContent, mayGoOn: () => true });
      if (performance.now() < shownAt + PROGRESS_EVERY_MS) continue;
      shownAt = performance.now();
      process.stderr.write(`${at + 1} of ${due.length} days\n`);
    }
    return due.length;
  });
  if (days === 0) throw new Error('The ledger has no such day. A day is counted some minutes after its end.');
  const faults = [...whole.faults, ...(await differencesOf(parts, wanted))];
  if (whole.faults.length > 0) process.exitCode = 1;
  const read = readsContent ? 'with all files' : 'without reading files';
  return [...faults, `${days} days of municipalities were compared, ${read}: ${faults.length} differences.`].join('\n');
}

/** In sentences; there are any, the command ends with status 1. */
async function differencesOf(parts: Parts, { day, municipality }: Wanted): Promise<string[]> {
  const all = await readDifferences(parts);
  const wanted = all.filter(
    (one) =>
      one.municipality === INSTALLATION ||
      ((day === undefined || one.day === day) && (municipality === undefined || one.municipality === municipality)),
  );
  if (wanted.length > 0) process.exitCode = 1;
  return wanted.map(({ municipality: of, kind, subject, day: on, externalId }) => {
    const known = externalId && externalId !== subject ? ` (${externalId})` : '';
    return `${of}${on ? ` ${on}` : ''}: ${subject}${known} ${KINDS[kind as Kind]}.`;
  });
}

async function compare(parts: Parts, bytes: Buffer, wanted: string | undefined): Promise<string> {
  const { column, otherColumns, places, without } = await compareList(parts, bytes, wanted);
  if (places.missing.length > 0) process.exitCode = 1;
  const others =
    otherColumns.length > 0 ? ` Other columns with ids, of which fewer are here: ${otherColumns.join(', ')}.` : '';
  const total = Object.values(places).reduce((sum, ids) => sum + ids.length, 0);
  return [
    `The ids are those of the column ${column}: ${total}.${others}`,
    ...(without > 0 ? [`${without} rows have no id there.`] : []),
    ...Object.entries(PLACES).flatMap(([place, meaning]) => {
      const ids = places[place as Place];
      // Of what is in the inbox or was handled there is nothing to be done.
      const isNamed = ['held', 'deleted', 'quarantined', 'missing'].includes(place);
      return [`${ids.length} ${meaning}${isNamed && ids.length > 0 ? ':' : ''}`, ...(isNamed ? ids : [])];
    }),
  ].join('\n');
}
