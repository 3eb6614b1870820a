import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CallOptions,
  startTestStack,
  type TestStack,
  type TokenOptions,
  VESTERSUND,
} from '../../../infra/src/testkit/stack.js';
import { BulkAnswer } from '../../../shared/src/api/index.js';
import { auditOf, deliverMemo, expectProblem, read, SETUP, upsertCase } from '../../../shared/test/inbox/support.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
  await upsertCase(stack, 'K-1');
  await upsertCase(stack, 'K-shut', { status: 'closed' });
});

afterAll(() => stack.close());

const bulk = (body: object, options: CallOptions = {}) =>
  stack.call('POST', '/incoming-documents/bulk', { as: SETUP, ...options, body });

/** The answers of a bulk, which must be taken. */
async function itemsOf(response: Response) {
  expect(response.status, await response.clone().text()).toBe(200);
  return BulkAnswer.parse(await response.json()).items;
}

const many = (count: number) => Promise.all(Array.from({ length: count }, () => deliverMemo(stack)));

const ANNA = { kind: 'user', id: 'anna' };

interface Step {
  readonly method: string;
  readonly path: string;
  readonly action: string;
  readonly fields?: object;
}
const ASSIGN = { method: 'PUT', path: 'assignment', action: 'assign', fields: { assignee: ANNA } };
const JOURNALIZE = {
  method: 'POST',
  path: 'journalization',
  action: 'journalize',
  fields: { caseIds: ['K-1', 'K-shut'], reference: 'JP-1', casesAreOpen: true },
};
const REJECT = {
  method: 'POST',
  path: 'rejection',
  action: 'reject',
  fields: { reason: 'other', explanation: 'Nej', outcome: { senderInformed: true } },
};
const TELL_OUTCOME = {
  method: 'PUT',
  path: 'rejection/outcome',
  action: 'tell-outcome',
  fields: { forwardedTo: { name: 'Odenskov Kommune' } },
};

/** What changes leave of a message, without what is its own: ids, times, positions and content. */
async function leftOf(id: string): Promise<unknown> {
  const own = `'{id,message_id,external_id,transmission_id,fingerprint,original,at,position,hash,trace}'::text[]`;
  const rowsOf = (table: string, column: string, where = 'true') =>
    stack.sql<{ row: object }>(
      `SELECT to_jsonb(t) - ${own} AS row FROM ${table} t WHERE ${column} = $1 AND ${where} ORDER BY to_jsonb(t)->'version', t`,
      [id],
    );
  const rows = await Promise.all([
    rowsOf('messages', 'id'),
    rowsOf('events', 'message_id'),
    rowsOf('audit_events', 'message_id', "action <> 'refused'"),
    rowsOf('journalizations', 'message_id'),
    rowsOf('message_details', 'message_id'),
  ]);
  const withoutTimes = (_name: string, value: unknown) =>
    typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? undefined : value;
  return rows.flat().map(({ row }) => JSON.parse(JSON.stringify(row, withoutTimes)));
}

