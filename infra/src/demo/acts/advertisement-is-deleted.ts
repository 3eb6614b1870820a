import { refusalOf } from '../../testkit/inbox-client.js';
import { type Day, findMessage } from '../day.js';
import { MEMOS } from '../memos.js';
import { SHOP } from '../people.js';
import { deliver } from './messages-arrive.js';

const MEMO = MEMOS.advertisement;
const EXPLANATION = 'Reklame, ikke en henvendelse til Børn og familie';
const FILE_NAMES = MEMO.documents?.flatMap(({ files }) => files.map(({ name }) => name)) ?? [];

/** Rejected, reopened, rejected again, deleted for good: only its tombstone is left. */
export async function advertisementIsDeleted(day: Day): Promise<void> {
  const { story, caseworker, stack } = day;
  story.act('An advertisement is rejected and deleted for good');
  const message = await findMessage(caseworker, MEMO);
  const fileId = message.documents[0]?.files[0]?.id ?? '';
  const hasContent = await stack.backstage.watchContent(message.id);
  await rejectTwice(day);
  const tables = await tablesHoldingIt(day);
  story.check(`its personal data is in ${tables.join(' and ')}`, tables.length > 0);
  story.check('its sealed content is stored', await hasContent());

  const rejected = await findMessage(caseworker, MEMO, 'rejected');
  const done = await caseworker.deleteForGood(rejected);
  story.check('it is deleted for good', done.status, 'deleted');
  story.check('it can no longer be read', await refusalOf(caseworker.read(message.id)), '404 not-found');
  story.check('nor can its file', await refusalOf(caseworker.file(message.id, fileId)), '404 not-found');
  story.check('its sealed content is gone', await hasContent(), false);
  story.check('no row of any table contains its subject, sender, file name or reason', await tablesHoldingIt(day), []);
  await deliveredAgain(day);
}

async function rejectTwice({ story, caseworker }: Day): Promise<void> {
  const rejection = { reason: 'unwanted', explanation: EXPLANATION } as const;
  const first = await caseworker.reject(await findMessage(caseworker, MEMO), rejection);
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
  const told = await caseworker.tellOutcome(second, { nothingToDo: true });
  const { rejection: after } = await caseworker.read(told.id);
  story.check('its outcome is open until it is told', [shown?.outcome, after?.outcome?.nothingToDo], [null, true]);
}

function tablesHoldingIt({ stack }: Day): Promise<string[]> {
  return stack.backstage.tablesHolding([MEMO.subject, SHOP.name, ...FILE_NAMES, EXPLANATION]);
}

/** Digital Post may deliver a message twice, and must not learn that it was deleted. */
async function deliveredAgain(day: Day): Promise<void> {
  const first = day.post.deliveries.find(({ title }) => title === MEMO.subject);
  const again = await deliver(day, MEMO);
  day.story.check('delivered again, it gets its first receipt', again.receiptText, first?.receiptText);
  const status = await day.stack.backstage.statusOf(again.receipt.transmissionId);
  day.story.check('… and stays deleted', [status, await tablesHoldingIt(day)], ['deleted', []]);
}
