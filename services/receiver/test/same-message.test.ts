import { createHash, randomUUID } from 'node:crypto';
import { readConfig } from '@indbakke/shared/config';
import type { Running } from '@indbakke/shared/service';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { crashPointPassed } from '../../../infra/src/testkit/crash-points.js';
import { DELETION } from '../../../infra/src/testkit/inbox-client.js';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { textDocument, writeMemo } from '../../../infra/src/testkit/write-memo.js';
import { ReceiverConfig, startReceiver } from '../src/app.js';
import { binaryFile, named, newMemo, receiptOf, SAME_MESSAGE_WRITTEN, xmlOf } from './support/memos.js';
import { deliveryHead, openConnection } from './support/raw-http.js';
import { contentFiles, messageOf, messagesOf, whatIsStored } from './support/stored.js';

const TIMES = 10;

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack({ SMALL_CONTENT_BYTES: '0' });
});
afterAll(() => stack.close());

// After every test each message with content has one container, and there are no others.
afterEach(async () => {
  const rows = await stack.sql<{ blob_name: string }>('SELECT blob_name FROM messages WHERE blob_name IS NOT NULL');
  const files = await contentFiles(stack);
  expect(files.sort()).toEqual(rows.map(({ blob_name }) => blob_name).sort());
});

const deliverAll = (bodies: (string | Buffer)[]) => Promise.all(bodies.map((body) => stack.deliver(body)));
const textsOf = (answers: Response[]) => Promise.all(answers.map((answer) => answer.text()));

describe('the same message delivered again', () => {
  test.each(['application/json', 'application/xml'])(
    'is answered with the first receipt, byte for byte, and stores nothing (%s)',
    async (accept) => {
      const headers = { accept };
      const xml = writeMemo(newMemo({ documents: [{ files: [binaryFile(200_000)] }] }));
      const first = await (await stack.deliver(xml, headers)).text();
      const before = await whatIsStored(stack);

      const again = await stack.deliver(xml, headers);

      expect(again.status).toBe(200);
      expect(await again.text()).toBe(first);
      expect(await whatIsStored(stack)).toEqual(before);
    },
  );

  test.each(Object.keys(SAME_MESSAGE_WRITTEN))('is the same message when it is written %s', async (way) => {
    const xml = xmlOf(newMemo({ documents: [textDocument('Kære kommune '.repeat(40)), textDocument('Bilag')] }));
    const written = (SAME_MESSAGE_WRITTEN[way] as (xml: string) => string)(xml);
    const first = await (await stack.deliver(xml)).text();
    const before = await whatIsStored(stack);

    const again = await stack.deliver(written);

    expect(written).not.toBe(xml);
    expect(await again.text()).toBe(first);
    expect(await whatIsStored(stack)).toEqual(before);
  });

  test('is answered with the first receipt when it has no file', async () => {
    const xml = xmlOf(newMemo({})).replace(/<memo:MessageBody>.*<\/memo:MessageBody>/s, '');
    const first = await (await stack.deliver(xml)).text();

    const again = await stack.deliver(xml);

    expect(await again.text()).toBe(first);
  });

  test('is answered with the first receipt while it is held', async () => {
    const messageUUID = randomUUID();
    await stack.deliver(writeMemo({ messageUUID, subject: 'Den første' }));
    const held = writeMemo({ messageUUID, subject: 'Den anden' });
    const first = await (await stack.deliver(held)).text();

    const again = await stack.deliver(held);

    expect(await again.text()).toBe(first);
    expect(await messagesOf(stack, messageUUID)).toHaveLength(2);
  });

  test('is answered with its first receipt after it was deleted, and stores nothing', async () => {
    const memo = newMemo({});
    const first = await (await stack.deliver(writeMemo(memo))).text();
    const { id } = await messageOf(stack, memo.messageUUID);
    const body = { reason: 'unwanted', explanation: 'Ikke til os' };
    await stack.call('POST', `/incoming-documents/${id}/rejection`, { version: 1, body });
    const deletion = await stack.call('POST', `/incoming-documents/${id}/deletion`, { version: 2, body: DELETION });
    const before = await whatIsStored(stack);

    const again = await stack.deliver(writeMemo(memo));

    expect(deletion.status).toBe(200);
    expect(await again.text()).toBe(first);
    expect(await whatIsStored(stack)).toEqual(before);
    expect((await messageOf(stack, memo.messageUUID)).status).toBe('deleted');
    const changed = await stack.deliver(writeMemo({ ...memo, subject: 'Et andet emne' }));
    expect(await changed.text()).toBe(first);
    expect(await whatIsStored(stack)).toEqual(before);
  });

  test('to another municipality is another message', async () => {
    const messageUUID = randomUUID();
    const first = await receiptOf(await stack.deliver(writeMemo({ messageUUID })));

    const other = await receiptOf(await stack.deliver(writeMemo({ messageUUID, recipient: { id: '33333333' } })));

    expect(other.transmissionId).not.toBe(first.transmissionId);
    expect((await messagesOf(stack, messageUUID)).map(({ status }) => status)).toEqual(['pending', 'pending']);
  });
});

