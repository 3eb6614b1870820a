import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { textDocument } from '../../../infra/src/testkit/write-memo.js';
import { deliverMemo, expectProblem, list, read, SETUP } from '../../../shared/test/inbox/support.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});

afterAll(() => stack.close());

/** The second message with one id and other content. */
async function takeInConflict(): Promise<string> {
  const messageUUID = randomUUID();
  await deliverMemo(stack, { messageUUID });
  return deliverMemo(stack, { messageUUID, documents: [textDocument('Noget andet')] });
}

const release = (id: string, version: number, as = SETUP) =>
  stack.call('POST', `/incoming-documents/${id}/release`, { as, version });

it('a released message is in the inbox, without a cause', async () => {
  const id = await takeInConflict();
  expect((await read(stack, id, SETUP)).heldCause).toBe('conflict');

  const answer = await release(id, 1);

  expect(await answer.json()).toEqual({ id, status: 'pending', version: 2 });
  const message = await read(stack, id);
  expect([message.status, message.heldCause]).toEqual(['pending', null]);
  expect((await list(stack, '?limit=200')).items.map((item) => item.id)).toContain(id);
});

it('only set-up and operations may release, and only a held message can be released', async () => {
  const id = await takeInConflict();
  await expectProblem(
    await stack.call('POST', `/incoming-documents/${id}/release`, { version: 1 }),
    403,
    'role-missing',
  );
  await release(id, 1);
  await expectProblem(await release(id, 2), 409, 'wrong-status');
});
