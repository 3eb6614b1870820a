import type { Day } from '../day.js';
import { SENT } from '../memos.js';
import { CASES } from '../people.js';

/** The core registers its cases and sent messages; suggestions are based on them. */
export async function coreRegisters({ story, core }: Day): Promise<void> {
  story.act('The DUBU core registers its cases and sent messages');
  for (const { caseId, caseworker, parties } of Object.values(CASES)) {
    await core.upsertCase(caseId, { status: 'open', caseworker, parties });
    story.report(`case ${caseId}: caseworker ${caseworker}, parties ${parties.length}`);
  }
  for (const { messageUUID, ...sent } of [SENT.meeting, SENT.schoolPlan]) {
    await core.registerSentMessage(messageUUID, sent);
    story.report(`message ${sent.messageId} was sent from case ${sent.caseId}`);
  }
}
