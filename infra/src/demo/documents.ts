import { randomBytes, randomUUID } from 'node:crypto';
import type { DocumentToHandOver } from '../local/distribution/hand-over.js';
import type { DocumentSpec } from '../local/distribution/write-distribution.js';
import { CASES, CHILD, SCHOOL } from './people.js';

/** A document from Fordelingskomponenten; the acts find it by its title. */
export interface DayDocument extends DocumentToHandOver {
  readonly transactionId: string;
  readonly content: Buffer;
  readonly object: DocumentSpec & { readonly title: string };
}

export const DOCUMENTS = {
  statement: document('Udtalelse fra Eksempel Skole', 'Udtalelse.pdf', {
    suggestedCase: CASES.support.caseId,
    parties: [{ role: 'PrimaerPart', type: 'Person', urn: `urn:oio:cpr-nr:${CHILD.cpr}` }],
  }),
  timetable: document('Skoleskema for 3. klasse', 'Skoleskema.pdf'),
};

function document(
  title: string,
  fileName: string,
  { suggestedCase, parties = [] }: { suggestedCase?: string; parties?: DocumentSpec['parties'] } = {},
): DayDocument {
  return {
    transactionId: randomUUID(),
    sender: SCHOOL.id,
    fileName,
    content: Buffer.concat([Buffer.from('%PDF-1.7\n'), randomBytes(150_000), Buffer.from('\n%%EOF\n')]),
    ...(suggestedCase && { suggestedCase }),
    object: { type: 'DOKUMENT', title, ...(parties && { parties }) },
  };
}
