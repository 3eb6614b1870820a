import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendingOn } from '../../../infra/src/testkit/sending-on.js';
import { ODENSKOV, startTestStack, type TestStack, type TokenOptions } from '../../../infra/src/testkit/stack.js';
import { ROLES as ROLE_MEANINGS } from '../../../shared/src/access/index.js';
import { NAMES, operationOf, send } from '../../../shared/test/api/calls.js';
import {
  awaitSuggestion,
  change,
  deliverMemo,
  deliverReply,
  expectProblem,
  list,
  read,
  registerSentMessage,
  SETUP,
  upsertCase,
} from '../../../shared/test/inbox/support.js';
import { readWithPython } from './support/spreadsheets.js';

// A case that is restricted to named users hides what is suggested for it, or journalized on it, from everybody else.

let stack: TestStack;

const MESSAGES = ['suggested', 'rejected', 'journalized', 'on two cases'] as const;
type Name = (typeof MESSAGES)[number];
const ids = {} as Record<Name, string>;
const CASE = 'K-restricted';
const LETTER = randomUUID();
const LETTER_ID = 'dubu-restricted';
const WORD = 'Fortrolighed';

const ROLES = SETUP.roles ?? [];
const NAMED: TokenOptions = { user: 'named', roles: [...ROLES] };
/** Sees all others, has its cases and is assigned its messages. */
const OTHER: TokenOptions = { user: 'other', roles: [...ROLES, 'Indbakke.Drift'], teams: ['team-1'] };
const STATUSES = ['pending', 'journalized', 'rejected'];

const reply = () => deliverReply(stack, [{ messageUUID: randomUUID(), replyUUID: LETTER }], { subject: WORD });
const restrict = (restrictedTo: string[] | null) => upsertCase(stack, CASE, { restrictedTo });

beforeAll(async () => {
  stack = await startTestStack(sendingOn);
  await upsertCase(stack, 'K-open', { caseworker: OTHER.user });
  await upsertCase(stack, CASE, { caseworker: OTHER.user });
  await registerSentMessage(stack, LETTER, { caseId: CASE, messageId: LETTER_ID });
  for (const name of MESSAGES)
    ids[name] =
      name === 'suggested' || name === 'rejected' ? await reply() : await deliverMemo(stack, { subject: WORD });
  await change(stack, 'POST', `${ids.rejected}/rejection`, {
    version: 2,
    body: { reason: 'unwanted', explanation: 'Ikke til os' },
  });
  await change(stack, 'POST', `${ids.journalized}/journalization`, { version: 1, body: { caseIds: [CASE] } });
  await change(stack, 'POST', `${ids['on two cases']}/journalization`, {
    version: 1,
    body: { caseIds: ['K-open', CASE] },
  });
  for (const name of MESSAGES) {
    const assignee = name === 'suggested' ? ['user', OTHER.user] : ['team', 'team-1'];
    await stack.sql('UPDATE messages SET assignee_kind = $2, assignee_id = $3 WHERE id = $1', [ids[name], ...assignee]);
  }
  await restrict(['named']);
});

afterAll(() => stack.close());

const json = async <T>(method: string, path: string, as: TokenOptions, body?: object) => {
  const response = await stack.call(method, `/incoming-documents${path}`, { as, ...(body && { body }) });
  expect(response.status, await response.clone().text()).toBe(200);
  return (await response.json()) as T;
};
const namesOf = (items: readonly { id: string }[]) =>
  MESSAGES.filter((name) => items.some(({ id }) => id === ids[name])).toSorted();

