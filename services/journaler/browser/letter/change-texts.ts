import type { DocumentAnswer } from '@indbakke/shared/api';
import { inBoth } from '../language.js';
import type { Change } from './changes.js';

type Told = (after: DocumentAnswer | undefined) => string;

interface ChangeTexts {
  /** On the button. */
  readonly name: Record<Change, string>;
  /** In a sentence, when it is done. */
  readonly done: Record<Change, Told>;
}

const casesOf = (after: DocumentAnswer | undefined) =>
  after?.journalizations.map(({ caseId }) => caseId).join(', ') ?? '';
const isGone = (after: DocumentAnswer | undefined) => !after || after.status === 'deleted';

/** What can be done with a letter, and that it was done. */
export const CHANGE_TEXTS = inBoth<ChangeTexts>({
  da: {
    name: {
      journalized: 'Journalisér',
      assigned: 'Tildel',
      unassigned: 'Fjern tildeling',
      rejected: 'Afvis',
      released: 'Frigiv til indbakken',
      reopened: 'Genåbn',
      'outcome-told': 'Oplys, hvad der skete',
      'distribution-asked': 'Send videre til anden myndighed',
      'taken-back': 'Tag journalisering tilbage',
      'handover-offered': 'Tilbyd den nye kommune',
      'handover-withdrawn': 'Træk tilbuddet tilbage',
      'concern-assessed': 'Underretningen er vurderet',
      'concern-confirmed': 'Bekræftet over for underretteren',
      'concern-marked': 'Markér som underretning',
      'concern-unmarked': 'Ikke en underretning',
      deleted: 'Slet for altid',
      'deletion-confirmed': 'Bekræft sletning',
      'deletion-cancelled': 'Fortryd sletning',
      'legal-hold-set': 'Juridisk bevaring',
      'legal-hold-lifted': 'Ophæv juridisk bevaring',
    },
    done: {
      journalized: (after) => `Brevet er journaliseret på sag ${casesOf(after)}.`,
      assigned: (after) => `Brevet er tildelt ${after?.assignee?.id ?? ''}.`,
      unassigned: () => 'Brevet er ikke længere tildelt nogen.',
      rejected: () => 'Brevet er afvist.',
      released: () => 'Brevet er frigivet til indbakken.',
      reopened: () => 'Brevet er genåbnet.',
      'outcome-told': () => 'Det er gemt, hvad der skete med brevet.',
      'distribution-asked': () => 'Brevet bliver sendt videre.',
      'taken-back': () => 'Journaliseringen er taget tilbage, og brevet venter igen.',
      'handover-offered': () => 'Brevet er tilbudt den kommune, sagen er flyttet til.',
      'handover-withdrawn': () => 'Tilbuddet er trukket tilbage.',
      'concern-assessed': () => 'Det er gemt, at underretningen er vurderet.',
      'concern-confirmed': () => 'Det er gemt, at modtagelsen er bekræftet over for underretteren.',
      'concern-marked': () => 'Brevet er markeret som mulig underretning.',
      'concern-unmarked': () => 'Brevet er ikke længere markeret som mulig underretning.',
      deleted: (after) => (isGone(after) ? 'Brevet er slettet for altid.' : 'Sletningen er sat i gang.'),
      'deletion-confirmed': (after) => (isGone(after) ? 'Brevet er slettet for altid.' : 'Sletningen er bekræftet.'),
      'deletion-cancelled': () => 'Sletningen er fortrudt.',
      'legal-hold-set': () => 'Brevet er under juridisk bevaring.',
      'legal-hold-lifted': () => 'Den juridiske bevaring er ophævet.',
    },
  },
  en: {
    name: {
      journalized: 'Journalize',
      assigned: 'Assign',
      unassigned: 'Remove the assignment',
      rejected: 'Reject',
      released: 'Release to the inbox',
      reopened: 'Reopen',
      'outcome-told': 'Tell what happened',
      'distribution-asked': 'Send on to another authority',
      'taken-back': 'Take the journalization back',
      'handover-offered': 'Offer to the new municipality',
      'handover-withdrawn': 'Withdraw the offer',
      'concern-assessed': 'The report has been assessed',
      'concern-confirmed': 'Confirmed to the notifier',
      'concern-marked': 'Mark as a report of concern',
      'concern-unmarked': 'No report of concern',
      deleted: 'Delete for good',
      'deletion-confirmed': 'Confirm the deletion',
      'deletion-cancelled': 'Cancel the deletion',
      'legal-hold-set': 'Legal hold',
      'legal-hold-lifted': 'Lift the legal hold',
    },
    done: {
      journalized: (after) => `The letter is journalized on case ${casesOf(after)}.`,
      assigned: (after) => `The letter is assigned to ${after?.assignee?.id ?? ''}.`,
      unassigned: () => 'The letter is assigned to nobody.',
      rejected: () => 'The letter is rejected.',
      released: () => 'The letter is released to the inbox.',
      reopened: () => 'The letter is reopened.',
      'outcome-told': () => 'What became of the letter is saved.',
      'distribution-asked': () => 'The letter is being sent on.',
      'taken-back': () => 'The journalization is taken back, and the letter waits again.',
      'handover-offered': () => 'The letter is offered to the municipality that the case moved to.',
      'handover-withdrawn': () => 'The offer is withdrawn.',
      'concern-assessed': () => 'It is saved that the report of concern has been assessed.',
      'concern-confirmed': () => 'It is saved that the receipt has been confirmed to the notifier.',
      'concern-marked': () => 'The letter is marked as a possible report of concern.',
      'concern-unmarked': () => 'The letter is no longer marked as a possible report of concern.',
      deleted: (after) => (isGone(after) ? 'The letter is deleted for good.' : 'The deletion has begun.'),
      'deletion-confirmed': (after) =>
        isGone(after) ? 'The letter is deleted for good.' : 'The deletion is confirmed.',
      'deletion-cancelled': () => 'The deletion is cancelled.',
      'legal-hold-set': () => 'The letter is under a legal hold.',
      'legal-hold-lifted': () => 'The legal hold is lifted.',
    },
  },
});
