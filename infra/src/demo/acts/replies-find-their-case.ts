import type { DocumentAnswer } from '@indbakke/shared/api';
import { askUntil } from '../../testkit/inbox-client.js';
import { type Day, findMessage } from '../day.js';
import { type DayMemo, MEMOS, SENT } from '../memos.js';
import { CASES } from '../people.js';

const SUGGESTED: [DayMemo, string][] = [
  [MEMOS.meetingAnswer, `${CASES.child.caseId} by message-uuid, recipient-of-the-letter`],
  [MEMOS.fatherOnCaseNumber, `${CASES.child.caseId} by case-id, party-to-the-case`],
  [MEMOS.schoolForMother, `${CASES.school.caseId} by message-id, other`],
];

const NOT_SUGGESTED = [MEMOS.answerToNothing, MEMOS.enquiry, MEMOS.question, MEMOS.forwarded, MEMOS.advertisement];

/** Replies to registered messages or cases get a suggestion; an early one gets it once the core registers the message. */
export async function repliesFindTheirCase(day: Day): Promise<void> {
  const { story, core, caseworker } = day;
  story.act('The replies find their case');
  for (const [memo, expected] of SUGGESTED) await checkSuggestion(day, memo, expected);

  const early = await findMessage(caseworker, MEMOS.hearingAnswer);
  story.check(`"${early.subject}": what it replies to is not registered yet`, suggestionOf(early), 'none');
  const { messageUUID, ...sent } = SENT.hearing;
  await core.registerSentMessage(messageUUID, sent);
  story.report(`the core registers message ${sent.messageId}, sent from case ${sent.caseId}`);
  await checkSuggestion(day, MEMOS.hearingAnswer, `${sent.caseId} by message-uuid, recipient-of-the-letter`);

  for (const memo of NOT_SUGGESTED) {
    const { kind, suggestion, remarks, subject } = await findMessage(caseworker, memo);
    story.check(
      `"${subject}" (${kind}) waits for a person, without a suggestion`,
      [suggestion, remarks.length],
      [null, 0],
    );
  }
}

async function checkSuggestion({ story, caseworker }: Day, memo: DayMemo, expected: string): Promise<void> {
  const { id, subject } = await findMessage(caseworker, memo);
  const found = await askUntil(
    () => caseworker.read(id),
    ({ suggestion }) => suggestion !== null,
  ).catch(() => caseworker.read(id));
  story.check(`"${subject}": ${expected}`, suggestionOf(found), expected);
}

function suggestionOf({ suggestion }: Pick<DocumentAnswer, 'suggestion'>): string {
  return suggestion === null ? 'none' : `${suggestion.caseId} by ${suggestion.basis}, ${suggestion.sender}`;
}
