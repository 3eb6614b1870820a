import type { DocumentSummary } from '@indbakke/shared/api';
import type { Day } from '../day.js';
import type { Delivery } from '../digital-post.js';
import type { Distributed } from './school-distributes.js';

const TITLE_WIDTH = 44;

export interface DayCount {
  readonly sent: number;
  readonly accepted: number;
  readonly held: number;
  readonly duplicates: number;
  readonly refused: number;
}

/** Prints what became of each message, and counts. */
export async function endOfTheDay(day: Day, documents: readonly Distributed[]): Promise<DayCount> {
  const { story, post } = day;
  story.act('What became of each message');
  const inbox = await readInbox(day);
  const rows = await Promise.all(post.deliveries.map((delivery) => rowOf(day, delivery, inbox)));
  const ofDocuments = documents.map(({ title, receipt }) => rowOfInbox(title, receipt, inbox.get(title)));
  story.table([['message', 'status', 'suggestion', 'receipt'], ...rows, ...ofDocuments]);
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
  if (receipt.receiptStatus !== 'COMPLETED') return [cut(title), 'refused', '', answer];
  if (isDuplicate) return [cut(title), 'duplicate', '', 'the first receipt'];
  const found = inbox.get(title);
  if (!found) return [cut(title), await day.stack.backstage.statusOf(receipt.transmissionId), '', answer];
  return rowOfInbox(title, answer, found);
}

function rowOfInbox(title: string, receipt: string, found: DocumentSummary | undefined): string[] {
  const suggestion = found?.suggestion;
  return [
    cut(title),
    found?.status ?? 'not in the inbox',
    suggestion ? `${suggestion.caseId} by ${suggestion.basis}` : '',
    receipt,
  ];
}

const cut = (title: string) => (title.length > TITLE_WIDTH ? `${title.slice(0, TITLE_WIDTH - 1)}…` : title);

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