describe('an id in another form', () => {
  const inBraces = (memo: { messageUUID: string }) => writeMemo({ ...memo, messageUUID: `{${memo.messageUUID}}` });

  test('is in the receipt and in the row in its normal form', async () => {
    const memo = newMemo({});

    const receipt = await receiptOf(await stack.deliver(inBraces(memo)));

    expect(receipt).toMatchObject({ receiptStatus: 'COMPLETED', messageUUID: memo.messageUUID });
    expect((await messageOf(stack, memo.messageUUID)).status).toBe('pending');
  });

  test('makes it no other message: it gets the first receipt', async () => {
    const memo = newMemo({});
    const first = await receiptOf(await stack.deliver(writeMemo(memo)));

    expect(await receiptOf(await stack.deliver(inBraces(memo)))).toEqual(first);
  });

  test('is found where it was stored as a hash, as before, with its first receipt', async () => {
    const memo = newMemo({});
    const first = await receiptOf(await stack.deliver(inBraces(memo)));
    const former = `sha256:${createHash('sha256').update(`{${memo.messageUUID}}`).digest('hex')}`;
    await stack.sql('UPDATE messages SET external_id = $2 WHERE external_id = $1', [memo.messageUUID, former]);
    const before = await whatIsStored(stack);

    const again = await receiptOf(await stack.deliver(inBraces(memo)));

    const { messageUUID: _, ...withoutId } = first;
    expect(again).toEqual(withoutId);
    expect(await whatIsStored(stack)).toEqual(before);
  });
});

describe('the same id with other content', () => {
  const messageUUID = randomUUID();
  beforeAll(() => stack.deliver(writeMemo({ messageUUID, documents: [textDocument('Det første brev')] })));

  const others = [
    { what: 'file', memo: { messageUUID, documents: [textDocument('Det andet brev')] } },
    { what: 'file name', memo: { messageUUID, documents: [textDocument('Det første brev', 'brev-2.txt')] } },
    {
      what: 'subject, and its id in upper case',
      memo: { messageUUID: messageUUID.toUpperCase(), subject: 'Et andet emne' },
    },
  ];
  test.each(named(others))('is accepted and held as a conflict: another %s', async (_what, { memo }) => {
    const answer = await stack.deliver(writeMemo(memo));

    const receipt = await receiptOf(answer);
    expect(answer.status).toBe(200);
    expect(receipt).toMatchObject({ receiptStatus: 'COMPLETED', messageUUID });
    const rows = await messagesOf(stack, messageUUID);
    expect(rows.find(({ transmission_id }) => transmission_id === receipt.transmissionId)).toMatchObject({
      status: 'held',
      held_cause: 'conflict',
    });
    expect(rows.filter(({ status }) => status === 'pending')).toHaveLength(1);
  });
});

