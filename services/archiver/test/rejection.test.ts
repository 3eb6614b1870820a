import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DELETION } from '../../../infra/src/testkit/inbox-client.js';
import { ODENSKOV, startTestStack, type TestStack, VESTERSUND } from '../../../infra/src/testkit/stack.js';
import { auditOf, change, deliverMemo, expectProblem, read, SETUP } from '../../../shared/test/inbox/support.js';

let stack: TestStack;

const ROADS = 'teknik-og-miljoe';
const CLOSED = 'nedlagt';

beforeAll(async () => {
  stack = await startTestStack();
  await addDepartment(ROADS, 'Teknik og Miljø');
  await addDepartment(CLOSED, 'Nedlagt', { isActive: false });
});

afterAll(() => stack.close());

async function addDepartment(id: string, name: string, rest: object = {}, municipality = ODENSKOV): Promise<void> {
  const body = { id, name, ...rest };
  expect((await stack.call('POST', '/departments', { as: { ...SETUP, municipality }, body })).status).toBe(200);
}

const reject = (id: string, version: number, body: object | null) =>
  stack.call('POST', `/incoming-documents/${id}/rejection`, { as: SETUP, version, body });

const UNWANTED = { reason: 'unwanted', explanation: 'Reklame' };

const tell = (id: string, version: number, body: object | null, headers: Record<string, string> = {}) =>
  stack.call('PUT', `/incoming-documents/${id}/rejection/outcome`, { as: SETUP, version, body, headers });

const reopen = (id: string, version: number) => change(stack, 'DELETE', `${id}/rejection`, { as: SETUP, version });

/** A message that was rejected, in version 2. */
async function rejected(): Promise<string> {
  const id = await deliverMemo(stack);
  expect((await reject(id, 1, UNWANTED)).status).toBe(200);
  return id;
}

const outcomeOf = async (id: string) => (await read(stack, id, SETUP)).rejection?.outcome;
const TOLD = { by: SETUP.user, at: expect.any(String) };

describe('rejecting', () => {
  it('stores the reason and the explanation, and what became of the message', async () => {
    const id = await deliverMemo(stack);
    const rejection = { reason: 'wrong-department', explanation: 'Hører til i Teknik og Miljø.' };
    const outcome = { forwardedTo: { departmentId: ROADS }, senderInformed: true };
    const response = await reject(id, 1, { ...rejection, outcome });
    expect(await response.json()).toEqual({ id, status: 'rejected', version: 2 });
    expect(response.headers.get('etag')).toBe('"2"');
    expect(await read(stack, id, SETUP)).toMatchObject({
      status: 'rejected',
      rejection: {
        ...rejection,
        outcome: {
          forwardedTo: { departmentId: ROADS, name: 'Teknik og Miljø' },
          senderInformed: true,
          nothingToDo: false,
          ...TOLD,
        },
        by: SETUP.user,
        at: expect.any(String),
      },
    });
  });

  it.each(['wrong-municipality', 'wrong-department', 'not-for-us', 'unreadable', 'duplicate', 'unwanted', 'other'])(
    'requires an explanation for the reason "%s"',
    async (reason) => {
      const id = await deliverMemo(stack);
      const problem = await expectProblem(await reject(id, 1, { reason }), 400, 'bad-request');
      expect(problem.path).toBe('body.explanation');
      expect((await reject(id, 1, { reason, explanation: 'Nej' })).status).toBe(200);
      expect((await read(stack, id)).rejection).toMatchObject({ reason, explanation: 'Nej', outcome: null });
    },
  );

  it.each([
    ['Nej', 'Nej'],
    [`  ${'ø'.repeat(1_000)}\n`, 'ø'.repeat(1_000)],
  ])('counts the characters of an explanation without the white space around it', async (explanation, stored) => {
    const id = await deliverMemo(stack);
    expect((await reject(id, 1, { reason: 'other', explanation })).status).toBe(200);
    expect((await read(stack, id)).rejection?.explanation).toBe(stored);
  });

  it.each([
    [{}, 'body.reason'],
    [{ reason: 'because', explanation: 'Reklame' }, 'body.reason'],
    [{ reason: 'unwanted', explanation: 'x'.repeat(1_001) }, 'body.explanation'],
    [{ reason: 'unwanted', explanation: '  ja  ' }, 'body.explanation'],
    [{ reason: 'unwanted', explanation: '    ' }, 'body.explanation'],
    [{ reason: 'unwanted', explanation: 'NUL: \0' }, 'body.explanation'],
    [{ reason: 'Unwanted', explanation: 'Reklame' }, 'body.reason'],
    [{ ...UNWANTED, explaination: 'because' }, 'body.explaination'],
    [{ reason: 'unwanted', explanation: null }, 'body.explanation'],
    [{ ...UNWANTED, senderInformed: true }, 'body.senderInformed'],
    [{ ...UNWANTED, outcome: {} }, 'body.outcome'],
    [{ ...UNWANTED, outcome: { forwardedTo: { departmentId: 'x y' } } }, 'body.outcome.forwardedTo.departmentId'],
    [null, 'body'],
  ])('refuses %j', async (body, path) => {
    const id = await deliverMemo(stack);
    const problem = await expectProblem(await reject(id, 1, body), 400, 'bad-request');
    expect(problem.path).toBe(path);
    expect(problem.detail).not.toMatch(/because|xxxx/);
  });

  it.each(['ukendt', CLOSED])(
    'refuses to send a message on to a department that takes none: %s',
    async (departmentId) => {
      const id = await deliverMemo(stack);
      const outcome = { forwardedTo: { departmentId } };
      const problem = await expectProblem(await reject(id, 1, { ...UNWANTED, outcome }), 409, 'unknown-department');
      expect(problem.path).toBe('body.outcome.forwardedTo.departmentId');
      expect(await read(stack, id)).toMatchObject({ status: 'pending', version: 1 });
    },
  );

  it('refuses a department of another municipality', async () => {
    await addDepartment('deres', 'Deres', {}, VESTERSUND);
    const id = await rejected();
    const response = await tell(id, 2, { forwardedTo: { departmentId: 'deres' } });
    expect((await expectProblem(response, 409, 'unknown-department')).path).toBe('body.forwardedTo.departmentId');
  });

  it('records codes in the audit log and the event, never the explanation or a name', async () => {
    const id = await deliverMemo(stack);
    const outcome = { forwardedTo: { name: 'Test Æøåsens afdeling' }, senderInformed: true };
    await reject(id, 1, { reason: 'other', explanation: 'Test Æøåsen ringede', outcome });
    await tell(id, 2, { forwardedTo: { departmentId: ROADS } });
    await tell(id, 3, { nothingToDo: true });
    const rows = await auditOf(stack, { messageId: id });
    expect(rows.slice(-3)).toMatchObject([
      {
        action: 'rejected',
        actor: SETUP.user,
        details: { reason: 'other', sentOn: true, senderInformed: true },
      },
      { action: 'outcome-told', details: { sentOn: true, departmentId: ROADS } },
      { action: 'outcome-told', details: { nothingToDo: true } },
    ]);
    const events = await stack.sql('SELECT type, details FROM events WHERE message_id = $1 ORDER BY version', [id]);
    expect(events.at(-2)).toEqual({ type: 'outcome-told', details: { sentOn: true, departmentId: ROADS } });
    expect(JSON.stringify([rows, events])).not.toMatch(/ringede|Æøåsen/);
  });

  it('refuses a message that is rejected already', async () => {
    const id = await rejected();
    await expectProblem(await reject(id, 2, UNWANTED), 409, 'wrong-status');
    await expectProblem(await reject(id, 1, { ...UNWANTED, reason: 'unreadable' }), 412, 'version-changed');
  });
});

