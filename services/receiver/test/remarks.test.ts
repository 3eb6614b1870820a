import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CONTACT_POINT, startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { type MemoSpec, textDocument } from '../../../infra/src/testkit/write-memo.js';
import { read, SETUP } from '../../../shared/test/inbox/support.js';
import { named, newMemo, receiptOf, xmlOf } from './support/memos.js';
import { messageOf } from './support/stored.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack.close());

interface Fault {
  readonly what: string;
  readonly memo?: MemoSpec;
  readonly change?: (xml: string) => string;
  /** `code path` of each remark, paths without `Message/`. */
  readonly remarks: readonly string[];
}

const HEADER = 'MessageHeader';
const MAIN_FILE = 'MessageBody/MainDocument/File';
const NIL = 'xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"';
const without = (element: string) => (xml: string) =>
  xml.replace(new RegExp(`<memo:${element}>[^<]*</memo:${element}>`), '');

const FAULTS: Fault[] = [
  { what: 'no subject', change: without('label'), remarks: [`missing-element ${HEADER}/label`] },
  { what: 'no message type', change: without('messageType'), remarks: [`missing-element ${HEADER}/messageType`] },
  { what: 'no sender id', change: without('senderID'), remarks: [`missing-element ${HEADER}/Sender/senderID`] },
  {
    what: 'no sender',
    change: (xml) => xml.replace(/<memo:Sender>.*<\/memo:Sender>/s, ''),
    remarks: [`missing-element ${HEADER}/Sender`],
  },
  { what: 'no file name', change: without('filename'), remarks: [`missing-element ${MAIN_FILE}/filename`] },
  { what: 'no language', change: without('language'), remarks: [`missing-element ${MAIN_FILE}/language`] },
  {
    what: 'no message date',
    change: without('createdDateTime'),
    remarks: ['missing-element MessageBody/createdDateTime'],
  },
  {
    what: 'no body',
    change: (xml) => xml.replace(/<memo:MessageBody>.*<\/memo:MessageBody>/s, ''),
    remarks: ['missing-element MessageBody'],
  },
  {
    what: 'an invalid message date',
    memo: { createdDateTime: '2. november 2026' },
    remarks: ['wrong-date MessageBody/createdDateTime'],
  },
  {
    what: 'a file name that Digital Post does not allow',
    memo: { documents: [textDocument('x', '../../etc/passwd')] },
    remarks: [`bad-file-name ${MAIN_FILE}/filename`],
  },
  {
    what: 'a subject over 256 characters',
    memo: { subject: 'æ'.repeat(257) },
    remarks: [`text-too-long ${HEADER}/label`],
  },
  {
    what: 'a messageUUID that is not a UUID',
    memo: { messageUUID: `nr-${randomBytes(4).toString('hex')}` },
    remarks: [`wrong-uuid ${HEADER}/messageUUID`],
  },
  {
    what: 'a CPR number of nine digits',
    memo: { sender: { id: '410101999', name: 'Test Testesen' } },
    remarks: [`wrong-number ${HEADER}/Sender/senderID`],
  },
  {
    what: 'an unknown memoVersion',
    change: (xml) => xml.replace('memoVersion="1.2"', 'memoVersion="2.0"'),
    remarks: ['unknown-version @memoVersion'],
  },
  {
    what: 'an element that MeMo does not know',
    change: (xml) => xml.replace('<memo:Sender>', '<memo:priority>high</memo:priority><memo:Sender>'),
    remarks: [`unknown-element ${HEADER}/priority`],
  },
  {
    what: 'an empty content',
    change: (xml) => xml.replace(/<memo:content>[^<]*/, '<memo:content> \n'),
    remarks: [`empty-element ${MAIN_FILE}/content`],
  },
  {
    what: 'a content that is xsi:nil',
    change: (xml) => xml.replace(/<memo:content>[^<]*<\/memo:content>/, `<memo:content ${NIL}/>`),
    remarks: [`missing-element ${MAIN_FILE}/content`],
  },
  {
    what: 'a content that says xsi:nil, but has one',
    change: (xml) => xml.replace('<memo:content>', `<memo:content ${NIL}>`),
    remarks: [`nil-with-value ${MAIN_FILE}/content`],
  },
  {
    what: 'a CVR number of the recipient that is written with DK and spaces',
    memo: { recipient: { id: 'DK 22 22 22 22' } },
    remarks: [`wrong-number ${HEADER}/Recipient/recipientID`],
  },
  {
    what: 'two subjects',
    change: (xml) => xml.replace('<memo:label>', '<memo:label>Først</memo:label><memo:label>'),
    remarks: [`repeated-element ${HEADER}/label[2]`],
  },
];

const textFile = (name: string) => ({ name, type: 'text/plain', content: Buffer.from('x') });

describe('a message with a minor fault is accepted with a remark:', () => {
  test.each(named(FAULTS))('%s', async (_what, { memo = {}, change = (xml) => xml, remarks }) => {
    const sent = newMemo(memo);

    const answer = await stack.deliver(change(xmlOf(sent)));

    expect(await receiptOf(answer)).toMatchObject({ receiptStatus: 'COMPLETED' });
    const message = await messageOf(stack, sent.messageUUID);
    expect(message.status).toBe('pending');
    expect(message.remarks.map(({ code, path }) => `${code} ${path.replace('Message/', '')}`)).toEqual(remarks);
    const audit = await stack.sql<{ remarks: number }>(
      `SELECT (details->>'remarks')::int AS remarks FROM audit_events WHERE message_id = $1`,
      [message.id],
    );
    expect(audit).toEqual([{ remarks: remarks.length }]);
  });
});

