import { type Answer, Connection } from '../client.js';
import { CITIZEN, CONCERNED, contactPoint, NAME_PREFIX } from './fill.js';
import { COMMON_WORD, MISSING_WORD, RARE_WORD } from './words.js';

/** Who calls: `all` sees all messages, `own` only those of the same caseworker and team, `setup` held ones too. */
export type Caller = 'all' | 'own' | 'setup';

/** A call that is measured. */
export interface Call {
  readonly name: string;
  readonly as: Caller;
  readonly method: 'GET' | 'POST';
  /** Below /api/v1/incoming-documents. */
  readonly path: string;
  readonly body?: object;
  /** The page that is measured; without it, the first. */
  readonly page?: number;
  /** The path and body change with each call: 100 messages are assigned again. */
  readonly assigns?: true;
}

const ALL_AND_OWN = ['all', 'own'] as const;
const [PENDING, JOURNALIZED] = ['pending', 'journalized'] as const;

type Filter = Readonly<Record<string, string>>;
/** `pending, kind=reply`: long values are left out. */
const nameOf = ({ status, ...others }: Filter) => {
  const fields = Object.entries(others).map(([field, value]) => (value.length > 15 ? field : `${field}=${value}`));
  return [...(status === undefined ? [] : [status.replaceAll(',', ' + ')]), ...fields].join(', ');
};

const list = (as: Caller, filter: Filter, name = nameOf(filter)): Call => ({
  name: `list ${name}`,
  as,
  method: 'GET',
  path: `?${new URLSearchParams(filter)}`,
});

const search = (as: Caller, name: string, filter: object): Call => ({
  name: `search ${name}`,
  as,
  method: 'POST',
  path: '/search',
  body: filter,
});

const FILTERS: readonly Filter[] = [
  { kind: 'enquiry' },
  { kind: 'forwarded' },
  { channel: 'sf1606' },
  { channel: 'sf2900' },
  { contactPoint: contactPoint(5) },
  { case: 'C7' },
  { hasSuggestion: 'true' },
  { hasSuggestion: 'false' },
  { assignee: 'caseworker-2' },
  { assignee: 'me' },
  { assignee: 'none' },
  { owner: 'me' },
  { receivedFrom: daysAgo(20) },
  { receivedTo: daysAgo(20) },
  { olderThan: 'P30D' },
  { late: 'true' },
  { late: 'false' },
  { hasMedia: 'true' },
  { hasMedia: 'false' },
  { concern: 'any' },
  { concern: 'open' },
  { concern: 'overdue' },
  { view: 'mine' },
  { view: 'assigned' },
  { view: 'nobodys' },
  { view: 'unhandled', olderThan: 'P3D' },
  { view: 'late' },
  { kind: 'reply', contactPoint: contactPoint(5), hasMedia: 'true' },
];

/** For searches: what only a body may have. */
const SEARCHES: readonly [name: string, filter: object][] = [
  ['a rare word', { q: RARE_WORD }],
  ['a common word', { q: COMMON_WORD }],
  ['two words', { q: `${COMMON_WORD} skole` }],
  ['a missing word', { q: MISSING_WORD }],
  ['a common and a missing word', { q: `${COMMON_WORD} ${MISSING_WORD}` }],
  ['the beginning of a name', { q: NAME_PREFIX }],
  ['a CPR number', { q: CITIZEN }],
  ['a common word, kind=forwarded', { q: COMMON_WORD, kind: 'forwarded' }],
  ['sender', { sender: CITIZEN }],
  ['concerning', { concerning: CONCERNED }],
  ['view=absent', { view: 'absent', colleagues: ['caseworker-2', 'caseworker-3'] }],
];

const SORTS = ['-receivedAt', 'letterAt', '-letterAt'];
const DUE_SORTS = ['replyBy', '-replyBy', 'concernDue', '-concernDue'];

/**
 * @param open pending messages of the municipality
 * @param page a late page, usually the hundredth; its limit is such that there is one
 */
export function callsOf(open: number, page: number): Call[] {
  const limit = String(Math.max(1, Math.floor(open / page)));
  const calls: Call[] = [];
  for (const as of ALL_AND_OWN) {
    for (const status of [PENDING, JOURNALIZED, 'rejected', 'journalized,pending', 'journalized,pending,rejected']) {
      calls.push(list(as, { status }), list(as, { status, sort: '-receivedAt' }));
    }
    for (const status of [PENDING, JOURNALIZED, 'journalized,pending']) {
      const filter = { status, limit: as === 'all' ? limit : '1' };
      calls.push({ ...list(as, filter, `${nameOf({ status })}, page ${page}`), page });
      for (const sort of SORTS.slice(1)) calls.push(list(as, { status, sort }));
    }
    for (const sort of DUE_SORTS) calls.push(list(as, { status: PENDING, sort }));
    for (const filter of FILTERS) {
      calls.push(list(as, { status: PENDING, ...filter }), list(as, { status: JOURNALIZED, ...filter }));
    }
    calls.push(list(as, { status: 'journalized,pending,rejected', kind: 'forwarded', sort: '-receivedAt' }));
    for (const [name, filter] of SEARCHES) {
      calls.push(
        search(as, `${name}, pending`, filter),
        search(as, `${name}, journalized`, { ...filter, status: [JOURNALIZED], sort: '-receivedAt' }),
      );
    }
    calls.push(
      search(as, 'a common word, journalized, oldest first', { q: COMMON_WORD, status: [JOURNALIZED] }),
      search(as, 'a rare word, all statuses', { q: RARE_WORD, status: ['pending', 'journalized', 'rejected'] }),
    );
    for (const filter of [{}, { status: JOURNALIZED }, { status: 'journalized,pending,rejected' }, { kind: 'reply' }]) {
      const path = `/summary?${new URLSearchParams(filter as Filter)}`;
      calls.push({ name: `summary, ${nameOf({ status: PENDING, ...filter })}`, as, method: 'GET', path });
    }
    calls.push(
      { name: 'ids, pending', as, method: 'POST', path: '/ids', body: {} },
      { name: 'ids, view=nobodys', as, method: 'POST', path: '/ids', body: { view: 'nobodys' } },
      {
        name: 'ids, 1000 journalized',
        as,
        method: 'POST',
        path: '/ids',
        body: { status: [JOURNALIZED], limit: 1_000 },
      },
    );
  }
  for (const status of ['held', 'held,pending']) calls.push(list('setup', { status }));
  for (const as of ALL_AND_OWN) {
    calls.push({ name: 'bulk, 100 assigned', as, method: 'POST', path: '/bulk', assigns: true });
  }
  return calls;
}

