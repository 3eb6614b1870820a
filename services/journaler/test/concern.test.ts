import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestStack, type TestStack, type TokenOptions } from '../../../infra/src/testkit/stack.js';
import { auditOf, change, deliverMemo, expectProblem, read, upsertCase } from '../../../shared/test/inbox/support.js';

const HOUR = 60 * 60 * 1_000;

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
  await upsertCase(stack, 'BF-1');
});
afterAll(() => stack.close());

const CALLS = {
  'concern-marked': ['PUT', 'concern'],
  'concern-unmarked': ['DELETE', 'concern'],
  'concern-assessed': ['POST', 'concern/assessment'],
  'concern-confirmed': ['POST', 'concern/confirmation'],
} as const;
type ConcernChange = keyof typeof CALLS;

function call(id: string, name: ConcernChange, version: number, as?: TokenOptions): Promise<Response> {
  const [method, path] = CALLS[name];
  return stack.call(method, `/incoming-documents/${id}/${path}`, { version, ...(as && { as }) });
}

/** Delivers a message and makes these changes of it. @returns its id and version */
async function messageAfter(...changes: ConcernChange[]): Promise<{ id: string; version: number }> {
  const id = await deliverMemo(stack);
  for (const [at, name] of changes.entries()) expect((await call(id, name, at + 1)).status).toBe(200);
  return { id, version: changes.length + 1 };
}

const ofConcern = (allowed: readonly string[]) => allowed.filter((name) => name in CALLS);

describe('a message marked by hand as a possible report of concern', () => {
  test('has two clocks from its receipt, and meets them one by one', async () => {
    const { id } = await messageAfter();
    // A Friday evening; the Monday after is the first of the 6 working days.
    await stack.sql(`UPDATE messages SET received_at = '2026-11-06T21:30:00Z' WHERE id = $1`, [id]);
    const due = { assessBy: '2026-11-07T21:30:00.000Z', confirmBy: '2026-11-16T23:00:00.000Z' };

    await call(id, 'concern-marked', 1);
    const { concern } = await read(stack, id);
    expect(concern).toEqual({
      ...due,
      markedAt: expect.any(String),
      markedBy: 'caseworker-1',
      assessedAt: null,
      confirmedAt: null,
    });
    expect(Math.abs(Date.parse(concern?.markedAt ?? '') - Date.now())).toBeLessThan(HOUR);

    await call(id, 'concern-confirmed', 2);
    const confirmed = (await read(stack, id)).concern;
    expect(confirmed).toEqual({ ...concern, confirmedAt: expect.any(String) });

    await call(id, 'concern-assessed', 3);
    const met = (await read(stack, id)).concern;
    expect(met).toEqual({ ...confirmed, assessedAt: expect.any(String) });

    const details = [
      expect.objectContaining({ channel: 'sf1606', remarks: 0, files: 1 }),
      due,
      { confirmBy: due.confirmBy, confirmedAt: met?.confirmedAt },
      { assessBy: due.assessBy, assessedAt: met?.assessedAt },
    ];
    expect((await auditOf(stack, { messageId: id })).filter(({ action }) => action !== 'read')).toMatchObject(
      details.map((each) => ({ details: each })),
    );
    const events = await stack.sql('SELECT type, version, details FROM events WHERE message_id = $1 ORDER BY version', [
      id,
    ]);
    expect(events).toEqual(
      ['accepted', 'concern-marked', 'concern-confirmed', 'concern-assessed'].map((type, at) => ({
        type,
        version: at + 1,
        details: details[at],
      })),
    );
  });

  test('has no clock left when it is unmarked, and new ones when it is marked again', async () => {
    const { id, version } = await messageAfter('concern-marked', 'concern-assessed', 'concern-confirmed');
    const { concern } = await read(stack, id);

    await call(id, 'concern-unmarked', version);
    expect((await read(stack, id)).concern).toBeNull();

    await call(id, 'concern-marked', version + 1);
    const { assessBy, confirmBy } = concern ?? {};
    expect((await read(stack, id)).concern).toMatchObject({ assessBy, confirmBy, assessedAt: null, confirmedAt: null });
  });

  test('keeps its clocks while it is journalized, which may still be met', async () => {
    const { id } = await messageAfter('concern-marked');
    await change(stack, 'POST', `${id}/journalization`, { version: 2, body: { caseIds: ['BF-1'] } });
    expect((await call(id, 'concern-confirmed', 3)).status).toBe(200);
  });
});

