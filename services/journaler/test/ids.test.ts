import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONTACT_POINT, ODENSKOV, startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import {
  change,
  deliverMemo,
  deliverReply,
  expectProblem,
  list,
  read,
  registerSentMessage,
  upsertCase,
} from '../../../shared/test/inbox/support.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});

afterAll(() => stack.close());

const FORMS: readonly (readonly [string, (uuid: string) => string])[] = [
  ['in upper case', (uuid) => uuid.toUpperCase()],
  ['in braces', (uuid) => `{${uuid}}`],
  ['after urn:uuid:', (uuid) => `urn:uuid:${uuid}`],
  ['without hyphens', (uuid) => uuid.replaceAll('-', '')],
];
const CITIZEN = '4101019999';
const citizen = (id: string) => ({ sender: { id, name: 'Test Testesen' } });

describe.each(FORMS)('a UUID %s is the same', (_form, write) => {
  it('in the reply to a sent message', async () => {
    const uuid = randomUUID();
    await registerSentMessage(stack, uuid, { caseId: 'K-1' });
    const id = await deliverReply(stack, [{ messageUUID: randomUUID(), replyUUID: write(uuid) }]);
    expect((await read(stack, id)).suggestion).toMatchObject({ caseId: 'K-1', basis: 'message-uuid' });
  });

  it('when the core registers a sent message', async () => {
    const uuid = randomUUID();
    await registerSentMessage(stack, encodeURIComponent(write(uuid)), { caseId: 'K-2' });
    const id = await deliverReply(stack, [{ messageUUID: uuid }]);
    expect((await read(stack, id)).suggestion).toMatchObject({ caseId: 'K-2' });
  });

  it('in the path of a call', async () => {
    const id = await deliverMemo(stack);
    const path = encodeURIComponent(write(id));
    expect((await read(stack, path)).id).toBe(id);
    const changed = await change(stack, 'POST', `${path}/rejection`, {
      version: 1,
      body: { reason: 'unwanted', explanation: 'Ikke til os' },
    });
    expect(changed.id).toBe(id);
    const refused = { user: 'nobody', roles: ['Revisionslog.Læs'] };
    await expectProblem(await stack.call('GET', `/incoming-documents/${path}`, { as: refused }), 403, 'role-missing');
    const audited = `SELECT FROM audit_events WHERE message_id = $1 AND action = 'refused'`;
    expect(await stack.sql(audited, [id])).toHaveLength(1);
  });

  it('of a contact point, in the message and in the filter', async () => {
    const id = await deliverMemo(stack, { contactPointId: write(CONTACT_POINT) });
    const { contactPoint, remarks } = await read(stack, id);
    expect([contactPoint, remarks]).toEqual([{ id: CONTACT_POINT, name: 'Børn og familie' }, []]);
    const { items } = await list(stack, `?limit=200&contactPoint=${encodeURIComponent(write(CONTACT_POINT))}`);
    expect(items.map((item) => item.id)).toContain(id);
  });
});

describe('a CPR or CVR number is the same however it is written:', () => {
  const numbers = [
    ['410101-9999', CITIZEN],
    [CITIZEN, '410101 9999'],
    ['44 44 44 44', 'DK-44444444'],
    ['DK44444444', '44444444'],
  ];

  it.each(numbers)('the sender %s and the recipient %s of a letter', async (sender, recipientId) => {
    const uuid = randomUUID();
    await registerSentMessage(stack, uuid, { caseId: 'K-3', recipientId });
    const id = await deliverReply(stack, [{ messageUUID: uuid, senderID: ODENSKOV }], citizen(sender));
    const { suggestion, sender: shown } = await read(stack, id);
    expect(suggestion).toMatchObject({ caseId: 'K-3', sender: 'recipient-of-the-letter' });
    expect(shown.id).toBe(sender);
  });

  it.each(numbers)('the sender %s and the party %s', async (sender, party) => {
    const caseId = `K-${randomUUID()}`;
    await upsertCase(stack, caseId, { parties: [party] });
    const reply = { messageUUID: randomUUID(), senderID: 'DK 22 22 22 22', caseID: caseId };
    const id = await deliverReply(stack, [reply], citizen(sender));
    expect((await read(stack, id)).suggestion).toMatchObject({ caseId, sender: 'party-to-the-case' });
  });

  it('and what is neither is refused, and not quoted', async () => {
    const body = { parties: ['410101-999'] };
    const answer = await stack.call('PUT', '/cases/K-4', { as: { user: 'dubu-core', system: true }, body });
    const { detail, path } = await expectProblem(answer, 400, 'bad-request');
    expect(path).toBe('body.parties.0');
    expect(detail).toBe('body.parties.0: must be a CPR number of 10 digits or a CVR number of 8.');
  });
});
