import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ODENSKOV, startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import {
  auditOf,
  change,
  deliverMemo,
  deliverReply,
  expectProblem,
  read,
  registerSentMessage,
  SYSTEM,
  upsertCase,
} from '../../../shared/test/inbox/support.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});

afterAll(() => stack.close());

const [CHILD, MOTHER, TEACHER] = ['4101019999', '4202029999', '4303039999'] as const;

const newCase = () => `K-${randomUUID()}`;
const put = (caseId: string, body: object) => stack.call('PUT', `/cases/${caseId}`, { as: SYSTEM, body });

async function caseOf(caseId: string) {
  const [row] = await stack.sql(
    `SELECT status, moved_to, moved_from, caseworker, team, cardinality(party_digests) AS parties,
       to_json(party_relations) AS relations, to_json(restricted_to) AS restricted_to, version
     FROM cases WHERE case_id = $1`,
    [caseId],
  );
  return row;
}

const FULL = {
  status: 'moved',
  movedTo: 'DK 33 33 33 33',
  movedFrom: '44444444',
  caseworker: 'anna',
  team: 'team-1',
  parties: [{ id: CHILD, relation: 'child' }, MOTHER, { id: TEACHER, relation: 'professional' }],
  restrictedTo: ['anna', 'bo'],
};
const STORED = {
  status: 'moved',
  moved_to: '33333333',
  moved_from: '44444444',
  caseworker: 'anna',
  team: 'team-1',
  parties: 3,
  relations: ['child', null, 'professional'],
  restricted_to: ['anna', 'bo'],
  version: null,
};

describe('what the core tells of a case', () => {
  it.each<[object, object]>([
    [{}, {}],
    [{ status: 'open' }, { status: 'open', moved_to: null }],
    [{ status: 'moved', movedTo: null }, { moved_to: null }],
    [{ movedFrom: null }, { moved_from: null }],
    [{ team: 'team-2' }, { team: 'team-2' }],
    [{ team: null }, { team: null }],
    [{ parties: [MOTHER] }, { parties: 1, relations: [null] }],
    [{ parties: [{ id: CHILD, relation: null }] }, { parties: 1, relations: [null] }],
    [{ parties: null }, { parties: 0, relations: [] }],
    [{ restrictedTo: ['bo'] }, { restricted_to: ['bo'] }],
    [{ restrictedTo: null }, { restricted_to: null }],
  ])('is stored, and then %j changes only what it says', async (body, changed) => {
    const caseId = newCase();
    await upsertCase(stack, caseId, FULL);
    expect(await caseOf(caseId)).toEqual(STORED);
    await upsertCase(stack, caseId, body);
    expect(await caseOf(caseId)).toEqual({ ...STORED, ...changed });
  });

  it.each([
    ['restrictedTo', { restrictedTo: [] }],
    ['restrictedTo.0', { restrictedTo: ['me'] }],
    ['movedTo', { movedTo: '33333333' }],
    ['movedTo', { status: 'open', movedTo: '33333333' }],
    ['movedTo', { status: 'moved', movedTo: '4101019999' }],
    ['movedTo', { status: 'moved', movedTo: ODENSKOV }],
    ['movedFrom', { movedFrom: ODENSKOV }],
    ['parties.0.id', { parties: [{ id: 'Jens' }] }],
    ['parties.0', { parties: [{ id: CHILD, relation: 'aunt' }] }],
    ['parties.0.name', { parties: [{ id: CHILD, name: 'Test Testesen' }] }],
    ['version', { version: -1 }],
    ['version', { version: 1.5 }],
    ['version', { version: '17' }],
    ['version', { version: '2026-13-01T00:00:00Z' }],
    ['version', { version: null }],
    ['status', { version: 7 }],
    ['restrictedTo', { ...FULL, restrictedTo: undefined, version: 7 }],
    ['parties', { ...FULL, parties: undefined, version: 7 }],
  ])('is refused at %s when it is %j, without a word of it', async (path, body) => {
    const problem = await expectProblem(await put(newCase(), body), 400, 'bad-request');
    expect(problem.path).toBe(`body.${path}`);
    expect(problem.detail).not.toMatch(/Jens|Testesen|aunt|9999/);
  });

  it('is of a case with any id: none is the path of another call', async () => {
    for (const caseId of ['batch', 'search', 'æ/ø ?#%']) {
      const response = await put(encodeURIComponent(caseId), { caseworker: 'anna' });
      expect([caseId, response.status]).toEqual([caseId, 204]);
      expect(await caseOf(caseId)).toMatchObject({ caseworker: 'anna' });
    }
  });

  it('is not in the audit log again when it changes nothing', async () => {
    const caseId = newCase();
    for (const body of [FULL, FULL, {}, { ...FULL, version: 7 }]) await upsertCase(stack, caseId, body);
    const rows = (await auditOf(stack, { action: 'case-registered' })).filter(
      ({ details }) => details.caseId === caseId,
    );
    expect(rows.map(({ details }) => details.fields)).toEqual([Object.keys(FULL).join(' ')]);
    expect(await caseOf(caseId)).toEqual({ ...STORED, version: '7' });
  });

  it('is shown with a suggestion: caseworker and team', async () => {
    const [caseId, letter] = [newCase(), randomUUID()];
    await upsertCase(stack, caseId, { caseworker: 'anna', team: 'team-1' });
    await registerSentMessage(stack, letter, { caseId });
    const id = await deliverReply(stack, [{ messageUUID: randomUUID(), replyUUID: letter }]);
    expect((await read(stack, id)).suggestion).toMatchObject({ caseId, caseworker: 'anna', team: 'team-1' });
  });

  it('no longer says where the case moved to when the core has opened it for a journalization', async () => {
    const caseId = newCase();
    await upsertCase(stack, caseId, { status: 'moved', movedTo: '33333333' });
    const id = await deliverMemo(stack);
    const body = { caseIds: [caseId], casesAreOpen: true };
    await change(stack, 'POST', `${id}/journalization`, { version: 1, body });
    expect(await caseOf(caseId)).toMatchObject({ status: 'open', moved_to: null });
  });
});

