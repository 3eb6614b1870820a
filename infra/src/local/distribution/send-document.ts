import { createReadStream } from 'node:fs';
import { basename, extname } from 'node:path';
import { danishDayOf } from '@indbakke/shared/danish-time';
import { uuidOf } from '@indbakke/shared/ids';
import { BadArgument } from '../command.js';
import { readLocalStack, statePaths } from '../state.js';
import { handOver, isTaken } from './hand-over.js';

/** A made-up authority: no one has this CVR number. */
const SENDER = '11111111';

const TYPES: Readonly<Record<string, string>> = {
  '.pdf': 'application/pdf',
  '.txt': 'text/plain',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
};

/**
 * Hands a file over as a document of another system to the local stack.
 *
 * @param caseId that it suggests
 * @returns what happened, and where to see it
 * @throws Error with a sentence when the document is not taken
 */
export async function sendDocument(
  file: { readonly name: string; readonly path: string },
  caseId?: string,
): Promise<string> {
  const suggestedCase = caseId === undefined ? undefined : uuidOf(caseId);
  if (caseId !== undefined && suggestedCase === undefined)
    throw new BadArgument('--case must be a UUID: in SF2900, SagForslag is one.');
  const stack = readLocalStack(statePaths());
  if (!stack) throw new Error('Indbakke is not running here. Start it with npm start.');
  const { url, inFolder } = stack;
  if (inFolder === undefined)
    throw new Error(
      'The Indbakke running here has no stand-in for Fordelingskomponenten: it was given an SFTP server or a database, or SF2900=off.',
    );
  const fileName = basename(file.path);
  const extension = extname(fileName);
  const receipt = await handOver(
    { inFolder, url },
    {
      fileName,
      content: createReadStream(file.path),
      sender: SENDER,
      ...(suggestedCase && { suggestedCase }),
      object: {
        type: 'DOKUMENT',
        title: basename(fileName, extension),
        description: `Filen ${fileName}`,
        letterDate: danishDayOf(new Date()),
        mimeType: TYPES[extension.toLowerCase()] ?? 'application/octet-stream',
      },
    },
  ).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
    throw new Error(`A file ${fileName} was sent before and is not fetched yet. Send it again in a moment.`);
  });
  if (!isTaken(receipt)) throw new Error(`${file.name} was refused (${receipt.code ?? 'fault'}): ${receipt.reason}`);
  return `${file.name} was taken as a document of ${SENDER} (${receipt.code}), and its file is on its way by SFTP. See it under Indkomne dokumenter: ${url}/inbox`;
}
