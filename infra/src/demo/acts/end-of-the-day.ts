import type { DocumentSummary } from '@indbakke/shared/api';
import type { Day } from '../day.js';
import type { Delivery } from '../digital-post.js';

const TITLE_WIDTH = 44;

export interface DayCount {
  readonly sent: number;
  readonly accepted: number;
  readonly held: number;
  readonly duplicates: number;
  readonly refused: number;
}

/** Prints what became of each message, and counts. */
export async function endOfTheDay(day: Day): Promise<DayCount> {
  const { story, post } = day;
  story.act('What became of each message');
  const inbox = await readInbox(day);
  const rows = await Promise.all(post.deliveries.map((delivery) => rowOf(day, delivery, inbox)));
  story.table([['message', 'status', 'suggestion', 'receipt'], ...rows]);
  return countUp(post.deliveries, inbox);
}

type Inbox = ReadonlyMap<string, DocumentSummary>;

/** Everything that the caseworker and set-up see, by subject. */
async function readInbox({ caseworker, setup }: Day): Promise<Inbox> {
  const inbox = new Map<string, DocumentSummary>();
  for (const status of ['pending', 'journalized', 'rejected'] as const) {
    for await (const item of caseworker.listAll({ status })) inbox.set(item.subject, item);
  }
  for await (const item of setup.listAll({ status: 'held' })) inbox.set(item.subject, item);
  return inbox;
}

async function rowOf(day: Day, { title, receipt, isDuplicate }: Delivery, inbox: Inbox): Promise<string[]> {
  const answer = [receipt.receiptStatus, receipt.errorCode].filter(Boolean).join(' ');
  const cut = title.length > TITLE_WIDTH ? `${title.slice(0, TITLE_WIDTH - 1)}…` : title;
  if (receipt.receiptStatus !== 'COMPLETED') return [cut, 'refused', '', answer];
  if (isDuplicate) return [cut, 'duplicate', '', 'the first receipt'];
  const found = inbox.get(title);
  if (!found) return [cut, await day.stack.backstage.statusOf(receipt.transmissionId), '', answer];
  return [cut, found.status, found.suggestion ? `${found.suggestion.caseId} by ${found.suggestion.basis}` : '', answer];
}

function countUp(deliveries: readonly Delivery[], inbox: Inbox): DayCount {
  const completed = deliveries.filter(({ receipt }) => receipt.receiptStatus === 'COMPLETED');
  const firsts = completed.filter(({ isDuplicate }) => !isDuplicate);
  const held = firsts.filter(({ title }) => inbox.get(title)?.status === 'held').length;
  return {
    sent: deliveries.length,
    accepted: firsts.length - held,
    held,
    duplicates: completed.length - firsts.length,
    refused: deliveries.length - completed.length,
  };
}
