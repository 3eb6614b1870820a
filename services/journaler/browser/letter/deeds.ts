import { DEEDS as DANISH, SYSTEMS } from '@indbakke/shared/danish-words';
import type { Language } from '../language.js';

// What happened to a letter, in words: the Danish ones are those of the audit log.

const ENGLISH: Readonly<Record<string, string>> = {
  accepted: 'Received the letter',
  held: 'Received the letter and held it',
  released: 'Released the letter to the inbox',
  journalized: 'Journalized the letter on a case',
  'taken-back': 'Took the journalization back',
  rejected: 'Rejected the letter',
  reopened: 'Reopened the letter',
  'outcome-told': 'Told what became of the rejected letter',
  'distribution-asked': 'Asked for the letter to be sent on to another authority',
  'distribution-sent': 'Sent the letter on to another authority',
  'distribution-answered': 'Heard from the authority that the letter was sent on to',
  'distribution-failed': 'Could not send the letter on',
  deleted: 'Deleted the letter',
  assigned: 'Assigned the letter to a caseworker or a team',
  unassigned: 'Removed the assignment of the letter',
  answered: 'Answered the letter',
  'answer-withdrawn': 'Let a letter no longer be an answer to the letter',
  'answer-delivery-told': 'Recorded whether the answer was delivered',
  suggested: 'Suggested a case for the letter',
  'receipt-sent': 'Told the sender what became of the document',
  'receipt-failed': 'Could not tell the sender, and still tries',
  'taken-over': 'Took the letter over from another municipality',
  'handover-offered': 'Offered the letter to the municipality that the case moved to',
  'handover-withdrawn': 'Withdrew the offer of the letter',
  'handover-refused': 'Recorded that the other municipality does not want the letter',
  'handover-expired': 'Let the offer of the letter expire',
  'content-removed': 'Removed the content of the letter after the municipality’s time',
  'cause-changed': 'Held the letter for another reason',
  escalated: 'Told somebody else of the held letter',
  'deletion-requested': 'Asked for the letter to be deleted, if another person confirms it',
  'deletion-scheduled': 'Scheduled the deletion of the letter',
  'deletion-confirmed': 'Confirmed the deletion of the letter, and scheduled it',
  'deletion-cancelled': 'Cancelled the deletion of the letter',
  'legal-hold-set': 'Put the letter under a legal hold, so that it must not be deleted',
  'legal-hold-lifted': 'Lifted the legal hold of the letter',
  'concern-marked': 'Marked the letter as a possible report of concern',
  'concern-unmarked': 'Removed the mark as a possible report of concern',
  'concern-assessed': 'Assessed the possible report of concern',
  'concern-confirmed': 'Confirmed the receipt to the notifier',
  'file-arrived': 'Fetched the file',
  'file-missing': 'Gave up fetching the file',
  'files-scanned': 'Scanned the files for viruses',
  'files-let-pass': 'Let the files be opened unscanned, since the scanner did not answer',
  'scan-asked': 'Asked for the files to be scanned for viruses again',
  'file-asked': 'Asked for the file to be fetched again',
  read: 'Opened the letter',
  'read-file': 'Opened a file of the letter',
  'read-unsafe-file': 'Opened an unsafe file of the letter',
  'read-text': 'Read the text of the letter',
  'read-zip': 'Downloaded the letter with its files',
  'read-package': 'Put the letter into an access package',
  refused: 'Was refused',
};

/** `Journaliserede brevet på en sag`; the code itself where there are no words. */
export function deedOf(action: string, language: Language): string {
  const words: Readonly<Record<string, string>> = language === 'da' ? DANISH : ENGLISH;
  return words[action] ?? action;
}

/** `sagsbehandler-2 journaliserede brevet på en sag` */
export function sentenceOf(by: string, action: string, language: Language): string {
  const deed = deedOf(action, language);
  return `${doerOf(by, language)} ${deed.charAt(0).toLowerCase()}${deed.slice(1)}`;
}

const ENGLISH_SYSTEMS: Readonly<Record<string, string>> = {
  serviceplatformen: 'Serviceplatformen (automatically)',
  indbakke: 'Indbakke (automatically)',
};

export function doerOf(by: string, language: Language): string {
  return (language === 'da' ? SYSTEMS : ENGLISH_SYSTEMS)[by.toLowerCase()] ?? by;
}