const NOT_MARKED = /^The message is not marked as a possible report of concern/;

/** What each state allows, and with which sentence the rest is refused. */
const STATES: { after: ConcernChange[]; allowed: ConcernChange[]; refused: Partial<Record<ConcernChange, RegExp>> }[] =
  [
    {
      after: [],
      allowed: ['concern-marked'],
      refused: {
        'concern-unmarked': NOT_MARKED,
        'concern-assessed': NOT_MARKED,
        'concern-confirmed': NOT_MARKED,
      },
    },
    {
      after: ['concern-marked'],
      allowed: ['concern-unmarked', 'concern-assessed', 'concern-confirmed'],
      refused: { 'concern-marked': /is marked as a possible report of concern already/ },
    },
    {
      after: ['concern-marked', 'concern-assessed'],
      allowed: ['concern-unmarked', 'concern-confirmed'],
      refused: { 'concern-marked': /is marked/, 'concern-assessed': /has been assessed already/ },
    },
    {
      after: ['concern-marked', 'concern-confirmed'],
      allowed: ['concern-unmarked', 'concern-assessed'],
      refused: { 'concern-marked': /is marked/, 'concern-confirmed': /has been confirmed already/ },
    },
    {
      after: ['concern-marked', 'concern-assessed', 'concern-unmarked'],
      allowed: ['concern-marked'],
      refused: { 'concern-unmarked': NOT_MARKED },
    },
  ];

describe.each(STATES)('a message after [$after]', ({ after, allowed, refused }) => {
  test(`allows ${allowed.join(', ')}, and says so`, async () => {
    const { id } = await messageAfter(...after);
    expect(ofConcern((await read(stack, id)).allowed)).toEqual(allowed);
    for (const name of allowed) {
      const { id: another, version } = await messageAfter(...after);
      expect((await call(another, name, version)).status).toBe(200);
    }
  });

  test('refuses the rest without a trace', async () => {
    const { id, version } = await messageAfter(...after);
    const before = await stack.sql('SELECT * FROM messages WHERE id = $1', [id]);
    for (const [name, detail] of Object.entries(refused) as [ConcernChange, RegExp][]) {
      // Another caller than before, whose call cannot be a repeat.
      const response = await call(id, name, version, { user: 'caseworker-2' });
      const problem = await expectProblem(response, 409, 'wrong-concern');
      expect(problem.detail).toMatch(detail);
      expect(problem.detail).toContain(allowed.join(', '));
    }
    expect(await stack.sql('SELECT * FROM messages WHERE id = $1', [id])).toEqual(before);
    expect(await stack.sql('SELECT FROM events WHERE message_id = $1', [id])).toHaveLength(version);
  });
});

describe('a change of the marks', () => {
  test('at a version that somebody has changed is refused with 412, whatever the marks', async () => {
    const { id } = await messageAfter('concern-marked');
    await expectProblem(await call(id, 'concern-marked', 1, { user: 'caseworker-2' }), 412, 'version-changed');
  });

  test('of a rejected message is refused by its status', async () => {
    const { id } = await messageAfter();
    await change(stack, 'POST', `${id}/rejection`, {
      version: 1,
      body: { reason: 'unwanted', explanation: 'Ikke til os' },
    });
    await expectProblem(await call(id, 'concern-marked', 2), 409, 'wrong-status');
    expect(ofConcern((await read(stack, id)).allowed)).toEqual([]);
  });

  test('requires the role to assign or to journalize', async () => {
    const { id } = await messageAfter();
    const roles = ['IndkomneDokumenter.Læs', 'IndkomneDokumenter.SeAlle', 'IndkomneDokumenter.Afvis'];
    await expectProblem(await call(id, 'concern-marked', 1, { roles }), 403, 'role-missing');
    expect(ofConcern((await read(stack, id, { roles })).allowed)).toEqual([]);
  });

  test('of another municipality’s message, or of one that the caller does not see, finds none', async () => {
    const { id } = await messageAfter('concern-marked');
    const elsewhere: TokenOptions = { municipality: '33333333' };
    const unsighted: TokenOptions = { roles: ['IndkomneDokumenter.Læs', 'IndkomneDokumenter.Journaliser'] };
    for (const as of [elsewhere, unsighted]) {
      for (const name of Object.keys(CALLS) as ConcernChange[]) {
        await expectProblem(await call(id, name, 2, as), 404, 'not-found');
      }
    }
  });
});
