import { writeMemo } from '../../testkit/write-memo.js';
import type { Day } from '../day.js';
import type { Delivery } from '../digital-post.js';
import { CONFLICTING, type DayLetter, MEMOS, NEMSMS, TO_A_CITIZEN } from '../memos.js';

/** Serviceplatformen delivers the mail of the morning: letters, the same one twice, and some that nobody can take. */
export async function messagesArrive(day: Day): Promise<void> {
  const { story } = day;
  story.act('Serviceplatformen delivers the mail of the morning');
  for (const letter of Object.values(MEMOS)) {
    const delivery = await deliver(day, letter);
    story.check(`"${letter.subject}" is taken in`, answerOf(delivery), '200 COMPLETED');
  }
  await sameAgain(day);
  await sameIdOtherContent(day);
  await refused(day);
}

export function deliver({ post }: Day, letter: DayLetter, title = letter.subject): Promise<Delivery> {
  return post.deliver(title, writeMemo(letter));
}

async function sameAgain(day: Day): Promise<void> {
  const letter = MEMOS.meetingAnswer;
  const first = day.post.deliveries.find(({ title }) => title === letter.subject);
  const again = await deliver(day, letter);
  day.story.check(
    'the same letter again gets the first receipt again, byte for byte',
    again.receiptText,
    first?.receiptText,
  );
}

async function sameIdOtherContent(day: Day): Promise<void> {
  const delivery = await deliver(day, CONFLICTING);
  day.story.check('the same id with other content is taken in too', answerOf(delivery), '200 COMPLETED');
  const { items } = await day.setup.list({ status: 'held' });
  const held = items.map(({ subject, heldCause }) => [subject, heldCause]);
  day.story.check('… but held, for set-up to look at', held, [[CONFLICTING.subject, 'conflict']]);
}

async function refused(day: Day): Promise<void> {
  const { story, post } = day;
  const broken = await post.deliver('(a scan instead of XML)', Buffer.from('%PDF-1.7 dette er ikke XML'));
  story.check('what is not XML is refused', answerOf(broken), '400 INVALID not-xml');
  const toACitizen = await deliver(day, TO_A_CITIZEN);
  story.check('a letter to a citizen is refused', answerOf(toACitizen), '403 NOT_ALLOWED not-our-recipient');
  const nemsms = await deliver(day, NEMSMS, 'NemSMS');
  story.check('a NemSMS is refused', answerOf(nemsms), '403 NOT_ALLOWED nemsms');
}

export function answerOf({ httpStatus, receipt }: Delivery): string {
  return [httpStatus, receipt.receiptStatus, receipt.errorCode].filter(Boolean).join(' ');
}