test('a file is missing without content or with one that is xsi:nil, and stored with an empty one', async () => {
  const contents = ['', `<memo:content ${NIL}/>`, `<memo:content ${NIL}></memo:content>`, '<memo:content/>'];
  const memo = newMemo({ documents: [{ files: contents.map((_, n) => textFile(`${n}`)) }] });
  const files = contents[Symbol.iterator]();
  const xml = xmlOf(memo).replace(/<memo:content>[^<]*<\/memo:content>/g, () => files.next().value as string);

  await stack.deliver(xml);

  const { id } = await messageOf(stack, memo.messageUUID);
  const rows = await stack.sql('SELECT file_name, status, size FROM files WHERE message_id = $1 ORDER BY position', [
    id,
  ]);
  expect(rows).toEqual([
    { file_name: '0', status: 'missing', size: '0' },
    { file_name: '1', status: 'missing', size: '0' },
    { file_name: '2', status: 'missing', size: '0' },
    { file_name: '3', status: 'stored', size: '0' },
  ]);
  const zip = await stack.call('GET', `/incoming-documents/${id}/zip`);
  expect(zip.status).toBe(200);
});

test('a message without a fault has no remark', async () => {
  const memo = newMemo({ contactPointId: CONTACT_POINT.toUpperCase() });

  await stack.deliver(xmlOf(memo));

  expect((await messageOf(stack, memo.messageUUID)).remarks).toEqual([]);
});

// Random, so that PostgreSQL cannot compress it below the limit of an index.
const OVERLONG = randomBytes(4_000).toString('hex');

describe('a text too long for an index is kept whole in the original:', () => {
  const overlong: { what: string; memo: MemoSpec }[] = [
    { what: 'messageUUID', memo: { messageUUID: OVERLONG } },
    { what: 'senderID', memo: { sender: { id: OVERLONG, name: 'Test' } } },
    {
      what: 'cprNumber',
      memo: { concerning: { cpr: OVERLONG, name: 'Test' } },
    },
    {
      what: 'the ids of a reply',
      memo: {
        replyData: [
          {
            messageUUID: OVERLONG,
            replyUUID: OVERLONG,
            messageID: OVERLONG,
            caseID: OVERLONG,
            generatingSystemID: 'DUBU',
          },
        ],
      },
    },
    {
      what: 'contactPointID',
      memo: { contactPointId: OVERLONG },
    },
    {
      what: 'Representative',
      memo: { representative: { id: OVERLONG, idType: OVERLONG, name: OVERLONG } },
    },
    {
      what: 'the name in ContactInfo',
      memo: { contactPointId: 'a', contactInfo: [{ label: 'Barnets navn', value: OVERLONG }] },
    },
  ];
  test.each(named(overlong))('%s', async (_what, { memo }) => {
    const answer = await stack.deliver(xmlOf(newMemo(memo)));
    const again = await stack.deliver(xmlOf(newMemo(memo)));

    expect([answer.status, again.status]).toEqual([200, 200]);
    const { transmissionId } = await receiptOf(answer);
    const [row] = await stack.sql<{ original: Buffer }>(
      'SELECT original FROM messages JOIN message_details ON message_id = id WHERE transmission_id = $1',
      [transmissionId],
    );
    expect(row?.original.toString()).toContain(OVERLONG);
  });

  test('messageUUID, and the same message again gets the first receipt', async () => {
    const memo = { messageUUID: randomBytes(4_000).toString('hex') };

    const first = await (await stack.deliver(xmlOf(memo))).text();
    const again = await (await stack.deliver(xmlOf(memo))).text();

    expect(again).toBe(first);
  });
});

test('every text of a list is at most 256 characters long', async () => {
  const party = { id: OVERLONG, idType: OVERLONG, name: OVERLONG };
  const memo = newMemo({
    subject: OVERLONG,
    sender: party,
    representative: party,
    concerning: { cpr: OVERLONG, name: OVERLONG },
    contactPointId: OVERLONG,
  });

  await stack.deliver(xmlOf(memo));

  const { id } = await messageOf(stack, memo.messageUUID);
  const { subject, sender, concerning, contactPoint } = await read(stack, id, SETUP); // held: an unknown contact point
  const { representative, ...ofSender } = sender;
  const texts = [subject, ...[ofSender, representative, concerning].flatMap((each) => Object.values(each ?? {}))];
  expect(texts).toEqual(Array(9).fill(OVERLONG.slice(0, 256)));
  expect(contactPoint?.id).toBe(OVERLONG.slice(0, 256));
});

test('characters outside the basic plane, and control characters that XML allows, are kept unchanged', async () => {
  const subject = 'Hej \u{1F600} \u00ad \u2028 \u007f \ufffd';
  const memo = newMemo({ subject: `${subject}!` });
  const xml = xmlOf(memo).replace('!</memo:label>', '&#x1F600;&#128512;&#9;</memo:label>');

  const answer = await stack.deliver(xml);

  expect(answer.status).toBe(200);
  const [row] = await stack.sql(
    'SELECT subject FROM message_details JOIN messages ON id = message_id WHERE external_id = $1',
    [memo.messageUUID],
  );
  expect(row).toEqual({ subject: `${subject}\u{1F600}\u{1F600}` });
});