test('a message whose sender disconnects before the answer is stored, and its retry gets that receipt', async () => {
  const memo = newMemo({});
  const xml = writeMemo(memo);
  const committed = crashPointPassed('message-committed');
  const connection = await openConnection(stack.url);
  await connection.send(deliveryHead(['Content-Type: application/xml', `Content-Length: ${xml.length}`]));
  await connection.send(xml);
  connection.close();
  await committed;

  const again = await receiptOf(await stack.deliver(xml));

  const { transmission_id, received_at } = await messageOf(stack, memo.messageUUID);
  expect(again).toMatchObject({ transmissionId: transmission_id, timeStamp: received_at.toISOString() });
});

test('a duplicate that the look-up cannot see is not stored: its sender must retry', async () => {
  const memo = newMemo({ documents: [{ files: [binaryFile(100_000)] }] });
  const xml = writeMemo(memo);
  const first = await (await stack.deliver(xml)).text();
  const { id } = await messageOf(stack, memo.messageUUID);
  const rename = 'UPDATE messages SET external_id = $2 WHERE id = $1';
  await stack.sql(rename, [id, 'another']);
  const writer = new pg.Client({ connectionString: stack.ownerUrl });
  await writer.connect();
  await writer.query('BEGIN');
  await writer.query(rename, [id, memo.messageUUID]);

  const delivery = stack.deliver(xml);
  const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  await expect.poll(() => stack.sql(waiting)).toHaveLength(1);
  await writer.query('COMMIT');
  await writer.end();

  expect((await delivery).status).toBe(503);
  expect(await (await stack.deliver(xml)).text()).toBe(first);
  expect(await messagesOf(stack, memo.messageUUID)).toHaveLength(1);
});

describe('in two processes', () => {
  let other: Running;
  beforeAll(async () => {
    other = await startReceiver(readConfig(ReceiverConfig, stack.env));
  });
  afterAll(() => other.close());
  const deliverToOther = (body: Buffer) => {
    const headers = { 'content-type': 'application/xml', accept: 'application/json' };
    return fetch(`${other.url}/sf1606/PostModtag`, { method: 'POST', headers, body });
  };

  test('the same message gets the first receipt from the other one', async () => {
    const xml = writeMemo(newMemo({}));
    const first = await (await stack.deliver(xml)).text();

    const again = await deliverToOther(xml);

    expect(await again.text()).toBe(first);
  });

  test('the same message at once is stored once', async () => {
    const memo = newMemo({ documents: [{ files: [binaryFile(10_000)] }] });
    const xml = writeMemo(memo);

    const answers = await Promise.all([0, 1, 2].flatMap(() => [stack.deliver(xml), deliverToOther(xml)]));

    expect(new Set(await textsOf(answers)).size).toBe(1);
    expect((await messageOf(stack, memo.messageUUID)).status).toBe('pending');
  });
});

describe(`${TIMES} at once`, () => {
  test('of the same message are stored once and get equal receipts', async () => {
    const memo = newMemo({ documents: [{ files: [binaryFile(100_000)] }] });
    const xml = writeMemo(memo);

    const answers = await deliverAll(Array.from({ length: TIMES }, () => xml));

    expect(answers.map(({ status }) => status)).toEqual(Array(TIMES).fill(200));
    expect(new Set(await textsOf(answers)).size).toBe(1);
    const { id } = await messageOf(stack, memo.messageUUID);
    for (const table of ['message_details', 'message_words', 'message_keys', 'files', 'events', 'audit_events']) {
      expect(await stack.sql(`SELECT FROM ${table} WHERE message_id = $1`, [id])).toHaveLength(1);
    }
  });

  test('with one id and different content are all stored: one in the inbox, the others held', async () => {
    const messageUUID = randomUUID();
    const bodies = Array.from({ length: TIMES }, (_, n) => writeMemo({ messageUUID, subject: `Brev ${n}` }));

    const answers = await deliverAll(bodies);

    expect(answers.map(({ status }) => status)).toEqual(Array(TIMES).fill(200));
    expect(new Set(await textsOf(answers)).size).toBe(TIMES);
    const causes = (await messagesOf(stack, messageUUID)).map(({ status, held_cause }) => `${status} ${held_cause}`);
    expect(causes.sort()).toEqual([...Array(TIMES - 1).fill('held conflict'), 'pending null']);
  });
});
