import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type AppliedFile, applyMunicipality, exportMunicipality } from '@indbakke/journaler';
import { roleSheet } from '@indbakke/shared/access';
import { MunicipalityFile } from '@indbakke/shared/api';
import { wordsFor } from '@indbakke/shared/http';
import { cvrNumberOf } from '@indbakke/shared/ids';
import type { Connection } from '@indbakke/shared/store';
import { parseDocument, stringify } from 'yaml';
import { rejectOptionsTakenByNpm, runCommand } from './command.js';
import { asOwner } from './register-municipality.js';
import { withOwnerUrl } from './with-owner-url.js';

const USAGE = `npm run municipality -- apply FILE [--dry-run]
npm run -s municipality -- export CVR > FILE
npm run -s municipality -- roles

apply sets up the municipality of a YAML or JSON file, such as infra/municipality.example.yaml: a new one, whose messages are
accepted from then on, or one that is there. Settings that the file leaves out stay as they are; contact points that it leaves
out stay too, and are named. --dry-run only shows what would change. export prints such a file, and
roles the page of roles for a municipality (docs/roller.md).

Uses the database of npm start, or the one named by DATABASE_OWNER_URL.`;

await runCommand(USAGE, async () => {
  rejectOptionsTakenByNpm('municipality', ['dry-run']);
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      'dry-run': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [action, argument, ...more] = positionals;
  if (values.help) return USAGE;
  if (action === 'roles' && argument === undefined) return roleSheet().trimEnd();
  if (argument === undefined || more.length > 0) throw new Error(USAGE);
  if (action === 'apply') return apply(argument, values['dry-run']);
  if (values['dry-run']) throw new Error(USAGE);
  if (action === 'export') return print(argument);
  throw new Error(USAGE);
});

/** @throws Error when it is none */
function readCvr(text: string): string {
  const cvr = cvrNumberOf(text);
  if (cvr === undefined) throw new Error('CVR must be a number of eight digits.');
  return cvr;
}

async function apply(path: string, isDry: boolean): Promise<string> {
  const file = read(path);
  const applied = await withOwner(isDry ? 'ROLLBACK' : 'COMMIT', (owner) => applyMunicipality(owner, file));
  const lines = linesOf(applied);
  const changes = lines.filter((line) => !line.startsWith('='));
  if (changes.length === 0) return [...lines, `${file.cvr}: nothing to change.`].join('\n');
  const done = isDry ? 'would change. Run it without --dry-run to do it' : 'changed';
  return [...lines, `${file.cvr}: ${changes.length} ${changes.length === 1 ? 'thing' : 'things'} ${done}.`].join('\n');
}

async function print(text: string): Promise<string> {
  const cvr = readCvr(text);
  const file = await withOwner('COMMIT', (owner) => exportMunicipality(owner, cvr));
  if (!file) throw new Error(`There is no municipality ${cvr}.`);
  return stringify(file).trimEnd();
}

/** @throws Error that names the lines at fault */
function read(path: string): MunicipalityFile {
  const document = parseDocument(readFileSync(path, 'utf8'));
  const [fault] = document.errors;
  if (fault) throw new Error(`${path}: ${fault.message}`);
  const parsed = MunicipalityFile.safeParse(document.toJS(), { error: wordsFor });
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(
    ({ path: place, message }) => `  ${place.join('.') || 'the file'}: ${message}`,
  );
  throw new Error(`${path} cannot be applied:\n${faults.join('\n')}`);
}

function withOwner<T>(end: 'COMMIT' | 'ROLLBACK', work: (owner: Connection) => Promise<T>): Promise<T> {
  return withOwnerUrl((ownerUrl) => asOwner(ownerUrl, end, work));
}

/** `+` is new, `~` changes, `=` is left as it is. */
function linesOf({ isNew, settings, contactPoints, others }: AppliedFile): string[] {
  const value = (each: unknown) => JSON.stringify(each);
  const named = ({ id, name }: { id: string; name: string }) => `contact point ${id} ${name}`;
  return [
    ...(isNew ? ['+ the municipality'] : []),
    ...Object.keys(settings?.after ?? {}).map(
      (name) => `~ ${name}: ${value(settings?.before[name])} → ${value(settings?.after[name])}`,
    ),
    ...contactPoints.flatMap(({ entry: point, is, difference }) => {
      if (is === 'unchanged') return [];
      if (is === 'added') return [`+ ${named(point)}`];
      const changes = Object.keys(difference.after).map(
        (name) => `${name}: ${value(difference.before[name])} → ${value(difference.after[name])}`,
      );
      return [`~ ${named(point)}: ${changes.join(', ')}`];
    }),
    ...others.map((point) => `= ${named(point)}: not in the file`),
  ];
}