describe('a bulk', () => {
  it.each<[Step, Step[]]>([
    [ASSIGN, []],
    [{ method: 'DELETE', path: 'assignment', action: 'unassign' }, [ASSIGN]],
    [JOURNALIZE, []],
    [{ method: 'DELETE', path: 'journalization', action: 'take-back', fields: { reason: 'wrong-case' } }, [JOURNALIZE]],
    [REJECT, []],
    [TELL_OUTCOME, [REJECT]],
    [{ method: 'DELETE', path: 'rejection', action: 'reopen' }, [REJECT]],
  ])(
    'makes of each message the change that one call makes of one: $action',
    async ({ method, path, action, fields }, before) => {
      const ids = await many(4);
      for (const [at, step] of before.entries()) {
        for (const id of ids)
          await stack.call(step.method, `/incoming-documents/${id}/${step.path}`, {
            as: SETUP,
            version: at + 1,
            body: step.fields,
          });
      }
      const version = before.length + 1;
      const [alone, ...together] = ids as [string, ...string[]];
      const single = await stack.call(method, `/incoming-documents/${alone}/${path}`, {
        as: SETUP,
        version,
        ...(fields && { body: fields }),
      });
      const answer = (await single.json()) as object;

      const items = await itemsOf(await bulk({ action, items: together.map((id) => ({ id, version, ...fields })) }));

      expect(items).toEqual(together.map((id) => ({ id, done: { ...answer, id }, problem: null })));
      for (const id of together) expect(await leftOf(id)).toEqual(await leftOf(alone));
    },
  );

  it('answers for each in the order of the items, those that are refused as one call is refused', async () => {
    const [first, changed, journalized, last] = (await many(4)) as [string, string, string, string];
    const theirs = await deliverMemo(stack, { recipient: { id: VESTERSUND } });
    const nowhere = randomUUID();
    await stack.call('PUT', `/incoming-documents/${changed}/assignment`, { version: 1, body: { assignee: ANNA } });
    await stack.call('POST', `/incoming-documents/${journalized}/journalization`, {
      version: 1,
      body: { caseIds: ['K-1'] },
    });
    const before = await Promise.all([changed, journalized, theirs].map(leftOf));
    const fields = { caseIds: ['K-1'] };
    const items = await itemsOf(
      await bulk({
        action: 'journalize',
        items: [
          { id: first, version: 1, ...fields },
          { id: changed, version: 1, ...fields },
          { id: journalized, version: 2, ...fields },
          { id: theirs, version: 1, ...fields },
          { id: nowhere, version: 1, ...fields },
          { id: last.toUpperCase(), version: 1, caseIds: ['K-1', 'K-never'] },
        ],
      }),
    );

    expect(items.map(({ done, problem }) => done?.version ?? problem?.code)).toEqual([
      2,
      'version-changed',
      'wrong-status',
      'not-found',
      'not-found',
      'unknown-case',
    ]);
    expect(items.map(({ id }) => id)).toEqual([first, changed, journalized, theirs, nowhere, last]);
    const single = await stack.call('POST', `/incoming-documents/${last}/journalization`, {
      as: SETUP,
      version: 1,
      body: { caseIds: ['K-1', 'K-never'] },
    });
    const problem = await expectProblem(single, 409, 'unknown-case');
    expect(items.at(-1)?.problem).toEqual({ ...problem, correlationId: items[1]?.problem?.correlationId });
    expect(await Promise.all([changed, journalized, theirs].map(leftOf))).toEqual(before);
    expect(await read(stack, last)).toMatchObject({ status: 'pending', version: 1 });
    const refused = await stack.sql(
      `SELECT message_id, result, details FROM audit_events WHERE action = 'refused' AND message_id = ANY ($1)`,
      [[first, changed, journalized, theirs, nowhere, last]],
    );
    const refusal = { result: 'not-found', details: { call: 'post /api/v1/incoming-documents/bulk' } };
    expect(refused).toHaveLength(2);
    expect(refused).toEqual(expect.arrayContaining([theirs, nowhere].map((id) => ({ message_id: id, ...refusal }))));
  });

  it('requires the role of its action, else nothing is changed', async () => {
    const [id] = (await many(1)) as [string];
    const roles = ['IndkomneDokumenter.Læs', 'IndkomneDokumenter.SeAlle', 'IndkomneDokumenter.Afvis'];
    const as: TokenOptions = { user: 'rejecter', roles };
    const items = [{ id, version: 1, caseIds: ['K-1'] }];
    const problem = await expectProblem(await bulk({ action: 'journalize', items }, { as }), 403, 'role-missing');
    expect(problem.detail).toBe('The call requires the role IndkomneDokumenter.Journaliser.');
    expect(await read(stack, id)).toMatchObject({ version: 1 });
    const audited = (await auditOf(stack, { action: 'refused' })).filter(({ actor }) => actor === 'rejecter');
    expect(audited).toHaveLength(1);
    expect(
      await itemsOf(
        await bulk(
          { action: 'reject', items: [{ id, version: 1, reason: 'unwanted', explanation: 'Ikke til os' }] },
          { as },
        ),
      ),
    ).toMatchObject([{ done: { status: 'rejected' } }]);
  });

  it('by an assignee without Tildel hands back only what is the assignee’s', async () => {
    const [mine, others] = (await many(2)) as [string, string];
    for (const [id, assignee] of [
      [mine, ANNA],
      [others, { kind: 'user', id: 'bo' }],
    ] as const)
      await stack.call('PUT', `/incoming-documents/${id}/assignment`, { version: 1, body: { assignee } });
    const as = { user: 'anna', roles: ['IndkomneDokumenter.Læs', 'IndkomneDokumenter.SeAlle'] };
    const items = [mine, others].map((id) => ({ id, version: 2 }));
    const answers = await itemsOf(await bulk({ action: 'unassign', items }, { as }));
    expect(answers.map(({ done, problem }) => done?.version ?? problem?.code)).toEqual([3, 'role-missing']);
    expect((await auditOf(stack, { messageId: others })).at(-1)).toMatchObject({ action: 'refused', actor: 'anna' });
  });

  const id = randomUUID();
  it.each<[string, object, string]>([
    ['without an action', { items: [{ id, version: 1 }] }, 'body.action'],
    ['with an action that bulk does not make', { action: 'release', items: [{ id, version: 1 }] }, 'body.action'],
    ['without items', { action: 'reopen' }, 'body.items'],
    ['with no item', { action: 'reopen', items: [] }, 'body.items'],
    [
      'with 501 items',
      { action: 'reopen', items: Array.from({ length: 501 }, () => ({ id: randomUUID(), version: 1 })) },
      'body.items',
    ],
    [
      'with an item twice',
      {
        action: 'reopen',
        items: [
          { id, version: 1 },
          { id: `{${id.toUpperCase()}}`, version: 2 },
        ],
      },
      'body.items',
    ],
    ['with an item without a version', { action: 'reopen', items: [{ id }] }, 'body.items.0.version'],
    ['with a version 0', { action: 'reopen', items: [{ id, version: 0 }] }, 'body.items.0.version'],
    ['with an id that is none', { action: 'reopen', items: [{ id: 'x', version: 1 }] }, 'body.items.0.id'],
    [
      'with a field of another action',
      { action: 'reopen', items: [{ id, version: 1, reason: 'unwanted' }] },
      'body.items.0.reason',
    ],
    ['that assigns to nobody', { action: 'assign', items: [{ id, version: 1 }] }, 'body.items.0.assignee'],
    ['that rejects without a reason', { action: 'reject', items: [{ id, version: 1 }] }, 'body.items.0.reason'],
    [
      'that rejects without an explanation',
      {
        action: 'reject',
        items: [
          { id, version: 1, reason: 'unwanted', explanation: 'Reklame' },
          { id: randomUUID(), version: 1, reason: 'unwanted' },
        ],
      },
      'body.items.1.explanation',
    ],
    [
      'that tells an outcome that is none',
      { action: 'tell-outcome', items: [{ id, version: 1, senderInformed: false }] },
      'body.items.0',
    ],
    ['with an unknown field', { action: 'reopen', items: [{ id, version: 1 }], note: 'x' }, 'body.note'],
  ])('%s is refused', async (_name, body, path) => {
    expect((await expectProblem(await bulk(body), 400, 'bad-request')).path).toBe(path);
  });

  it.each([1e9, 2 ** 31 - 1, 2 ** 53 - 1])(
    'with the version %d, which no message can have, is refused',
    async (version) => {
      const response = await bulk({ action: 'unassign', items: [{ id: randomUUID(), version }] });
      expect(await expectProblem(response, 400, 'bad-request')).toMatchObject({ path: 'body.items.0.version' });
    },
  );

  it('with the highest version that there may be is answered like any other version', async () => {
    const items = [{ id: await deliverMemo(stack), version: 999_999_999, reason: 'unwanted', explanation: 'Reklame' }];
    const [item] = await itemsOf(await bulk({ action: 'reject', items }));
    expect(item?.problem?.code).toBe('version-changed');
  });

  it('with If-Match is refused: each item has its version', async () => {
    const body = { action: 'reopen', items: [{ id, version: 1 }] };
    expect((await expectProblem(await bulk(body, { version: 1 }), 400, 'bad-request')).path).toBe('header.if-match');
  });
});

