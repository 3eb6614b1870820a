import { parseArgs } from 'node:util';
import { asSystem } from '@indbakke/shared/access';
import { CommonConfig } from '@indbakke/shared/config';
import { Problem } from '@indbakke/shared/errors';
import { scanAgain } from '@indbakke/shared/inbox';
import type { Parts } from '@indbakke/shared/service';
import { z } from 'zod';
import { BadArgument, rejectOptionsTakenByNpm, runCommand } from './command.js';
import { withParts } from './with-parts.js';

const USAGE = `npm run -s scan-again -- --municipality CVR MESSAGE…

Has the files of these messages that could not be scanned for malware scanned again, such as after the limits of clamd were raised or its
fault was mended. They are held until then. MESSAGE is the id that the address of the letter's page has. The history of the message tells
of it. Takes the settings of a service from the environment; without DATABASE_URL, those of npm start.`;

await runCommand(USAGE, async () => {
  rejectOptionsTakenByNpm('scan-again', ['municipality']);
  const { values, positionals: ids } = parseArgs({
    options: { municipality: { type: 'string' }, help: { type: 'boolean', short: 'h', default: false } },
    allowPositionals: true,
  });
  if (values.help) return USAGE;
  const municipality = values.municipality ?? '';
  if (!/^\d{8}$/.test(municipality)) throw new BadArgument('Name the municipality: its CVR number.');
  if (ids.length === 0) throw new BadArgument('Name at least one message.');
  if (!ids.every((id) => z.uuid().safeParse(id).success))
    throw new BadArgument('A message is named by its id, a UUID.');
  return withParts('scan-again', CommonConfig, (parts) => scanAll(parts, municipality, ids));
});

async function scanAll({ store, scanning }: Parts, municipality: string, ids: readonly string[]): Promise<string> {
  if (!scanning.isOn) throw new Error('Files are not scanned here: CLAMD_URL is not set.');
  const principal = asSystem(municipality, { kind: 'system', id: 'scan-again' });
  const lines: string[] = [];
  for (const id of ids) {
    try {
      const count = await scanAgain(store, { principal, id, expectedVersion: undefined, at: new Date() });
      lines.push(`${id}: ${count === 1 ? '1 file is' : `${count} files are`} scanned again.`);
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'not-found') throw error;
      lines.push(`${id}: no such message, or none of its files is unscannable.`);
      process.exitCode = 1;
    }
  }
  return lines.join('\n');
}
