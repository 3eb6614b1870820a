import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { BulkAnswer, type DocumentCounts } from '../../../shared/src/api/index.js';
import { deliverMemo, expectProblem, list, listAll, read, SETUP } from '../../../shared/test/inbox/support.js';
import { readWithPython } from './support/spreadsheets.js';

// Rejected messages of which nobody has told what became of them are found, counted and told in bulk.

let stack: TestStack;
/** Rejected, oldest first. */
let open: string[];
let told: string[];

async function bulk(action: string, items: object[]) {
  const response = await stack.call('POST', '/incoming-documents/bulk', { as: SETUP, body: { action, items } });
  expect(response.status, await response.clone().text()).toBe(200);
  return BulkAnswer.parse(await response.json()).items;
}

const REJECTION = { version: 1, reason: 'wrong-department', explanation: 'Hører til i Teknik og Miljø' };

beforeAll(async () => {
  stack = await startTestStack();
  const department = { id: 'teknik', name: 'Teknik og Miljø' };
  expect((await stack.call('POST', '/departments', { as: SETUP, body: department })).status).toBe(200);
  const ids: string[] = [];
  for (let n = 0; n < 7; n += 1) ids.push(await deliverMemo(stack));
  await deliverMemo(stack); // which stays pending
  [open, told] = [ids.slice(0, 3), ids.slice(3)];
  const outcomes = [
    { forwardedTo: { departmentId: 'teknik' } },
    { forwardedTo: { name: 'Odenskov Kommune' }, senderInformed: true },
    { senderInformed: true },
    { nothingToDo: true },
  ];
  const items = [
    ...open.map((id) => ({ id, ...REJECTION })),
    ...told.map((id, n) => ({ id, ...REJECTION, outcome: outcomes[n] })),
  ];
  for (const { problem } of await bulk('reject', items.toReversed())) expect(problem).toBeNull();
});

afterAll(() => stack.close());

const ids = (items: readonly { readonly id: string }[]) => items.map(({ id }) => id);

describe('a list of rejected messages', () => {
  it('has those whose outcome is open, oldest first', async () => {
    expect(ids(await listAll(stack, 'status=rejected&outcome=open&limit=2'))).toEqual(open);
    expect(ids((await list(stack, '?status=rejected&outcome=told')).items)).toEqual(told);
    const body = { status: ['rejected'], outcome: 'open', q: 'Testesen' };
    const found = await stack.call('POST', '/incoming-documents/search', { body });
    expect(ids(((await found.json()) as { items: { id: string }[] }).items)).toEqual(open);
  });

  it.each(['', '&status=pending', '&status=rejected,pending'])(
    'has no such filter with other statuses: "%s"',
    async (rest) => {
      const response = await stack.call('GET', `/incoming-documents?outcome=open${rest}`);
      expect((await expectProblem(response, 400, 'bad-request')).path).toBe('query.outcome');
    },
  );

  it('says of each message what became of it', async () => {
    const { items } = await list(stack, '?status=rejected');
    const outcomes = items.map(({ rejection }) => rejection?.outcome);
    expect(outcomes.slice(0, 3)).toEqual([null, null, null]);
    expect(outcomes.slice(3)).toMatchObject([
      { forwardedTo: { departmentId: 'teknik', name: 'Teknik og Miljø' }, senderInformed: false, by: SETUP.user },
      { forwardedTo: { departmentId: null, name: 'Odenskov Kommune' }, senderInformed: true },
      { forwardedTo: null, senderInformed: true, nothingToDo: false },
      { forwardedTo: null, senderInformed: false, nothingToDo: true },
    ]);
  });

  it('counts those whose outcome is open', async () => {
    const counts = async (query: string) =>
      (await (await stack.call('GET', `/incoming-documents/summary?${query}`)).json()) as DocumentCounts;
    expect(await counts('status=rejected')).toMatchObject({ total: 7, outcomeOpen: 3 });
    expect(await counts('status=rejected&outcome=open')).toMatchObject({ total: 3, outcomeOpen: 3 });
    expect(await counts('status=pending,rejected')).toMatchObject({ total: 8, outcomeOpen: 3 });
    expect(await counts('')).toMatchObject({ outcomeOpen: 0 });
  });

  it('has the outcome in Excel', async () => {
    const response = await stack.call('POST', '/incoming-documents/export', { body: { status: ['rejected'] } });
    const { rows } = await readWithPython(Buffer.from(await response.arrayBuffer()));
    const [headings = [], ...cells] = rows.map((row) => row.map((cell) => cell?.text ?? ''));
    const shown = cells.map((row) =>
      ['udfald', 'videre til', 'afsender underrettet', 'udfald oplyst af'].map(
        (name) => row[headings.indexOf(`Afvist – ${name}`)] ?? '',
      ),
    );
    expect(shown).toEqual([
      ...Array(3).fill(['Mangler', '', '', '']),
      ['Sendt videre', 'Teknik og Miljø', 'Nej', SETUP.user],
      ['Sendt videre', 'Odenskov Kommune', 'Ja', SETUP.user],
      ['Afsender underrettet', '', 'Ja', SETUP.user],
      ['Intet at gøre', '', 'Nej', SETUP.user],
    ]);
  });
});

it('in bulk, 500 messages are rejected, and then their outcome is told; a wrong department refuses its item only', {
  tags: 'long',
}, async () => {
  const first = await deliverMemo(stack);
  await stack.sql(
    `WITH copies AS (
       INSERT INTO messages SELECT (jsonb_populate_record(m, jsonb_build_object('id', gen_random_uuid(), 'external_id', n::text))).*
       FROM messages m, generate_series(1, 499) AS n WHERE m.id = $1
       RETURNING id)
     INSERT INTO message_details SELECT (jsonb_populate_record(d, jsonb_build_object('message_id', copies.id))).*
     FROM message_details d, copies WHERE d.message_id = $1`,
    [first],
  );
  const rows = await stack.sql<{ id: string }>(
    `SELECT id FROM messages WHERE external_id ~ '^[0-9]{1,3}$' AND status = 'pending'`,
  );
  const all = [first, ...ids(rows)];
  expect(all).toHaveLength(500);
  const rejections = await bulk(
    'reject',
    all.map((id) => ({ id, ...REJECTION })),
  );
  expect(rejections.every(({ done }) => done?.version === 2)).toBe(true);

  const outcomes = await bulk(
    'tell-outcome',
    all.map((id, n) => ({ id, version: 2, forwardedTo: { departmentId: n === 7 ? 'ukendt' : 'teknik' } })),
  );

  expect(outcomes.filter(({ done }) => done?.version === 3)).toHaveLength(499);
  expect(outcomes[7]).toMatchObject({ done: null, problem: { code: 'unknown-department' } });
  expect((await read(stack, all[499] as string)).rejection?.outcome?.forwardedTo?.name).toBe('Teknik og Miljø');
  expect((await read(stack, all[7] as string)).rejection?.outcome).toBeNull();
});
