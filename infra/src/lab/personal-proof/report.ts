import { machine, none, resultLines, today } from '../results/form.js';
import type { PersonalProof } from './prove.js';

const MB = 2 ** 20;

/** A proof as lines for a terminal. */
export function linesOf({
  queue,
  isScanned,
  plants,
  inLetters,
  inDatabase,
  notReached,
  searched,
  found,
}: PersonalProof): string[] {
  return [
    `Queue on ${queue}: ${plants} plants; files are ${isScanned ? 'scanned' : 'not scanned, since clamd is not installed'}`,
    `Where they may be: ${inDatabase} of the ${inLetters} in stored letters and documents are found in the database files`,
    `Errors of deliveries not reached: ${notReached.join(', ') || 'none'}`,
    'Where they may not be:',
    ...searched.map(
      ({ area, files, bytes }) =>
        `  ${area}: ${files} files, ${(bytes / MB).toFixed(1)} MB, found ${found.filter((each) => each.area === area).length}`,
    ),
    ...found.map(({ area, file, plant, form }) => `  FOUND in ${area}, ${file}: ${plant}, ${form}`),
    `found ${found.length}`,
  ];
}

/** The page of docs/results. */
export function page(proofs: readonly PersonalProof[]): string {
  return `# Nothing personal

${resultLines({
  run: ['npm run personal-proof'],
  on: today(machine()),
  goals: proofs.map(({ queue, found }) =>
    none(`queue on ${queue}, found where those look who may see no messages`, found.length),
  ),
}).join('\n')}

Values that are nowhere else stand in every part of letters, and of documents from Fordelingskomponenten, that pass through everything; of
deliveries with each fault over REST, as a form, over SOAP and through Fordelingskomponenten; in names of files that come by SFTP, while its
server fails too; in what Serviceplatformen and recipients answer; and in path, query, headers and body of every call of the API. Some of it happens while PostgreSQL refuses rows,
loses its connections or is away, while files are unsafe, or held since the scanner is away (where they are scanned), and while content is unreadable, in calls and in
jobs. Tracing is on, and \`LOG_LEVEL=debug\`. Each
value is searched for as text, in UTF-16, hexadecimal, base64, URL-encoded and JSON-escaped, numbers with a hyphen too; first in the
database, where it may be. PostgreSQL has the settings of [backups](../backup.md#scrub) for its own log.

${proofs.map((proof) => `## Queue on ${proof.queue}\n\n\`\`\`\n${linesOf(proof).join('\n')}\n\`\`\``).join('\n\n')}
`;
}
