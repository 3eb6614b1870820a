import type { Found } from '../plants/search-files.js';
import { machine, none, resultLines, today } from '../results/form.js';
import type { Proof } from './prove.js';

const MB = 2 ** 20;

/** A proof as lines for a terminal. */
export function linesOf(proof: Proof): string[] {
  const { queue, letters, others, needles, before, after, scrubSeconds } = proof;
  return [
    `Queue on ${queue}: ${letters} planted letters among ${others} others, ${needles} byte sequences to find; scrub ${scrubSeconds} s`,
    'Found before the deletion:',
    ...formsOf(before.found).map((line) => `  ${line}`),
    ...(proof.neverInFiles.length > 0 ? [`  in no file before: ${proof.neverInFiles.join('; ')}`] : []),
    `After the deletion, before the scrub: found ${proof.unscrubbed.found.length}`,
    ...formsOf(proof.unscrubbed.found).map((line) => `  ${line}`),
    'Searched after deletion and scrub:',
    ...after.searched.map(
      ({ area, files, bytes }) =>
        `  ${area}: ${files} files, ${(bytes / MB).toFixed(1)} MB, found ${countIn(after.found, area)}`,
    ),
    ...after.found.map(({ area, file, plant, form }) => `  LEFT in ${area}, ${file}: ${plant}, ${form}`),
    `found ${after.found.length}`,
  ];
}

const countIn = (found: readonly Found[], area: string) => found.filter((each) => each.area === area).length;

/** How many plants were found in which form, by area. */
function formsOf(found: readonly Found[]): string[] {
  const plants = new Map<string, Set<string>>();
  for (const { area, form, plant } of found) {
    const key = `${area}: ${form}`;
    plants.set(key, (plants.get(key) ?? new Set()).add(plant));
  }
  return [...plants].map(([key, those]) => `${key}, ${those.size} plants`).sort();
}

/** The page of docs/results. */
export function page(proofs: readonly Proof[]): string {
  return `# Deletion proof

${resultLines({
  run: ['npm run deletion-proof'],
  on: today(machine()),
  goals: proofs.map(({ queue, after }) =>
    none(`queue on ${queue}, found after deletion and scrub`, after.found.length),
  ),
}).join('\n')}

Letters with values that are nowhere else (subject, numbers and names of sender and citizen concerned, field for the contact point,
label, file name, content, reference of a reply), small and large, and a delivery in quarantine, pass through lists, search, reading,
zip, zip of many, Excel, extract, access package, audit log and its sheet, webhook, jobs, journalizing, rejection with its outcome, and
legal hold. Then they are deleted, but for one, which is journalized and loses its content by retention; the database is scrubbed, all is
stopped, and every file is searched. What was handed over is a letter of the other municipality, which stays.

Each value is searched for as text, in UTF-16, hexadecimal and base64 (at each of the three alignments), and, since PostgreSQL
compresses long values (the original XML), in pieces of eight bytes, which its compression leaves whole. Of sealed content the
ciphertext, the wrapped key and the SHA-256 of a file are searched for, read from every table that has such columns. Before anything
is deleted, the search is shown to find each value in each form in a file made for that.

What is compressed otherwise is only ever stored sealed: Excel files (deflate) and PDFs of cover and log sheet, whose text is
compressed and in glyph numbers. So of these the ciphertext is what is searched for. Keyed hashes of CPR numbers stay on purpose, for the
audit log. Queues and logs hold ids only, before and after.

${proofs.map((proof) => `## Queue on ${proof.queue}\n\n\`\`\`\n${linesOf(proof).join('\n')}\n\`\`\``).join('\n\n')}
`;
}