describe('the outcome of a rejection', () => {
  it('is open until it is told, and may be told anew', async () => {
    const id = await rejected();
    expect(await outcomeOf(id)).toBeNull();
    expect((await read(stack, id, SETUP)).allowed).toContain('outcome-told');

    const sentOn = await tell(id, 2, { forwardedTo: { departmentId: ROADS.toUpperCase() } });
    expect(await sentOn.json()).toEqual({ id, status: 'rejected', version: 3 });
    expect(await outcomeOf(id)).toEqual({
      forwardedTo: { departmentId: ROADS, name: 'Teknik og Miljø' },
      senderInformed: false,
      nothingToDo: false,
      ...TOLD,
    });
    await tell(id, 3, { forwardedTo: { name: ' Odenskov Kommune ' }, senderInformed: false });
    expect(await outcomeOf(id)).toMatchObject({ forwardedTo: { departmentId: null, name: 'Odenskov Kommune' } });
    await tell(id, 4, { senderInformed: true });
    expect(await outcomeOf(id)).toMatchObject({ forwardedTo: null, senderInformed: true, nothingToDo: false });
    await tell(id, 5, { nothingToDo: true });
    expect(await outcomeOf(id)).toMatchObject({ forwardedTo: null, senderInformed: false, nothingToDo: true });
    const { rejection, history } = await read(stack, id, SETUP);
    expect(rejection).toMatchObject(UNWANTED);
    expect(history.map(({ action }) => action)).toEqual(['accepted', 'rejected', ...Array(4).fill('outcome-told')]);
  });

  it.each([
    [{}, 'body'],
    [{ senderInformed: false }, 'body'],
    [{ nothingToDo: true, senderInformed: true }, 'body'],
    [{ nothingToDo: true, forwardedTo: { name: 'Teknik' } }, 'body'],
    [{ nothingToDo: false }, 'body.nothingToDo'],
    [{ senderInformed: 'yes' }, 'body.senderInformed'],
    [{ forwardedTo: {} }, 'body.forwardedTo'],
    [{ forwardedTo: { departmentId: ROADS, name: 'Teknik' } }, 'body.forwardedTo'],
    [{ forwardedTo: 'Teknik' }, 'body.forwardedTo'],
    [{ forwardedTo: { name: '' } }, 'body.forwardedTo.name'],
    [{ forwardedTo: { name: 'x'.repeat(257) } }, 'body.forwardedTo.name'],
    [{ forwardedTo: { department: ROADS } }, 'body.forwardedTo.department'],
    [{ nothingToDo: true, note: 'x' }, 'body.note'],
    [null, 'body'],
  ])('that is %j is refused', async (body, path) => {
    const id = await rejected();
    expect((await expectProblem(await tell(id, 2, body), 400, 'bad-request')).path).toBe(path);
    expect(await outcomeOf(id)).toBeNull();
  });

  it('is of rejected messages only, and of the version that was read', async () => {
    const id = await deliverMemo(stack);
    await expectProblem(await tell(id, 1, { nothingToDo: true }), 409, 'wrong-status');
    await reject(id, 1, UNWANTED);
    await expectProblem(await tell(id, 1, { nothingToDo: true }), 412, 'version-changed');
  });

  it('is told by who may reject, of a message that they see', async () => {
    const id = await rejected();
    const body = { nothingToDo: true };
    const by = (roles: string[], user = 'another') =>
      stack.call('PUT', `/incoming-documents/${id}/rejection/outcome`, { as: { user, roles }, version: 2, body });
    await expectProblem(await by(['IndkomneDokumenter.Læs', 'DigitalPost.Slet']), 403, 'role-missing');
    await expectProblem(await by(['IndkomneDokumenter.Læs', 'IndkomneDokumenter.Afvis']), 404, 'not-found');
  });

  it('is told once for a repeat, with an Idempotency-Key whatever came after', async () => {
    const id = await rejected();
    const body = { forwardedTo: { name: 'Odenskov Kommune' } };
    const key = { 'idempotency-key': randomUUID() };
    const first = await (await tell(id, 2, body, key)).json();
    expect(await (await tell(id, 2, body)).json()).toEqual(first);
    await expectProblem(await tell(id, 2, { forwardedTo: { name: 'En anden' } }), 412, 'version-changed');
    await tell(id, 3, { nothingToDo: true });
    const again = await tell(id, 2, body, key);
    expect(await again.json()).toEqual(first);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(await outcomeOf(id)).toMatchObject({ nothingToDo: true });
  });

  it('shows the name of a department that was removed since', async () => {
    await addDepartment('flyttet', 'Flyttet afdeling');
    const id = await rejected();
    await tell(id, 2, { forwardedTo: { departmentId: 'flyttet' } });
    expect((await stack.call('DELETE', '/departments/flyttet', { as: SETUP, version: 1 })).status).toBe(200);
    expect(await outcomeOf(id)).toMatchObject({ forwardedTo: { departmentId: 'flyttet', name: 'Flyttet afdeling' } });
    await expectProblem(
      await tell(id, 3, { forwardedTo: { departmentId: 'flyttet' }, senderInformed: true }),
      409,
      'unknown-department',
    );
  });

  it('stays in the tombstone as ids and times, without a name', async () => {
    const id = await rejected();
    await tell(id, 2, { forwardedTo: { departmentId: ROADS } });
    const as = { user: 'deleter', roles: [...(SETUP.roles ?? []), 'DigitalPost.Slet'] };
    const deleted = await stack.call('POST', `/incoming-documents/${id}/deletion`, { as, version: 3, body: DELETION });
    expect(deleted.status, await deleted.clone().text()).toBe(200);
    const [row] = await stack.sql(
      'SELECT status, outcome_by, outcome_department_id AS department FROM messages WHERE id = $1',
      [id],
    );
    expect(row).toEqual({ status: 'deleted', outcome_by: SETUP.user, department: ROADS });
    expect(await stack.sql('SELECT FROM message_details WHERE message_id = $1', [id])).toEqual([]);
  });
});