/** What a caller finds, in each way there is. */
const WAYS: [string, (as: TokenOptions) => Promise<Name[]>][] = [
  ['the list', async (as) => namesOf((await list(stack, `?status=${STATUSES}`, as)).items)],
  ['the list of a case', async (as) => namesOf((await list(stack, `?status=${STATUSES}&case=${CASE}`, as)).items)],
  [
    'the caller’s own',
    async (as) => {
      const queries = ['assignee=me', 'owner=me', 'view=mine', 'view=assigned'];
      const pages = await Promise.all(queries.map((query) => list(stack, `?status=${STATUSES}&${query}`, as)));
      return namesOf(pages.flatMap(({ items }) => items));
    },
  ],
  [
    'a search for words',
    async (as) => namesOf((await json<Page>('POST', '/search', as, { q: WORD, status: STATUSES })).items),
  ],
  [
    'a search by sender',
    async (as) => namesOf((await json<Page>('POST', '/search', as, { sender: '4101019999', status: STATUSES })).items),
  ],
  ['all ids', async (as) => namesOf((await json<Page>('POST', '/ids', as, { status: STATUSES })).items)],
  [
    'an export',
    async (as) => {
      const response = await stack.call('POST', '/incoming-documents/export', { as, body: { status: STATUSES } });
      const { rows } = await readWithPython(Buffer.from(await response.arrayBuffer()));
      return namesOf(rows.map((row) => ({ id: row.at(-1)?.text ?? '' })));
    },
  ],
  [
    'the call of each',
    async (as) => {
      const seen: Name[] = [];
      for (const name of MESSAGES) {
        const { fileId } = await fileOf(name);
        const calls = ['', '/text', '/zip', `/files/${fileId}`].map((path) =>
          stack.call('GET', `/incoming-documents/${ids[name]}${path}`, { as }),
        );
        const statuses = new Set((await Promise.all(calls)).map(({ status }) => status));
        expect([[200], [404]]).toContainEqual([...statuses]);
        if (statuses.has(200)) seen.push(name);
      }
      return seen.toSorted();
    },
  ],
];
interface Page {
  readonly items: { readonly id: string }[];
}

async function fileOf(name: Name): Promise<{ fileId: string }> {
  const [row] = await stack.sql<{ id: string }>('SELECT id FROM files WHERE message_id = $1', [ids[name]]);
  return { fileId: row?.id ?? '' };
}

const ALL = [...MESSAGES].toSorted();

describe.each(WAYS)('%s', (way, find) => {
  const isOwn = way === 'the caller’s own';

  it('shows none of a restricted case to others, whatever their roles', async () => {
    expect(await find(OTHER)).toEqual([]);
  });

  it('shows them to the named', async () => {
    expect(await find(NAMED)).toEqual(isOwn ? [] : ALL);
  });

  it('follows each change of the restriction at once', async () => {
    for (const [users, seen] of [
      [['other', 'somebody'], ALL],
      [['somebody'], []],
      [null, ALL],
      [['named'], []],
    ] as const) {
      await restrict(users && [...users]);
      expect(await find(OTHER)).toEqual(seen);
    }
  });
});

it('a list whose case is restricted between two pages shows no more of it', async () => {
  const query = `?status=${STATUSES}&limit=1&sort=receivedAt`;
  await restrict(null);
  const first = await list(stack, query, OTHER);
  expect(namesOf(first.items)).toHaveLength(1);
  await restrict(['named']);
  const next = await list(stack, `${query}&cursor=${first.nextCursor}`, OTHER);
  expect([next.items, next.nextCursor]).toEqual([[], null]);
});

it('a summary does not count them for others', async () => {
  const total = async (as: TokenOptions) =>
    (await json<{ total: number }>('GET', `/summary?status=${STATUSES}`, as)).total;
  expect([await total(OTHER), await total(NAMED)]).toEqual([0, MESSAGES.length]);
});

it('others change none, one by one or in a bulk', async () => {
  const id = ids.suggested;
  const assignment = { as: OTHER, version: 2, body: { assignee: { kind: 'user', id: 'other' } } };
  await expectProblem(await stack.call('PUT', `/incoming-documents/${id}/assignment`, assignment), 404, 'not-found');
  const { items } = await json<{ items: { problem: { code: string } }[] }>('POST', '/bulk', OTHER, {
    action: 'reject',
    items: [{ id, version: 2, reason: 'unwanted', explanation: 'Ikke til os' }],
  });
  expect(items.map(({ problem }) => problem.code)).toEqual(['not-found']);
});