describe('the core’s version of a case', () => {
  it.each<[unknown, unknown]>([
    [7, 6],
    ['2026-11-20T08:00:00Z', '2026-11-20T08:59:59+01:00'],
    ['2026-11-20T08:00:00.000002Z', '2026-11-20T08:00:00.000001Z'],
    ['2026-11-20T08:00:00Z', 17],
  ])('%s keeps %s from changing anything, and tells so', async (newer, older) => {
    const caseId = newCase();
    await upsertCase(stack, caseId, { ...FULL, caseworker: 'anna', version: newer });
    const before = await caseOf(caseId);
    const problem = await expectProblem(
      await put(caseId, { ...FULL, caseworker: 'bo', version: older }),
      409,
      'older-version',
    );
    expect(problem.path).toBe('body.version');
    expect(await caseOf(caseId)).toEqual(before);
    await upsertCase(stack, caseId, { ...FULL, caseworker: 'bo', version: newer });
    expect(await caseOf(caseId)).toMatchObject({ caseworker: 'bo' });
  });

  it('stays when a call has none, which changes the case as ever', async () => {
    const caseId = newCase();
    await upsertCase(stack, caseId, { ...FULL, caseworker: 'anna', version: 7 });
    await upsertCase(stack, caseId, { caseworker: 'bo' });
    expect(await caseOf(caseId)).toMatchObject({ caseworker: 'bo', version: '7' });
    await expectProblem(await put(caseId, { ...FULL, caseworker: 'anna', version: 6 }), 409, 'older-version');
  });

  it('is the newest of many at once', async () => {
    for (const caseId of [newCase(), newCase(), newCase()]) {
      const versions = Array.from({ length: 12 }, (_, n) => n).sort(() => Math.random() - 0.5);
      const answers = await Promise.all(
        versions.map((version) => put(caseId, { ...FULL, caseworker: `caseworker-${version}`, version })),
      );
      expect(answers.map(({ status }) => status).filter((status) => status !== 204 && status !== 409)).toEqual([]);
      expect(await caseOf(caseId)).toMatchObject({ caseworker: 'caseworker-11', version: '11' });
    }
  });
});
