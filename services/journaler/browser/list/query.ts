import type { DocumentIds, DocumentList, DocumentSummary } from '@indbakke/shared/api';
import { call } from '../api.js';

// What the list shows: filters as one chooses them, and what the API is asked for then.

export type Status = DocumentSummary['status'];
export type View = 'mine' | 'assigned' | 'nobodys' | 'absent' | 'unhandled' | 'late';

export const SORTS = [
  '-receivedAt',
  'receivedAt',
  '-letterAt',
  'letterAt',
  'replyBy',
  '-replyBy',
  'concernDue',
  '-concernDue',
] as const;
export type Sort = (typeof SORTS)[number];

export interface Filter {
  readonly status: readonly Status[];
  readonly view?: View;
  readonly kind?: DocumentSummary['kind'];
  readonly channel?: DocumentSummary['channel'];
  readonly contactPoint?: string;
  readonly case?: string;
  readonly hasSuggestion?: boolean;
  readonly assignee?: string;
  /** Danish days, such as 2026-11-27; the last one is in it. */
  readonly fromDay?: string;
  readonly toDay?: string;
  /** Such as P3D, for the view `unhandled`. */
  readonly olderThan?: string;
  readonly late?: boolean;
  readonly hasMedia?: boolean;
  readonly concern?: 'any' | 'open' | 'overdue';
  readonly outcome?: 'open';
  readonly deletion?: 'requested';
  /** For the view `absent`. */
  readonly colleagues?: readonly string[];
  // Personal: never kept in the browser, never in a URL.
  readonly q?: string;
  readonly sender?: string;
  readonly concerning?: string;
}

export interface Query {
  readonly filter: Filter;
  readonly sort: Sort;
  readonly pageSize: 50 | 100;
}

export const WAITING: Filter = { status: ['pending'] };

/** Without what is personal. */
export function keepable({ q: _, sender: __, concerning: ___, ...filter }: Filter): Filter {
  return filter;
}

export const isPersonal = ({ q, sender, concerning, colleagues }: Filter): boolean =>
  [q, sender, concerning, colleagues].some((value) => value !== undefined);

export const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

/** Orders by a due time are for letters that wait. */
export const sortsFor = ({ status }: Filter): readonly Sort[] =>
  status.every((each) => each === 'pending' || each === 'held')
    ? SORTS
    : SORTS.filter((sort) => !/replyBy|concernDue/.test(sort));

/** What a search, an export and all ids take. */
export function bodyOf({ fromDay, toDay, ...filter }: Filter): Record<string, unknown> {
  return {
    ...filter,
    ...(fromDay !== undefined && { receivedFrom: startOf(fromDay) }),
    ...(toDay !== undefined && { receivedTo: startOf(dayAfter(toDay)) }),
  };
}

/** The same for a URL, of a filter that is not personal. */
export function searchParamsOf(filter: Filter): string {
  const entries = Object.entries(bodyOf(filter)).map(([name, value]) => [name, String(value)]);
  return new URLSearchParams(entries).toString();
}

const HOURS = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Copenhagen', hour: '2-digit', hourCycle: 'h23' });

/** Midnight by Danish clocks: summer or winter time, whichever it is on that day. */
function startOf(day: string): string {
  const summer = `${day}T00:00:00+02:00`;
  return HOURS.format(new Date(summer)) === '00' ? summer : `${day}T00:00:00+01:00`;
}

function dayAfter(day: string): string {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + 1);
  return date.toISOString().slice(0, 10);
}

export interface Page {
  readonly items: readonly DocumentSummary[];
  /** Null on the last page. */
  readonly next: string | null;
}

/** Of a filter that few letters meet, so many short pages are put together. */
const MOST_CALLS = 10;

/** @param cursor undefined: the first page */
export async function readPage(
  { filter, sort, pageSize }: Query,
  cursor: string | undefined,
  signal: AbortSignal,
): Promise<Page> {
  const items: DocumentSummary[] = [];
  let next: string | null | undefined = cursor;
  for (let calls = 0; calls < MOST_CALLS && next !== null && items.length < pageSize; calls += 1) {
    const limit = pageSize - items.length;
    const body: object = { ...bodyOf(filter), sort, limit, ...(next !== undefined && { cursor: next }) };
    const answer: DocumentList = await call<DocumentList>('POST', '/incoming-documents/search', { body, signal });
    items.push(...answer.items);
    next = answer.nextCursor;
  }
  return { items, next: next ?? null };
}

/** A letter as it was seen: what changes it takes effect on this version only, and its assignee is what an undo leads back to. */
export type Seen = DocumentIds['items'][number];

/** All letters of a filter. */
export async function readIds(filter: Filter): Promise<readonly Seen[]> {
  const found: Seen[] = [];
  let cursor: string | null | undefined;
  do {
    const body: object = { ...bodyOf(filter), ...(cursor !== undefined && { cursor }) };
    const answer: DocumentIds = await call<DocumentIds>('POST', '/incoming-documents/ids', { body });
    found.push(...answer.items);
    cursor = answer.nextCursor;
  } while (cursor !== null);
  return found;
}
