import { writeMemo } from '../../testkit/write-memo.js';
import type { Day } from '../day.js';
import type { Delivery } from '../digital-post.js';
import { CONFLICTING, type DayMemo, MEMOS, NEMSMS, TO_A_CITIZEN } from '../memos.js';

/** Serviceplatformen delivers messages, the same one twice, and some that are refused. */
export async function messagesArrive(day: Day): Promise<void> {
  const { story } = day;
  story.act('Serviceplatformen delivers the morning’s messages');
  for (const memo of Object.values(MEMOS)) {
    const delivery = await deliver(day, memo);
    story.check(`"${memo.subject}" is accepted`, answerOf(delivery), '200 COMPLETED');
  }
  await sameAgain(day);
  await sameIdOtherContent(day);
  await refused(day);
}

export function deliver({ post }: Day, memo: DayMemo, title = memo.subject): Promise<Delivery> {
  return post.deliver(title, writeMemo(memo));
}

async function sameAgain(day: Day): Promise<void> {
  const memo = MEMOS.meetingAnswer;
  const first = day.post.deliveries.find(({ title }) => title === memo.subject);
  const again = await deliver(day, memo);
  day.story.check(
    'the same message again gets the first receipt, byte for byte',
    again.receiptText,
    first?.receiptText,
  );
}

async function sameIdOtherContent(day: Day): Promise<void> {
  const delivery = await deliver(day, CONFLICTING);
  day.story.check('the same id with other content is accepted too', answerOf(delivery), '200 COMPLETED');
  const { items } = await day.setup.list({ status: 'held' });
  const held = items.map(({ subject, heldCause }) => [subject, heldCause]);
  day.story.check('… but held for set-up', held, [[CONFLICTING.subject, 'conflict']]);
}

async function refused(day: Day): Promise<void> {
  const { story, post } = day;
  const broken = await post.deliver('(a scan instead of XML)', Buffer.from('%PDF-1.7 dette er ikke XML'));
  story.check('what is not XML is refused', answerOf(broken), '400 INVALID not-xml');
  const toACitizen = await deliver(day, TO_A_CITIZEN);
  story.check('a message to a citizen is refused', answerOf(toACitizen), '403 NOT_ALLOWED not-our-recipient');
  const nemsms = await deliver(day, NEMSMS, 'NemSMS');
  story.check('a NemSMS is refused', answerOf(nemsms), '403 NOT_ALLOWED nemsms');
}

export function answerOf({ httpStatus, receipt }: Delivery): string {
  return [httpStatus, receipt.receiptStatus, receipt.errorCode].filter(Boolean).join(' ');
}
