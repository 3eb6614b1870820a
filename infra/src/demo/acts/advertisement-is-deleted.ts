import { refusalOf } from '../../testkit/inbox-client.js';
import { type Day, findLetter } from '../day.js';
import { MEMOS } from '../memos.js';
import { SHOP } from '../people.js';
import { deliver } from './messages-arrive.js';

const MEMO = MEMOS.advertisement;
const EXPLANATION = 'Reklame, ikke en henvendelse til Børn og familie';
const FILE_NAMES = MEMO.documents?.flatMap(({ files }) => files.map(({ name }) => name)) ?? [];

/** Rejected, reopened, rejected again, deleted for good: then nothing of it is left but that it was here. */
export async function advertisementIsDeleted(day: Day): Promise<void> {
  const { story, caseworker, stack } = day;
  story.act('An advertisement is rejected and deleted for good');
  const letter = await findLetter(caseworker, MEMO);
  const fileId = letter.documents[0]?.files[0]?.id ?? '';
  const hasContent = await stack.backstage.watchContent(letter.id);
  await rejectTwice(day);
  const tables = await tablesHoldingIt(day);
  story.check(`what it says of people stands in ${tables.join(' and ')}`, tables.length > 0);
  story.check('its sealed content is stored', await hasContent());

  const rejected = await findLetter(caseworker, MEMO, 'rejected');
  const done = await caseworker.deleteForGood(rejected);
  story.check('it is deleted for good', done.status, 'deleted');
  story.check('it is not there any more', await refusalOf(caseworker.read(letter.id)), '404 not-found');
  story.check('nor is its file', await refusalOf(caseworker.file(letter.id, fileId)), '404 not-found');
  story.check('its sealed content is gone', await hasContent(), false);
  story.check('no row of any table holds its subject, sender, file name or reason', await tablesHoldingIt(day), []);
  await sentAgain(day);
}

async function rejectTwice({ story, caseworker }: Day): Promise<void> {
  const rejection = { reason: 'unwanted', explanation: EXPLANATION } as const;
  const first = await caseworker.reject(await findLetter(caseworker, MEMO), rejection);
  story.check(`"${MEMO.subject}" is rejected as unwanted`, first.status, 'rejected');
  const reopened = await caseworker.reopen(first);
  story.check('reopened, it is in the inbox again', reopened.status, 'pending');
  const second = await caseworker.reject(reopened, rejection);
  const { rejection: shown } = await caseworker.read(second.id);
  story.check(
    'rejected again, it shows the reason in words',
    [shown?.reason, shown?.explanation],
    ['unwanted', EXPLANATION],
  );
}

function tablesHoldingIt({ stack }: Day): Promise<string[]> {
  return stack.backstage.tablesHolding([MEMO.subject, SHOP.name, ...FILE_NAMES, EXPLANATION]);
}

/** Digital Post may send a letter twice, and must not learn what became of it. */
async function sentAgain(day: Day): Promise<void> {
  const first = day.post.deliveries.find(({ title }) => title === MEMO.subject);
  const again = await deliver(day, MEMO);
  day.story.check('sent once more, it gets its first receipt again', again.receiptText, first?.receiptText);
  const status = await day.stack.backstage.statusOf(again.receipt.transmissionId);
  day.story.check('… and stays deleted', [status, await tablesHoldingIt(day)], ['deleted', []]);
}
