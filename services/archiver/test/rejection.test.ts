import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { auditOf, change, deliverMemo, expectProblem, read, SETUP } from '../../../shared/test/inbox/support.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});

afterAll(() => stack.close());

const reject = (id: string, version: number, body: object | null) =>
  stack.call('POST', `/incoming-documents/${id}/rejection`, { as: SETUP, version, body });

const reopen = (id: string, version: number) => change(stack, 'DELETE', `${id}/rejection`, { as: SETUP, version });

describe('rejecting', () => {
  it('stores the reason, the explanation, to whom it was forwarded, and whether the sender was informed', async () => {
    const id = await deliverMemo(stack);
    const rejection = {
      reason: 'wrong-department',
      explanation: 'Hører til i Teknik og Miljø.',
      forwardedTo: 'teknik@odenskov.example',
      senderInformed: true,
    };
    const response = await reject(id, 1, rejection);
    expect(await response.json()).toEqual({ id, status: 'rejected', version: 2 });
    expect(response.headers.get('etag')).toBe('"2"');
    expect(await read(stack, id, SETUP)).toMatchObject({
      status: 'rejected',
      rejection: { ...rejection, by: SETUP.user, at: expect.any(String) },
    });
  });

  it('requires an explanation only for the reason "other"', async () => {
    const id = await deliverMemo(stack);
    const problem = await expectProblem(await reject(id, 1, { reason: 'other' }), 400, 'bad-request');
    expect(problem).toMatchObject({
      path: 'body.explanation',
      detail: expect.stringContaining('when the reason is other'),
    });
    await expectProblem(await reject(id, 1, { reason: 'other', explanation: '  ' }), 400, 'bad-request');
    expect((await reject(id, 1, { reason: 'unreadable' })).status).toBe(200);
    expect((await read(stack, id)).rejection).toMatchObject({
      reason: 'unreadable',
      explanation: null,
      forwardedTo: null,
      senderInformed: null,
    });
  });

  it.each([
    [{}, 'body.reason'],
    [{ reason: 'because' }, 'body.reason'],
    [{ reason: 'unwanted', explanation: 'x'.repeat(2_001) }, 'body.explanation'],
    [{ reason: 'unwanted', explanation: 'NUL: \0' }, 'body.explanation'],
    [{ reason: 'unwanted', senderInformed: 'yes' }, 'body.senderInformed'],
    [{ reason: 'Unwanted' }, 'body.reason'],
    [{ reason: 'unwanted', explaination: 'because' }, 'body.explaination'],
    [{ reason: 'unwanted', explanation: null }, 'body.explanation'],
    [null, 'body'],
  ])('refuses %j', async (body, path) => {
    const id = await deliverMemo(stack);
    const problem = await expectProblem(await reject(id, 1, body), 400, 'bad-request');
    expect(problem.path).toBe(path);
    expect(problem.detail).not.toMatch(/because|xxxx/);
  });

  it('records the code of the reason in the audit log, never the explanation', async () => {
    const id = await deliverMemo(stack);
    await reject(id, 1, { reason: 'other', explanation: 'Test Æøåsen ringede' });
    const rows = await auditOf(stack, { messageId: id });
    expect(rows.at(-1)).toMatchObject({ action: 'rejected', actor: SETUP.user, details: { reason: 'other' } });
    expect(JSON.stringify(rows)).not.toContain('ringede');
  });

  it('refuses a message that is rejected already', async () => {
    const id = await deliverMemo(stack);
    await reject(id, 1, { reason: 'unwanted' });
    await expectProblem(await reject(id, 2, { reason: 'unwanted' }), 409, 'wrong-status');
    await expectProblem(await reject(id, 1, { reason: 'unreadable' }), 412, 'version-changed');
  });
});

describe('reopening', () => {
  it('makes a message pending again, and only the history shows the rejection', async () => {
    const id = await deliverMemo(stack);
    await reject(id, 1, { reason: 'other', explanation: 'Fejl', forwardedTo: 'x', senderInformed: false });
    expect(await reopen(id, 2)).toEqual({ id, status: 'pending', version: 3 });
    const message = await read(stack, id);
    expect(message).toMatchObject({ status: 'pending', rejection: null, heldCause: null });
    expect(message.history.map(({ action }) => action)).toEqual(['accepted', 'rejected', 'reopened']);
    const [row] = await stack.sql(
      `SELECT status_before, rejection_reason, rejection_text, forwarded_to, sender_informed
       FROM messages JOIN message_details ON id = message_id WHERE id = $1`,
      [id],
    );
    expect(Object.values(row as object)).toEqual([null, null, null, null, null]);
  });

  it('makes a held message held again, with its cause', async () => {
    const id = await deliverMemo(stack);
    await stack.sql(`UPDATE messages SET status = 'held', held_cause = 'enquiries-off' WHERE id = $1`, [id]);
    await reject(id, 1, { reason: 'unwanted' });
    expect(await read(stack, id, SETUP)).toMatchObject({ status: 'rejected', heldCause: 'enquiries-off' });
    expect(await reopen(id, 2)).toMatchObject({ status: 'held' });
    expect(await read(stack, id, SETUP)).toMatchObject({ status: 'held', heldCause: 'enquiries-off' });
  });

  it('refuses a message that is not rejected', async () => {
    const id = await deliverMemo(stack);
    const response = await stack.call('DELETE', `/incoming-documents/${id}/rejection`, { version: 1 });
    await expectProblem(response, 409, 'wrong-status');
  });
});
