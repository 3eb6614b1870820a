import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestStack, type TestStack, type TokenOptions, VESTERSUND } from '../../../infra/src/testkit/stack.js';
import {
  auditOf,
  change,
  deliverMemo,
  deliverReply,
  expectProblem,
  list,
  read,
  registerSentMessage,
  SETUP,
  SYSTEM,
  upsertCase,
} from '../../../shared/test/inbox/support.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});

afterAll(() => stack.close());

const DAY = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * DAY).toISOString();
const reader = (user: string, ...more: string[]): TokenOptions => ({
  user,
  roles: ['IndkomneDokumenter.Læs', ...more],
});
const put = (userId: string, body: object, as: TokenOptions = SYSTEM) =>
  stack.call('PUT', `/absences/${encodeURIComponent(userId)}`, { as, body });

async function stand(userId: string, substitute: string, from = inDays(-1), until = inDays(1)): Promise<void> {
  const response = await put(userId, { substitute, from, until });
  expect(response.status, await response.clone().text()).toBe(204);
}

/** Messages of a user: assigned, and suggested for a case. */
async function messagesOf(user: string): Promise<{ assigned: string; owned: string; caseId: string }> {
  const [caseId, letter] = [`K-${randomUUID()}`, randomUUID()];
  await upsertCase(stack, caseId, { caseworker: user });
  await registerSentMessage(stack, letter, { caseId });
  const assigned = await deliverMemo(stack);
  const body = { assignee: { kind: 'user', id: user } };
  expect((await stack.call('PUT', `/incoming-documents/${assigned}/assignment`, { version: 1, body })).status).toBe(
    200,
  );
  return { assigned, owned: await deliverReply(stack, [{ messageUUID: randomUUID(), replyUUID: letter }]), caseId };
}

const idsIn = async (as: TokenOptions, query = '') =>
  (await list(stack, query, as)).items.map(({ id }) => id).toSorted();

describe('a substitute', () => {
  it('has what is the absent user’s in the own list, in the period and no longer', async () => {
    const [absent, substitute] = [`a-${randomUUID()}`, `s-${randomUUID()}`];
    const { assigned, owned } = await messagesOf(absent);
    const as = reader(substitute);
    const both = [assigned, owned].toSorted();
    expect(await idsIn(as)).toEqual([]);
    await stand(absent, substitute);
    expect(await idsIn(as)).toEqual(both);
    for (const [query, ids] of [
      ['?assignee=me', [assigned]],
      ['?view=assigned', [assigned]],
      ['?owner=me', [owned]],
      ['?view=mine', [owned]],
      ['?sort=-letterAt', both],
    ] as const) {
      expect(await idsIn(as, query), query).toEqual(ids);
      expect(await idsIn(reader(substitute, 'IndkomneDokumenter.SeAlle'), query), query).toEqual(
        expect.arrayContaining([...ids]),
      );
    }
    for (const id of both) expect((await read(stack, id, as)).id).toBe(id);
    expect((await auditOf(stack, { messageId: assigned })).at(-1)).toMatchObject({ action: 'read', actor: substitute });
    expect(await idsIn(reader(absent))).toEqual(both);
    for (const [from, until] of [
      [inDays(-2), inDays(-1)],
      [inDays(1), inDays(2)],
    ] as const) {
      await stand(absent, substitute, from, until);
      expect(await idsIn(as)).toEqual([]);
      await expectProblem(await stack.call('GET', `/incoming-documents/${assigned}`, { as }), 404, 'not-found');
      await stand(absent, substitute);
      expect(await idsIn(as)).toEqual(both);
    }
    expect((await stack.call('DELETE', `/absences/${absent}`, { as: SYSTEM })).status).toBe(204);
    expect(await idsIn(as)).toEqual([]);
  });

  it('does not see what is restricted to others, nor what the absent user’s teams have', async () => {
    const [absent, substitute] = [`a-${randomUUID()}`, `s-${randomUUID()}`];
    const { assigned, owned, caseId } = await messagesOf(absent);
    await stand(absent, substitute);
    await upsertCase(stack, caseId, { restrictedTo: [absent] });
    expect(await idsIn(reader(substitute))).toEqual([assigned]);
    await upsertCase(stack, caseId, { restrictedTo: [substitute] });
    expect(await idsIn(reader(substitute))).toEqual([assigned, owned].toSorted());
  });

  it('of a substitute sees nothing of the first one: no chain is followed, and a circle harms nobody', async () => {
    const [first, second, third] = [`1-${randomUUID()}`, `2-${randomUUID()}`, `3-${randomUUID()}`];
    const ofFirst = Object.values(await messagesOf(first)).slice(0, 2);
    const ofSecond = Object.values(await messagesOf(second)).slice(0, 2);
    await stand(first, second);
    await stand(second, third);
    await stand(third, first);
    expect(await idsIn(reader(second))).toEqual([...ofFirst, ...ofSecond].toSorted());
    expect(await idsIn(reader(third))).toEqual(ofSecond.toSorted());
    expect(await idsIn(reader(first))).toEqual(ofFirst.toSorted());
  });

  it('cannot hand back for the absent user without the role to assign', async () => {
    const [absent, substitute] = [`a-${randomUUID()}`, `s-${randomUUID()}`];
    const { assigned } = await messagesOf(absent);
    await stand(absent, substitute);
    const call = { as: reader(substitute), version: 2 };
    expect((await read(stack, assigned, call.as)).allowed).not.toContain('unassigned');
    await expectProblem(
      await stack.call('DELETE', `/incoming-documents/${assigned}/assignment`, call),
      403,
      'role-missing',
    );
    await change(stack, 'DELETE', `${assigned}/assignment`, { as: reader(absent), version: 2 });
  });

  it('is one of the same municipality', async () => {
    const [absent, substitute] = [`a-${randomUUID()}`, `s-${randomUUID()}`];
    await messagesOf(absent);
    const body = { substitute, from: inDays(-1), until: inDays(1) };
    expect((await put(absent, body, { ...SYSTEM, municipality: VESTERSUND })).status).toBe(204);
    expect(await idsIn(reader(substitute))).toEqual([]);
    await expectProblem(await stack.call('GET', `/absences/${absent}`, { as: SYSTEM }), 404, 'not-found');
  });
});

