import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DELETION } from '../../../infra/src/testkit/inbox-client.js';
import { CASEWORKER_ROLES, startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { writeMemo } from '../../../infra/src/testkit/write-memo.js';
import { messageOf, messagesOf, whatIsStored } from './support/stored.js';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack.close());

/** A MeMo with something that is not in MeMo’s model. */
const memoWith = (messageUUID: string, extra: string, before: string): string =>
  writeMemo({ messageUUID }).toString().replace(before, `${extra}${before}`);

describe('two messages with one id are not the same when they differ', () => {
  const cases: [what: string, before: string, one: string, other: string][] = [
    ['in an element that MeMo does not know', '<memo:Sender>', '<memo:note>A</memo:note>', '<memo:note>B</memo:note>'],
    ['in an element of another namespace', '<memo:Sender>', '<x xmlns="urn:x">A</x>', '<x xmlns="urn:x">B</x>'],
    ['in a second subject', '<memo:Sender>', '<memo:label>A</memo:label>', '<memo:label>B</memo:label>'],
    ['in text between the elements', '<memo:MainDocument>', 'A', 'B'],
    ['in an attribute', '<memo:Sender>', '<memo:note a="1"/>', '<memo:note a="2"/>'],
  ];
  test.each(cases)('%s', async (_what, before, one, other) => {
    const messageUUID = randomUUID();

    await stack.deliver(memoWith(messageUUID, one, before));
    const second = await stack.deliver(memoWith(messageUUID, other, before));

    expect(second.status).toBe(200);
    const rows = await messagesOf(stack, messageUUID);
    expect(rows.map(({ status }) => status)).toEqual(['pending', 'held']);
  });
});

test('what MeMo’s model lacks is kept in the original, which a zip may have', async () => {
  const messageUUID = randomUUID();
  await stack.deliver(memoWith(messageUUID, '<memo:note>Ring til mor</memo:note>', '<memo:Sender>'));
  const { id } = await messageOf(stack, messageUUID);

  const zip = await stack.call('GET', `/incoming-documents/${id}/zip?include=original`);

  const bytes = Buffer.from(await zip.arrayBuffer());
  expect(bytes.includes('teknisk/meddelelse.xml')).toBe(true);
  const [details] = await stack.sql<{ original: Buffer }>(
    'SELECT original FROM message_details WHERE message_id = $1',
    [id],
  );
  expect(details?.original.toString()).toContain('Ring til mor');
});

test('another message with an id that is not a UUID is accepted after one with that id was deleted', async () => {
  const messageUUID = 'unknown';
  await stack.deliver(writeMemo({ messageUUID }));
  const { id } = await messageOf(stack, messageUUID);
  const as = { roles: CASEWORKER_ROLES };
  await stack.call('POST', `/incoming-documents/${id}/rejection`, {
    as,
    version: 1,
    body: { reason: 'unwanted', explanation: 'Ikke til os' },
  });
  await stack.call('POST', `/incoming-documents/${id}/deletion`, { as, version: 2, body: DELETION });

  await stack.deliver(writeMemo({ messageUUID, subject: 'Et helt andet brev' }));

  const rows = await messagesOf(stack, messageUUID);
  expect(rows.map(({ status }) => status)).toEqual(['deleted', 'held']);
  expect(rows.map((row) => row.external_id)).not.toContain(messageUUID);
});

test('characters that XML does not allow are refused, and nothing is stored', async () => {
  for (const character of ['\u0001', '\ufffe', '\uffff']) {
    const before = await whatIsStored(stack);
    const answer = await stack.deliver(writeMemo({ subject: `Emne${character}` }), { accept: 'application/xml' });
    expect([answer.status, await answer.text()]).toEqual([
      400,
      expect.stringContaining('<errorCode>not-xml</errorCode>'),
    ]);
    expect(await whatIsStored(stack)).toEqual(before);
  }
});

test('files without content count against the limit too', async () => {
  const xml = writeMemo()
    .toString()
    .replace('<memo:File>', `${'<memo:File/>'.repeat(2_001)}<memo:File>`);
  const answer = await stack.deliver(xml);
  expect([answer.status, ((await answer.json()) as { errorCode: string }).errorCode]).toEqual([
    413,
    'skeleton-too-large',
  ]);
});
