import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DocumentAnswer } from '@indbakke/shared/api';
import { handOver } from '../../local/distribution/hand-over.js';
import { askUntil } from '../../testkit/inbox-client.js';
import { type Day, findMessage } from '../day.js';
import { type DayDocument, DOCUMENTS } from '../documents.js';
import { CASES } from '../people.js';

/** A document from Fordelingskomponenten, and its receipts, for the final table. */
export interface Distributed {
  readonly title: string;
  readonly receipt: string;
}

/** The system of a school sends two documents from Fordelingskomponenten: one is journalized, the other rejected. */
export async function schoolDistributes(day: Day): Promise<Distributed[]> {
  day.story.act('The system of a school sends two documents from Fordelingskomponenten');
  for (const document of Object.values(DOCUMENTS)) await distribute(day, document);
  await journalize(day, await arrived(day, DOCUMENTS.statement));
  await reject(day, await arrived(day, DOCUMENTS.timetable));
  return told(day);
}

async function distribute({ story, stack }: Day, document: DayDocument): Promise<void> {
  const { code } = await handOver(stack, document);
  story.check(`"${document.object.title}" gets its technical receipt`, code, 'ACCEPTERET');
}

/** The call only tells of the file; Indbakke fetches it. */
async function arrived({ story, stack, caseworker }: Day, document: DayDocument): Promise<DocumentAnswer> {
  const { fileName, content, object } = document;
  const { id } = await findMessage(caseworker, { subject: object.title });
  const isThere = ({ distribution }: DocumentAnswer) => distribution?.fileFetch?.status === 'done';
  const message = await askUntil(() => caseworker.read(id), isThere);
  const file = await caseworker.file(id, message.documents[0]?.files[0]?.id ?? '');
  const isEqual = content.equals(Buffer.from(await file.arrayBuffer()));
  story.check(`${fileName} follows by SFTP, byte for byte`, isEqual);
  story.check('… and is gone from the SFTP server', existsSync(join(stack.inFolder, fileName)), false);
  return message;
}

async function journalize({ story, caseworker }: Day, { id, subject }: DocumentAnswer): Promise<void> {
  const { caseId } = CASES.support;
  const suggested = await askUntil(
    () => caseworker.read(id),
    ({ suggestion }) => suggestion !== null,
  );
  const { suggestion } = suggested;
  story.check(
    `the school suggests the case of the child for "${subject}"`,
    [suggestion?.caseId, suggestion?.basis],
    [caseId, 'sag-forslag'],
  );
  const done = await caseworker.journalize(suggested, { caseIds: [caseId], reference: 'JP-2026-56' });
  story.check(`it is journalized on case ${caseId}`, done.status, 'journalized');
}

const REASON_FOR_SENDER = 'Vi behandler ingen sag, som skemaet hører til.';

async function reject({ story, caseworker }: Day, message: DocumentAnswer): Promise<void> {
  const explanation = 'Skolen sender skemaer til alle, også uden en sag';
  const done = await caseworker.reject(message, {
    reason: 'unwanted',
    explanation,
    reasonForSender: REASON_FOR_SENDER,
  });
  story.check(`"${message.subject}" is rejected, with words for the school`, done.status, 'rejected');
}

/** What the system of the school hears: of a rejection the words for it, never the explanation for colleagues. */
async function told({ story, stack }: Day): Promise<Distributed[]> {
  const [statement, timetable] = await askUntil(
    async () => Object.values(DOCUMENTS).map((document) => receiptOf(stack, document)),
    (receipts) => receipts.every(Boolean),
  );
  story.check('the school is told that the one is journalized', statement?.code, 'ACCEPTERET');
  story.check(
    '… and that the other is rejected, in the words for it',
    [timetable?.code, timetable?.reason],
    ['AFVIST', REASON_FOR_SENDER],
  );
  return Object.values(DOCUMENTS).map((document) => ({
    title: document.object.title,
    receipt: `Teknisk ACCEPTERET, Forretning ${receiptOf(stack, document)?.code}`,
  }));
}

const receiptOf = ({ receipts }: Day['stack'], document: DayDocument) =>
  receipts.find(({ transactionId }) => transactionId === document.transactionId);
