import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestStack, type TestStack, type TokenOptions } from '../../../infra/src/testkit/stack.js';
import {
  auditOf,
  deliverMemo,
  expectProblem,
  list,
  read,
  SYSTEM,
  upsertCase,
} from '../../../shared/test/inbox/support.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});

afterAll(() => stack.close());

const LEADER: TokenOptions = {
  user: 'leader',
  roles: ['IndkomneDokumenter.Læs', 'IndkomneDokumenter.SeAlle', 'IndkomneDokumenter.Tildel'],
};
const ANNA: TokenOptions = { user: 'anna', roles: ['IndkomneDokumenter.Læs'], teams: ['team-1'] };
const BO: TokenOptions = { user: 'bo', roles: ['IndkomneDokumenter.Læs', 'IndkomneDokumenter.SeAlle'] };

const assign = (id: string, version: number, assignee: object, as = LEADER) =>
  stack.call('PUT', `/incoming-documents/${id}/assignment`, { as, version, body: { assignee } });
const unassign = (id: string, version: number, as: TokenOptions) =>
  stack.call('DELETE', `/incoming-documents/${id}/assignment`, { as, version });

describe('an assigned message', () => {
  it.each([
    ['caseworker', { kind: 'user', id: 'anna' }],
    ['team', { kind: 'team', id: 'team-1' }],
  ])('is visible to its %s, to whom it was not before', async (_whose, assignee) => {
    const id = await deliverMemo(stack);
    await expectProblem(await stack.call('GET', `/incoming-documents/${id}`, { as: ANNA }), 404, 'not-found');

    const answer = await assign(id, 1, assignee);

    expect(await answer.json()).toEqual({ id, status: 'pending', version: 2 });
    expect((await read(stack, id, ANNA)).assignee).toEqual(assignee);
    expect((await list(stack, '?assignee=me&limit=200', ANNA)).items.map((item) => item.id)).toContain(id);
  });

  it('can be handed back without the role Tildel by its assignee only', async () => {
    const id = await deliverMemo(stack);
    await assign(id, 1, { kind: 'user', id: 'anna' });

    await expectProblem(await unassign(id, 2, BO), 403, 'role-missing');
    const answer = await unassign(id, 2, ANNA);

    expect(answer.status).toBe(200);
    expect((await read(stack, id, LEADER)).assignee).toBeNull();
    const actions = (await auditOf(stack, { messageId: id })).map(({ action, actor }) => `${action} by ${actor}`);
    expect(actions).toEqual(expect.arrayContaining(['assigned by leader', 'refused by bo', 'unassigned by anna']));
    const problem = await expectProblem(await unassign(id, 3, LEADER), 409, 'wrong-status');
    expect(problem.detail).toBe(
      'The message is assigned to nobody; the caller may make these changes now: assigned, concern-marked.',
    );
  });

  it.each(['me', 'none', ' me ', 'an\u0001na', 'an\ufffdna'])(
    'is not assigned to %j, which is nobody’s id',
    async (user) => {
      const id = await deliverMemo(stack);
      const problem = await expectProblem(await assign(id, 1, { kind: 'user', id: user }), 400, 'bad-request');
      expect(problem.path).toBe('body.assignee.id');
    },
  );

  it.each(['me', 'none'])(
    'is not for the caseworker %j of a case, nor of such a colleague, for the same reason',
    async (user) => {
      const registered = await stack.call('PUT', '/cases/K-1', { as: SYSTEM, body: { caseworker: user } });
      expect((await expectProblem(registered, 400, 'bad-request')).path).toBe('body.caseworker');
      const searched = await stack.call('POST', '/incoming-documents/search', {
        as: LEADER,
        body: { view: 'absent', colleagues: [user] },
      });
      expect((await expectProblem(searched, 400, 'bad-request')).path).toBe('body.colleagues.0');
    },
  );

  it('has an event that names its assignee', async () => {
    const id = await deliverMemo(stack);
    await assign(id, 1, { kind: 'team', id: 'team-1' });
    await unassign(id, 2, LEADER);
    const events = await stack.sql(
      'SELECT type, details FROM events WHERE message_id = $1 AND version > 1 ORDER BY version',
      [id],
    );
    expect(events).toEqual([
      { type: 'assigned', details: { assigneeKind: 'team', assigneeId: 'team-1' } },
      { type: 'unassigned', details: {} },
    ]);
  });

  it('cannot be assigned by a caller who does not see it, at another version, or once journalized', async () => {
    const id = await deliverMemo(stack);
    const blind: TokenOptions = { user: 'blind', roles: ['IndkomneDokumenter.Læs', 'IndkomneDokumenter.Tildel'] };
    await expectProblem(await assign(id, 1, { kind: 'user', id: 'blind' }, blind), 404, 'not-found');
    await expectProblem(await assign(id, 7, { kind: 'user', id: 'anna' }), 412, 'version-changed');
    await upsertCase(stack, 'K-1');
    await stack.call('POST', `/incoming-documents/${id}/journalization`, { version: 1, body: { caseIds: ['K-1'] } });
    await expectProblem(await assign(id, 2, { kind: 'user', id: 'anna' }), 409, 'wrong-status');
  });

  it.each([
    [{}, 'body.assignee'],
    [{ assignee: null }, 'body.assignee'],
    [{ assignee: { kind: 'user' } }, 'body.assignee.id'],
    [{ assignee: { kind: 'User', id: 'anna' } }, 'body.assignee.kind'],
    [{ assignee: { kind: 'user', id: 'anna', name: 'x' } }, 'body.assignee.name'],
    [{ assignee: { kind: 'user', id: 'anna' }, note: 'x' }, 'body.note'],
    [{ assignee: { kind: 'user', id: 'anna' }, 'cpr 4101019999': 'x' }, 'body'],
  ])('is refused with the body %j', async (body, path) => {
    const id = await deliverMemo(stack);
    const response = await stack.call('PUT', `/incoming-documents/${id}/assignment`, { as: LEADER, version: 1, body });
    const problem = await expectProblem(response, 400, 'bad-request');
    expect(problem.path).toBe(path);
    expect(JSON.stringify(problem)).not.toContain('4101019999');
  });
});
