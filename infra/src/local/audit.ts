import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { type Head, verifyAuditLog } from '@indbakke/shared/audit';
import { openKeyRing } from '@indbakke/shared/keys';
import pg from 'pg';
import { rejectOptionsTakenByNpm, runCommand } from './command.js';
import { ownersKeys } from './owners-keys.js';
import { withOwnerUrl } from './with-owner-url.js';

const USAGE = `npm run -s audit -- verify [--municipality CVR] [--heads FILE]

Walks the audit log of every municipality, or of one, and says where a row was removed, altered, moved or added, or a month
dropped without an anchor. Prints the head of each log that is whole (CVR or installation, last position, hash): keep these lines outside this
machine. With --heads, a file of such lines from earlier, it also finds an end that was cut off together with its head, or a log
that was written anew; nothing else tells these. Uses the database of npm start with its keys, or those named by
DATABASE_OWNER_URL and KEY_FILE (or KEYS). Exit status: 0 = whole, 1 = faults, or it could not be verified.`;

const OPTIONS = { municipality: { type: 'string' }, heads: { type: 'string' } } as const;

const PROGRESS_EVERY_MS = 5_000;
let shownAt = performance.now();

await runCommand(USAGE, async () => {
  rejectOptionsTakenByNpm('audit', Object.keys(OPTIONS));
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { ...OPTIONS, help: { type: 'boolean', short: 'h', default: false } },
  });
  if (values.help) return USAGE;
  if (positionals.length !== 1 || positionals[0] !== 'verify') throw new Error(USAGE);
  const known = values.heads === undefined ? [] : readHeads(await readFile(values.heads, 'utf8'));
  const source = await ownersKeys();
  return withOwnerUrl(async (connectionString) => {
    const keys = await openKeyRing(source);
    const client = new pg.Client({ connectionString });
    await client.connect();
    try {
      let faults = 0;
      const heads = await verifyAuditLog(client, keys, {
        municipality: values.municipality,
        known,
        onFault: (fault) => {
          faults += 1;
          process.stderr.write(`${fault}\n`);
        },
        onProgress,
      });
      if (faults > 0) process.exitCode = 1;
      process.stderr.write(
        faults === 0 ? 'The audit log is whole.\n' : `The audit log has ${faults} fault${faults === 1 ? '' : 's'}.\n`,
      );
      return heads.map(({ municipality, position, hash }) => `${municipality} ${position} ${hash || '-'}`).join('\n');
    } finally {
      await client.end();
    }
  });
});

/** At most a line every few seconds. */
function onProgress(cvr: string, position: bigint, head: bigint): void {
  if (performance.now() < shownAt + PROGRESS_EVERY_MS) return;
  shownAt = performance.now();
  process.stderr.write(`${cvr}: at position ${position} of ${head}\n`);
}

function readHeads(text: string): Head[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, municipality = '', position = '', hash = ''] = /^(\S+) (\d+) ([0-9a-f]{64}|-)\s*$/.exec(line) ?? [];
      if (municipality === '')
        throw new Error('Each line of --heads must be as this command prints them: CVR, position, hash.');
      return { municipality, position: BigInt(position), hash: hash === '-' ? '' : hash };
    })
    .filter(({ position }) => position > 0n);
}