describe('to somebody with every role, who is not named, it is answered like an id that does not exist:', () => {
  const as: TokenOptions = { user: 'other', teams: ['team-1'], roles: Object.keys(ROLE_MEANINGS) };
  const ON_ONE = NAMES.filter((name) => operationOf(name).path.startsWith('/api/v1/incoming-documents/:id'));

  it.each(ON_ONE)('%s', async (name) => {
    const operation = operationOf(name);
    const answerTo = async (id: string, version: number) => {
      const [example] = (operation.body?.meta()?.examples ?? []) as object[];
      const { fileId } = await fileOf('suggested');
      const response = await send(stack, {
        operation,
        as,
        params: { id, fileId },
        query: {},
        headers: operation.change ? { 'if-match': `"${version}"` } : {},
        body: example,
      });
      const { instance: _, correlationId: __, ...problem } = (await response.json()) as Record<string, unknown>;
      return { status: response.status, problem };
    };
    const unknown = await answerTo(randomUUID(), 1);
    expect(unknown.status).toBe(404);
    for (const message of MESSAGES)
      for (const version of [1, 2, 3]) expect(await answerTo(ids[message], version)).toEqual(unknown);
  });
});

it('a message that has left a restricted case is seen again, without a word of that case', async () => {
  const letter = randomUUID();
  await registerSentMessage(stack, letter, { caseId: CASE });
  const id = await deliverReply(stack, [{ messageUUID: randomUUID(), replyUUID: letter }]);
  await stack.sql('UPDATE messages SET suggestion_run_at = NULL WHERE id = $1', [id]);
  await registerSentMessage(stack, letter, { caseId: 'K-open' });
  await awaitSuggestion(stack, id);
  await change(stack, 'POST', `${id}/journalization`, { as: NAMED, version: 3, body: { caseIds: ['K-open', CASE] } });
  await change(stack, 'DELETE', `${id}/journalization`, { as: NAMED, version: 4, body: { reason: 'wrong-case' } });

  const hidden = await read(stack, id, OTHER);
  expect(hidden.suggestion?.caseId).toBe('K-open');
  expect(hidden.history.map(({ action }) => action)).toEqual([
    'accepted',
    'suggested',
    'suggested',
    'journalized',
    'taken-back',
  ]);
  expect(JSON.stringify(hidden)).not.toContain(CASE);
  expect(hidden.history[2]?.details).toMatchObject({ caseId: 'K-open' });

  const whole = await read(stack, id, NAMED);
  expect(whole.history[1]?.details).toMatchObject({ caseId: CASE });
  expect(whole.history[3]?.details).toMatchObject({ caseIds: `K-open ${CASE}` });
});

it.each([
  ['the letter by its UUID', { replyUUID: LETTER }],
  [
    'the letter by its id',
    { replyUUID: randomUUID(), messageID: LETTER_ID, senderID: ODENSKOV, generatingSystemID: 'DUBU' },
  ],
  ['the case', { caseID: CASE, senderID: ODENSKOV }],
])('a reply whose suggestion is not made yet is hidden when it names %s', async (_what, named) => {
  const id = await deliverReply(stack, [{ messageUUID: randomUUID(), ...named } as never]);
  const open = await deliverReply(stack, [{ messageUUID: randomUUID() }]);
  const seen = async (as: TokenOptions) => {
    const { items } = await json<Page>('GET', '?sort=-receivedAt', as);
    return [id, open].map((one) => items.some((item) => item.id === one));
  };
  expect(await seen(OTHER)).toEqual([false, true]);
  await stack.sql(
    `UPDATE messages SET suggestion_run_at = NULL, suggested_case_id = NULL, suggestion_basis = NULL, suggestion_sender = NULL,
       suggestion_party = NULL, suggestion_warning = NULL, next_enqueue_at = now() + interval '1 day' WHERE id = ANY ($1)`,
    [[id, open]],
  );
  expect(await seen(OTHER)).toEqual([false, true]);
  expect(await seen(NAMED)).toEqual([true, true]);
  await expectProblem(await stack.call('GET', `/incoming-documents/${id}`, { as: OTHER }), 404, 'not-found');
});

it('held messages stay with those who set up, and the log with those who read it', async () => {
  const id = await deliverMemo(stack);
  await stack.sql(`UPDATE messages SET status = 'held', held_cause = 'enquiries-off' WHERE id = $1`, [id]);
  expect((await read(stack, id, { user: 'operator', roles: ['Indbakke.Drift'] })).status).toBe('held');
  const log = await stack.call('GET', `/audit-events?message=${ids.suggested}`, {
    as: { user: 'auditor', roles: ['Revisionslog.Læs'] },
  });
  expect(((await log.json()) as { items: unknown[] }).items).not.toEqual([]);
});
