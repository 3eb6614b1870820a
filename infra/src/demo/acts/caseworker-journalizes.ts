import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { refusalOf } from '../../testkit/inbox-client.js';
import { testWithUnzip, unzip } from '../../testkit/unzip.js';
import { type Day, findMessage } from '../day.js';
import { HEARING_FILES, MEMOS } from '../memos.js';
import { CASES } from '../people.js';
import { BIG_SUBJECT } from './big-memo-arrives.js';

/** A caseworker lists the inbox, downloads a message as a zip and confirms that it is on a case. */
export async function caseworkerJournalizes(day: Day): Promise<void> {
  day.story.act('A caseworker journalizes');
  await listInPages(day);
  await downloadZip(day);
  await journalize(day);
}

async function listInPages({ story, caseworker }: Day): Promise<void> {
  const first = await caseworker.list({ limit: 6, sort: 'receivedAt' });
  const rest = await caseworker.list({ limit: 6, sort: 'receivedAt', cursor: first.nextCursor ?? '' });
  const subjects = [...first.items, ...rest.items].map(({ subject }) => subject);
  const expected = [...Object.values(MEMOS).map(({ subject }) => subject), BIG_SUBJECT];
  story.check(`the inbox shows ${subjects.length} messages on two pages, in order of arrival`, subjects, expected);
  story.check('the second page is the last', rest.nextCursor, null);
}

async function downloadZip({ story, stack, caseworker }: Day): Promise<void> {
  const { id, subject, fileCount } = await findMessage(caseworker, MEMOS.hearingAnswer);
  const zip = await caseworker.zip(id);
  story.report(`"${subject}" with its ${fileCount} files is a zip of ${zip.length} bytes`);
  const verdict = await testZip(stack.folder, zip);
  if (verdict !== undefined) story.check('unzip accepts the zip', verdict, 'whole');

  const files = unzip(zip);
  story.check('it contains exactly these files, and nothing else', [...files.keys()], Object.keys(HEARING_FILES));
  const equal = Object.entries(HEARING_FILES).filter(([name, content]) => files.get(name)?.equals(content));
  story.check('every file is byte for byte what was sent', equal.length, Object.keys(HEARING_FILES).length);
}

async function testZip(folder: string, zip: Buffer) {
  const file = join(folder, 'message.zip');
  await writeFile(file, zip, { mode: 0o600 });
  try {
    return testWithUnzip(file);
  } finally {
    await rm(file);
  }
}

/** The core has put the content on the case; the call confirms it. */
async function journalize({ story, caseworker }: Day): Promise<void> {
  const seen = await findMessage(caseworker, MEMOS.hearingAnswer);
  const { caseId } = CASES.child;
  const done = await caseworker.journalize(seen, { caseIds: [caseId], reference: 'JP-2026-55' });
  story.check(`"${seen.subject}" is journalized on case ${caseId}`, done.status, 'journalized');
  const late = refusalOf(caseworker.journalize(seen, { caseIds: [CASES.school.caseId] }));
  story.check('a second attempt on the old version is refused', await late, '412 version-changed');
  const { history } = await caseworker.read(seen.id);
  const actions = history.map(({ action }) => action);
  story.check('its history shows what happened', actions, ['accepted', 'suggested', 'journalized']);
}