describe('a bulk with an Idempotency-Key', () => {
  const withKey = (key: string): CallOptions => ({ headers: { 'idempotency-key': key } });
  const isReplayed = (response: Response) => response.headers.get('idempotency-replayed') === 'true';
  const assignAll = (ids: readonly string[]) => ({
    action: 'assign',
    items: ids.map((id) => ({ id, version: 1, assignee: ANNA })),
  });

  it('again gives the first answers, whatever came after', async () => {
    const [ids, key] = [await many(3), randomUUID()];
    const first = await bulk(assignAll(ids), withKey(key));
    const items = await itemsOf(first);
    await bulk({ action: 'unassign', items: ids.map((id) => ({ id, version: 2 })) });

    const again = await bulk(assignAll(ids), withKey(key));

    expect([isReplayed(first), isReplayed(again)]).toEqual([false, true]);
    expect(await itemsOf(again)).toEqual(items);
    for (const id of ids) expect(await read(stack, id)).toMatchObject({ version: 3, assignee: null });
  });

  it('at the same time changes each message once', async () => {
    const [ids, key] = [await many(10), randomUUID()];
    const answers = await Promise.all(
      Array.from({ length: 3 }, () => bulk(assignAll(ids), withKey(key)).then(itemsOf)),
    );
    const done = ids.map((id) => ({ id, done: { id, status: 'pending', version: 2 }, problem: null }));
    expect(answers).toEqual([done, done, done]);
    const events = await stack.sql(`SELECT FROM events WHERE message_id = ANY ($1) AND type = 'assigned'`, [ids]);
    expect(events).toHaveLength(10);
  });

  it('tries again what was refused, and does not repeat what was done', async () => {
    const [ids, key] = [await many(2), randomUUID()];
    const items = ids.map((id, at) => ({ id, version: 1, caseIds: [['K-1', 'K-later'][at]] }));
    const send = () => bulk({ action: 'journalize', items }, withKey(key));
    const codes = async (response: Response) =>
      (await itemsOf(response)).map(({ done, problem }) => done?.version ?? problem?.code);
    expect(await codes(await send())).toEqual([2, 'unknown-case']);
    await upsertCase(stack, 'K-later');
    const second = await send();
    expect([isReplayed(second), await codes(second)]).toEqual([false, [2, 2]]);
    const third = await send();
    expect([isReplayed(third), await codes(third)]).toEqual([true, [2, 2]]);
  });

  it('that was used for other items or another call is refused, and changes nothing', async () => {
    const [ids, key] = [await many(3), randomUUID()];
    const [first, ...rest] = ids as [string, string, string];
    await bulk(assignAll([first]), withKey(key));
    await expectProblem(await bulk(assignAll(rest), withKey(key)), 422, 'key-reused');
    await expectProblem(await bulk(assignAll(ids), withKey(key)), 422, 'key-reused');
    const path = `/incoming-documents/${rest[0]}/assignment`;
    const options = { as: SETUP, version: 1, body: { assignee: ANNA }, ...withKey(key) };
    await expectProblem(await stack.call('PUT', path, options), 422, 'key-reused');
    for (const id of rest) expect(await read(stack, id)).toMatchObject({ version: 1 });
  });
});
