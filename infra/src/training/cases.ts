import type { CaseBody, SentMessageBody } from '@indbakke/shared/api';
import type { z } from 'zod';
import { uuidFrom } from './ids.js';
import { CHILD, FATHER, GUARDIAN, MOTHER, OTHER_CHILD, OTHER_MOTHER, OTHER_MUNICIPALITY } from './people.js';

/** What the core would have registered: a case of every kind. */
export const CASES = {
  child: {
    caseId: 'ØVELSE-1',
    status: 'open',
    caseworker: 'sagsbehandler-1',
    parties: [
      { id: CHILD.cpr, relation: 'child' },
      { id: MOTHER.id, relation: 'mother' },
      { id: FATHER.id, relation: 'father' },
    ],
  },
  otherChild: {
    caseId: 'ØVELSE-2',
    status: 'open',
    caseworker: 'sagsbehandler-2',
    parties: [
      { id: OTHER_CHILD.cpr, relation: 'child' },
      { id: OTHER_MOTHER.id, relation: 'mother' },
      { id: GUARDIAN.id, relation: 'guardian' },
    ],
  },
  closed: { caseId: 'ØVELSE-3', status: 'closed', caseworker: null, parties: [{ id: MOTHER.id, relation: 'mother' }] },
  moved: {
    caseId: 'ØVELSE-4',
    status: 'moved',
    movedTo: OTHER_MUNICIPALITY.cvr,
    caseworker: null,
    parties: [{ id: OTHER_MOTHER.id, relation: 'mother' }],
  },
} as const satisfies Record<string, z.input<typeof CaseBody> & { readonly caseId: string }>;

/** A letter that was sent from one of them. */
export type SentLetter = z.input<typeof SentMessageBody> & {
  readonly messageUUID: string;
  readonly messageId: string;
  readonly caseId: string;
  readonly recipientId: string;
};

/** The letters that were sent from the cases of a municipality, and are answered. The same ids each time. */
export function sentLetters(cvr: string) {
  const sent = (
    messageId: string,
    { caseId }: { readonly caseId: string },
    { id }: { readonly id: string },
  ): SentLetter => ({
    messageUUID: uuidFrom(cvr, messageId),
    messageId,
    caseId,
    recipientId: id,
  });
  return {
    meeting: sent('ØVELSE-BREV-1', CASES.child, MOTHER),
    hearing: sent('ØVELSE-BREV-2', CASES.child, FATHER),
    schoolPlan: sent('ØVELSE-BREV-3', CASES.child, MOTHER),
    support: sent('ØVELSE-BREV-4', CASES.otherChild, OTHER_MOTHER),
    visit: sent('ØVELSE-BREV-5', CASES.otherChild, GUARDIAN),
    oldDecision: sent('ØVELSE-BREV-6', CASES.closed, MOTHER),
    goodbye: sent('ØVELSE-BREV-7', CASES.moved, OTHER_MOTHER),
  };
}