describe('an absence', () => {
  it('is set, read and removed by its user, who sees and distributes all post, and the core; by nobody else', async () => {
    const user = 'søren æ/ø';
    const path = `/absences/${encodeURIComponent(user)}`;
    const body = { substitute: 'bo', until: inDays(3) };
    const own = reader(user);
    const distributor = { user: 'fordeler', roles: ['IndkomneDokumenter.Tildel', 'IndkomneDokumenter.SeAlle'] };
    for (const as of [own, distributor, SYSTEM]) {
      expect((await stack.call('PUT', path, { as, body })).status).toBe(204);
      const answer = (await (await stack.call('GET', path, { as })).json()) as Record<string, string>;
      expect(answer).toMatchObject({ userId: user, substitute: 'bo', until: body.until, setBy: as.user });
      expect(Date.now() - Date.parse(answer.from as string)).toBeLessThan(60_000);
      expect((await stack.call('DELETE', path, { as })).status).toBe(204);
      await expectProblem(await stack.call('GET', path, { as }), 404, 'not-found');
      await expectProblem(await stack.call('DELETE', path, { as }), 404, 'not-found');
    }
    // Who may assign, but sees the own mail only, would see everybody’s as a substitute.
    for (const as of [reader('another'), reader('another', 'IndkomneDokumenter.Tildel')])
      for (const method of ['PUT', 'GET', 'DELETE']) {
        const call = { as, ...(method === 'PUT' && { body: { ...body, substitute: 'another' } }) };
        await expectProblem(await stack.call(method, path, call), 403, 'role-missing');
      }
    const set = (await auditOf(stack, { action: 'absence-set' })).filter(({ details }) => details.userId === user);
    expect(set.map(({ actor, details }) => [actor, details.substitute])).toEqual(
      [user, 'fordeler', SYSTEM.user].map((actor) => [actor, 'bo']),
    );
  });

  it.each([
    ['body.substitute', { substitute: 'anna', until: inDays(1) }],
    ['body.substitute', { substitute: 'me', until: inDays(1) }],
    ['body.until', { substitute: 'bo', until: inDays(-1) }],
    ['body.until', { substitute: 'bo', from: inDays(2), until: inDays(1) }],
    ['body.until', { substitute: 'bo' }],
    ['body.from', { substitute: 'bo', from: 'today', until: inDays(1) }],
  ])('is refused at %s when it is %j', async (path, body) => {
    expect((await expectProblem(await put('anna', body), 400, 'bad-request')).path).toBe(path);
  });

  it('of many at once is one of them, whole', async () => {
    const user = `a-${randomUUID()}`;
    const bodies = Array.from({ length: 8 }, (_, n) => ({
      substitute: `s-${n}`,
      from: inDays(n),
      until: inDays(n + 1),
    }));
    await Promise.all(bodies.map((body) => put(user, body, SETUP)));
    const answer = await (await stack.call('GET', `/absences/${user}`, { as: SYSTEM })).json();
    expect(bodies.map((body) => ({ ...body, userId: user, setBy: SETUP.user }))).toContainEqual(answer);
  });
});
