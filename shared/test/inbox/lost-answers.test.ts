// @module-tag long
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendingOn } from '../../../infra/src/testkit/sending-on.js';
import {
  CASEWORKER_ROLES,
  ODENSKOV,
  startTestStack,
  type TestStack,
  type TokenOptions,
} from '../../../infra/src/testkit/stack.js';
import { signToken } from '../access/sign.js';
import {
  arrangeFor,
  assign,
  CASES,
  CHANGES,
  type Change,
  deleteForGood,
  journalize,
  reject,
  send as sendTo,
  writtenOf,
} from './changes.js';
import {
  awaitSuggestion,
  change,
  deliverMemo,
  deliverReply,
  expectProblem,
  read,
  registerSentMessage,
  SETUP,
  upsertCase,
} from './support.js';

// A caller whose answer was lost sends the same change again.

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack(sendingOn);
  for (const caseId of CASES) await upsertCase(stack, caseId);
});

afterAll(() => stack.close());

const send = (id: string, changed: Change, version: number, as?: TokenOptions, headers?: Record<string, string>) =>
  sendTo(stack, id, changed, version, as, headers);

describe.each(CHANGES)('$name again', (example) => {
  const { before = [], change: changed, status, others = [] } = example;
  const version = before.length + 1;

  const ready = () => arrangeFor(stack, example);

  it('gives the first answer, and writes nothing', async () => {
    const id = await ready();
    const first = await send(id, changed, version);
    const answer = await first.json();
    expect([first.status, answer]).toEqual([200, { id, status, version: version + 1 }]);
    const written = await writtenOf(stack, id);

    const again = await send(id, changed, version);

    expect([again.status, again.headers.get('etag'), await again.json()]).toEqual([200, `"${version + 1}"`, answer]);
    expect(await writtenOf(stack, id)).toEqual(written);
  });

  it('at the same time gives everyone the first answer, once written', async () => {
    const id = await ready();
    const answers = await Promise.all(Array.from({ length: 5 }, () => send(id, changed, version)));
    expect(await Promise.all(answers.map((each) => each.json()))).toEqual(
      Array(5).fill({ id, status, version: version + 1 }),
    );
    const events = await stack.sql('SELECT FROM events WHERE message_id = $1', [id]);
    expect(events).toHaveLength(version + 1);
  });

  it('by another caller, on behalf of another, or at another version is refused', async () => {
    const id = await ready();
    await send(id, changed, version);
    const refused = status === 'deleted' ? [404, 'not-found'] : [412, 'version-changed'];
    const { user: sub, roles } = SETUP;
    for (const claims of [{ sub: 'setup-2' }, { sub, on_behalf_of: 'setup-2' }, { sub, system: true }]) {
      const token = await signToken(stack.env, { municipality: ODENSKOV, roles, ...claims });
      const response = await send(id, changed, version, SETUP, { authorization: `Bearer ${token}` });
      expect([response.status, ((await response.json()) as { code: string }).code]).toEqual(refused);
    }
    for (const other of [version - 1, version + 2].filter((each) => each > 0)) {
      expect([404, 412]).toContain((await send(id, changed, other)).status);
    }
  });

  it.skipIf(others.length === 0)('with other content is refused', async () => {
    const id = await ready();
    await send(id, changed, version);
    for (const body of others) {
      await expectProblem(await send(id, { ...changed, body }, version), 412, 'version-changed');
    }
  });
});

it('a repeat gets the first answer also after a suggestion, but not after another change', async () => {
  const uuid = randomUUID();
  const id = await deliverReply(stack, [{ messageUUID: uuid }]);
  const first = await (await send(id, assign, 1)).json();
  await registerSentMessage(stack, uuid, { caseId: 'C' });
  await awaitSuggestion(stack, id);
  expect(await read(stack, id)).toMatchObject({ version: 3, suggestion: { caseId: 'C' } });

  const again = await send(id, assign, 1);

  expect([again.status, again.headers.get('etag'), await again.json()]).toEqual([200, '"2"', first]);
  await send(id, { method: 'DELETE', path: 'assignment' }, 3);
  await expectProblem(await send(id, assign, 1), 412, 'version-changed');
});

it('the same cases in another order are the same journalization', async () => {
  const id = await deliverMemo(stack);
  const answers = [];
  for (const caseIds of [
    ['C', 'A'],
    ['A', 'C', 'A'],
  ]) {
    const answer = await send(id, { ...journalize, body: { caseIds } }, 1);
    answers.push([answer.status, await answer.json()]);
  }
  expect(answers).toEqual(Array(2).fill([200, { id, status: 'journalized', version: 2 }]));
});

it('a repeat reaches those who no longer see the message: who gave it back, released it or deleted it', async () => {
  const anna: TokenOptions = { user: 'anna', roles: ['IndkomneDokumenter.Læs'] };
  const released: TokenOptions = { user: 'setup-9', roles: ['Indbakke.Opsætning'] };
  const mine = await deliverMemo(stack);
  await send(mine, assign, 1);
  const held = await deliverMemo(stack);
  await stack.sql(`UPDATE messages SET status = 'held', held_cause = 'enquiries-off' WHERE id = $1`, [held]);
  for (const [id, changed, version, as] of [
    [mine, { method: 'DELETE', path: 'assignment' }, 2, anna],
    [held, { method: 'POST', path: 'release' }, 1, released],
  ] as const) {
    const answers = [await send(id, changed, version, as), await send(id, changed, version, as)];
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    await expectProblem(await stack.call('GET', `/incoming-documents/${id}`, { as }), 404, 'not-found');
  }
});

it('a repeat requires the role still', async () => {
  const id = await deliverMemo(stack);
  await send(id, journalize, 1);
  const as = { ...SETUP, roles: CASEWORKER_ROLES.filter((role) => role !== 'IndkomneDokumenter.Journaliser') };
  await expectProblem(await send(id, journalize, 1, as), 403, 'role-missing');
});

it('of 100 callers with one version, one succeeds and the others are told that the version has changed', async () => {
  const id = await deliverMemo(stack);
  const callers = Array.from({ length: 100 }, (_, n) => ({ ...SETUP, user: `caseworker-${n}` }));
  const statuses = await Promise.all(callers.map(async (as) => (await send(id, journalize, 1, as)).status));
  expect(statuses.toSorted()).toEqual([200, ...Array(99).fill(412)]);
  expect(
    await change(stack, 'DELETE', `${id}/journalization`, { version: 2, body: { reason: 'other' } }),
  ).toMatchObject({ version: 3 });
});

it('a deleted message is answered to nobody else, and a message that never was to nobody', async () => {
  const id = await deliverMemo(stack);
  await send(id, reject, 1);
  await send(id, deleteForGood, 2);
  for (const changed of [deleteForGood, journalize]) {
    await expectProblem(await send(id, changed, 2, { ...SETUP, user: 'another' }), 404, 'not-found');
    await expectProblem(await send(randomUUID(), changed, 2), 404, 'not-found');
  }
});
