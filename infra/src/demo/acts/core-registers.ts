import type { Day } from '../day.js';
import { SENT } from '../memos.js';
import { CASES } from '../people.js';

/** The core tells of its cases and of what it has sent from them: by these a reply finds its case. */
export async function coreRegisters({ story, core }: Day): Promise<void> {
  story.act('The DUBU core tells of its cases and of the letters it has sent');
  for (const { caseId, caseworker, parties } of Object.values(CASES)) {
    await core.upsertCase(caseId, { status: 'open', caseworker, parties });
    story.tell(`case ${caseId}: caseworker ${caseworker}, parties ${parties.length}`);
  }
  for (const { messageUUID, ...sent } of [SENT.meeting, SENT.schoolPlan]) {
    await core.registerSentMessage(messageUUID, sent);
    story.tell(`letter ${sent.messageId} was sent from case ${sent.caseId}`);
  }
}
