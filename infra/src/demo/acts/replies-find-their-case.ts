import type { DocumentAnswer } from '@indbakke/shared/api';
import { askUntil } from '../../testkit/inbox-client.js';
import { type Day, findLetter } from '../day.js';
import { type DayLetter, MEMOS, SENT } from '../memos.js';
import { CASES } from '../people.js';

const SUGGESTED: [DayLetter, string][] = [
  [MEMOS.meetingAnswer, `${CASES.child.caseId} by message-uuid, recipient-of-the-letter`],
  [MEMOS.fatherOnCaseNumber, `${CASES.child.caseId} by case-id, party-to-the-case`],
  [MEMOS.schoolForMother, `${CASES.school.caseId} by message-id, other`],
];

const NOT_SUGGESTED = [MEMOS.answerToNothing, MEMOS.enquiry, MEMOS.question, MEMOS.forwarded, MEMOS.advertisement];

/** Every reply whose letter or case is known has its case suggested; one that came too early gets it when the core tells. */
export async function repliesFindTheirCase(day: Day): Promise<void> {
  const { story, core, caseworker } = day;
  story.act('The replies find their case');
  for (const [letter, expected] of SUGGESTED) await checkSuggestion(day, letter, expected);

  const early = await findLetter(caseworker, MEMOS.hearingAnswer);
  story.check(`"${early.subject}": its letter is not known yet`, suggestionOf(early), 'none');
  const { messageUUID, ...sent } = SENT.hearing;
  await core.registerSentMessage(messageUUID, sent);
  story.tell(`the core tells: letter ${sent.messageId} was sent from case ${sent.caseId}`);
  await checkSuggestion(day, MEMOS.hearingAnswer, `${sent.caseId} by message-uuid, recipient-of-the-letter`);

  for (const letter of NOT_SUGGESTED) {
    const { kind, suggestion, remarkCount, subject } = await findLetter(caseworker, letter);
    story.check(
      `"${subject}" (${kind}) waits for a person, without a suggestion`,
      [suggestion, remarkCount],
      [null, 0],
    );
  }
}

async function checkSuggestion({ story, caseworker }: Day, letter: DayLetter, expected: string): Promise<void> {
  const { id, subject } = await findLetter(caseworker, letter);
  const found = await askUntil(
    () => caseworker.read(id),
    ({ suggestion }) => suggestion !== null,
  );
  story.check(`"${subject}": ${expected}`, suggestionOf(found), expected);
}

function suggestionOf({ suggestion }: Pick<DocumentAnswer, 'suggestion'>): string {
  return suggestion === null ? 'none' : `${suggestion.caseId} by ${suggestion.basis}, ${suggestion.sender}`;
}