const EXPLAINED: Readonly<Record<Caller, readonly string[]>> = {
  all: [
    'list pending',
    'list journalized',
    'list journalized, page 100',
    'list journalized + pending + rejected',
    'list journalized, sort=letterAt',
    'list pending, sort=replyBy',
    'list journalized, kind=enquiry',
    'list journalized, channel=sf2900',
    'list journalized, contactPoint',
    'list journalized, case=C7',
    'list journalized, assignee=me',
    'list journalized, owner=me',
    'list journalized, late=true',
    'list journalized, concern=open',
    'list pending, view=nobodys',
    'search a rare word, journalized',
    'search a common word, journalized',
    'search the beginning of a name, journalized',
    'search a CPR number, journalized',
    'summary, pending',
    'summary, journalized',
    'ids, pending',
    'bulk, 100 assigned',
  ],
  own: [
    'list pending',
    'list journalized',
    'list journalized, kind=enquiry',
    'search a common word, journalized',
    'summary, journalized',
  ],
  setup: ['list held'],
};

/** Whether the plans of the call are shown, whatever it costs. */
export const isExplained = ({ name, as }: Call): boolean => EXPLAINED[as].includes(name);

function daysAgo(days: number): string {
  return new Date(Date.now() - days * 86_400_000).toISOString().replace(/T.*/, 'T00:00:00Z');
}

const MOST_ASSIGNED = 100;

interface Item {
  readonly id: string;
  readonly version: number;
}
type Listed = { readonly items?: readonly unknown[]; readonly nextCursor?: string | null; readonly total?: number };

/** Calls a journaler on one keep-alive connection per caller. */
export class Client {
  readonly #url: string;
  readonly #tokens: Readonly<Record<Caller, string>>;
  #connection: Connection | undefined;
  /** By caller: what a bulk assigns, with its version. */
  readonly #assigned = new Map<Caller, Item[]>();

  constructor(url: string, tokens: Readonly<Record<Caller, string>>) {
    this.#url = url;
    this.#tokens = tokens;
  }

  /** Makes the call. @param cursor as from `cursorOf` */
  async make(call: Call, cursor?: string): Promise<Answer> {
    const { method, path, body, as } = call;
    if (call.assigns) return this.#assign(as);
    return this.#send(as, method, cursor === undefined ? path : `${path}&cursor=${encodeURIComponent(cursor)}`, body);
  }

  /** Walks to the page of the call. @returns its cursor; undefined for the first page, or if nothing answers */
  async cursorOf(call: Call): Promise<string | undefined> {
    let cursor: string | undefined;
    for (let page = 1; page < (call.page ?? 1); page += 1) {
      const { status, body } = await this.make(call, cursor);
      const next = status === 200 ? (JSON.parse(body) as Listed).nextCursor : null;
      if (!next) break;
      cursor = next;
    }
    return cursor;
  }

  close(): void {
    this.#connection?.close();
  }

  /** Assigns the same messages each time, so that each call changes as much. */
  async #assign(as: Caller): Promise<Answer> {
    const items = this.#assigned.get(as) ?? (await this.#assignable(as));
    const answer = await this.#send(as, 'POST', '/bulk', {
      action: 'assign',
      items: items.map((item) => ({ ...item, assignee: { kind: 'user', id: 'caseworker-1' } })),
    });
    if (answer.status === 200) {
      const { items: outcomes } = JSON.parse(answer.body) as { items: { done: Item | null; problem: unknown }[] };
      const done = outcomes.flatMap((outcome) => outcome.done ?? []).map(({ id, version }) => ({ id, version }));
      if (done.length < items.length) return { status: 409, body: answer.body };
      this.#assigned.set(as, done);
    }
    return answer;
  }

  async #assignable(as: Caller): Promise<Item[]> {
    const { status, body } = await this.#send(as, 'POST', '/ids', { limit: MOST_ASSIGNED });
    if (status !== 200) return [];
    return (JSON.parse(body) as { items: Item[] }).items;
  }

  async #send(as: Caller, method: string, path: string, body?: object): Promise<Answer> {
    if (!this.#connection?.isOpen) this.#connection = await Connection.open(this.#url);
    const headers = `Authorization: Bearer ${this.#tokens[as]}\r\n`;
    return this.#connection.call(
      method,
      `/api/v1/incoming-documents${path}`,
      headers,
      body ? JSON.stringify(body) : '',
    );
  }
}

/** How many messages an answer has or counts. */
export function itemsIn({ body }: Answer): number {
  const { items, total } = JSON.parse(body) as Listed;
  return items?.length ?? total ?? 0;
}