describe('reopening', () => {
  it('makes a message pending again, and only the history shows the rejection', async () => {
    const id = await deliverMemo(stack);
    const outcome = { forwardedTo: { name: 'Et andet sted' }, senderInformed: true };
    await reject(id, 1, { reason: 'other', explanation: 'Fejl', outcome });
    await tell(id, 2, { forwardedTo: { departmentId: ROADS } });
    expect(await reopen(id, 3)).toEqual({ id, status: 'pending', version: 4 });
    const message = await read(stack, id);
    expect(message).toMatchObject({ status: 'pending', rejection: null, heldCause: null });
    expect(message.history.map(({ action }) => action)).toEqual(['accepted', 'rejected', 'outcome-told', 'reopened']);
    const [row] = await stack.sql(
      `SELECT status_before, rejection_reason, outcome_at, outcome_by, outcome_department_id, rejection_text, forwarded_to,
         sender_informed
       FROM messages JOIN message_details ON id = message_id WHERE id = $1`,
      [id],
    );
    expect(Object.values(row as object)).toEqual(Array(8).fill(null));
  });

  it('makes a held message held again, with its cause', async () => {
    const id = await deliverMemo(stack);
    await stack.sql(`UPDATE messages SET status = 'held', held_cause = 'enquiries-off' WHERE id = $1`, [id]);
    await reject(id, 1, UNWANTED);
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
