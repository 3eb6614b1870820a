import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { ERRORS, type ErrorCode } from '@indbakke/shared/errors';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { writeMemo } from '../../../infra/src/testkit/write-memo.js';
import { binaryFile, named, receiptOf, xmlOf } from './support/memos.js';
import { NOTHING, whatIsStored } from './support/stored.js';

const KiB = 1_024;
const MAX_MESSAGE_BYTES = 4_096 * KiB;
const MAX_SKELETON_BYTES = 64 * KiB;
const MAX_FILES = 20;
const MAX_DEPTH = 30;

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack({
    MAX_MESSAGE_BYTES: String(MAX_MESSAGE_BYTES),
    MAX_SKELETON_BYTES: String(MAX_SKELETON_BYTES),
    MAX_FILES: String(MAX_FILES),
    MAX_DEPTH: String(MAX_DEPTH),
  });
});
afterAll(() => stack.close());

afterEach(async () => {
  expect(await whatIsStored(stack)).toEqual(NOTHING);
});

/** Personal data in the bad messages, which no answer may repeat. */
const PERSONAL = /4101019999|4102029999|Testesen|[Hh]emmelig|passwd|Odenskov/;
/** Internals, which no answer may show. */
const INTERNAL = /node_modules|\.[jt]s\b|\bat [A-Z]\w+\.|Error:|postgres|sax|xml2js/i;

interface Refusal {
  readonly code: ErrorCode;
  /** Of the faulty element, if it is known. */
  readonly path?: string;
}

async function expectRefusal(answer: Response, { code, path }: Refusal): Promise<void> {
  const text = await answer.clone().text();
  const receipt = await receiptOf(answer);
  const row: { http: number; receipt?: string; again: boolean | 'read-first' } = ERRORS[code];
  expect(receipt).toEqual({
    transmissionId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    errorCode: code,
    errorMessage: expect.stringMatching(/^[A-Z].{10,}[.)]$/),
    timeStamp: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/),
    receiptStatus: row.receipt ?? 'INVALID',
  });
  expect(answer.status).toBe(row.http);
  expect(answer.headers.get('retry-after')).toBe(row.again ? '30' : null);
  if (path !== undefined) expect(receipt.errorMessage).toContain(path);
  expect(text).not.toMatch(PERSONAL);
  expect(text).not.toMatch(INTERNAL);
}

const HEADER = 'Message/MessageHeader';
const CONTENT = 'Message/MessageBody/MainDocument/File/content';
const RECIPIENT_ID = `${HEADER}/Recipient/recipientID`;

/** The files in bad/: good messages with one fault each, and named by it. */
const BAD: Readonly<Record<string, Refusal>> = {
  'not-xml': { code: 'not-xml' },
  json: { code: 'not-xml' },
  'unclosed-element': { code: 'not-xml', path: `${HEADER}/Sender` },
  'cut-off': { code: 'not-xml', path: 'Message/MessageBody' },
  'second-root': { code: 'not-xml' },
  'bare-ampersand': { code: 'not-xml', path: `${HEADER}/Sender/label` },
  'unbound-prefix': { code: 'not-xml', path: HEADER },
  'nul-reference': { code: 'not-xml' },
  'surrogate-reference': { code: 'not-xml' },
  'surrogate-pair-of-references': { code: 'not-xml' },
  'reference-beyond-unicode': { code: 'not-xml' },
  'mislabelled-encoding': { code: 'not-utf8' },
  'document-type': { code: 'forbidden-xml' },
  'external-entity': { code: 'forbidden-xml' },
  'exponential-entities': { code: 'forbidden-xml' },
  'own-entity': { code: 'forbidden-xml', path: `${HEADER}/label` },
  'proto-element': { code: 'forbidden-xml', path: HEADER },
  'not-memo': { code: 'not-memo' },
  'memo-of-another-namespace': { code: 'not-memo' },
  'no-header': { code: 'not-memo', path: HEADER },
  'no-message-uuid': { code: 'no-message-uuid', path: `${HEADER}/messageUUID` },
  'blank-message-uuid': { code: 'no-message-uuid', path: `${HEADER}/messageUUID` },
  'content-not-base64': { code: 'content-not-base64', path: CONTENT },
  'content-cut-off': { code: 'content-not-base64', path: CONTENT },
  'content-with-an-element': { code: 'content-not-base64', path: CONTENT },
  'unknown-municipality': { code: 'not-our-recipient', path: RECIPIENT_ID },
  'citizen-recipient': { code: 'not-our-recipient', path: RECIPIENT_ID },
  'citizen-recipient-called-cvr': { code: 'not-our-recipient', path: RECIPIENT_ID },
  'recipient-not-a-number': { code: 'not-our-recipient', path: RECIPIENT_ID },
  'no-recipient': { code: 'not-our-recipient', path: RECIPIENT_ID },
  nemsms: { code: 'nemsms', path: `${HEADER}/messageType` },
};

const folder = new URL('./bad/', import.meta.url);
const readBad = (name: string) => readFileSync(new URL(`${name}.xml`, folder));

describe('a bad message from the folder is refused and leaves nothing:', () => {
  test.each(Object.entries(BAD))('%s', async (name, refusal) => {
    const answer = await stack.deliver(readBad(name));

    await expectRefusal(answer, refusal);
  });

  test('every file of the folder is in the table', () => {
    const files = readdirSync(folder).map((file) => file.replace(/\.xml$/, ''));

    expect(files.sort()).toEqual(Object.keys(BAD).sort());
  });
});

const asUtf16 = (xml: string) => Buffer.from(`\ufeff${xml.replace('UTF-8', 'UTF-16')}`, 'utf16le');
const withByte = (xml: Buffer, byte: number) => {
  const bytes = Buffer.from(xml);
  bytes[bytes.indexOf('Testesen')] = byte;
  return bytes;
};
const nested = (depth: number) => '<memo:x>'.repeat(depth) + '</memo:x>'.repeat(depth);
const good = () => xmlOf({ subject: 'Hemmeligt emne' });

const GENERATED: readonly (Refusal & { what: string; body: () => string | Buffer })[] = [
  { what: 'an empty body', body: () => '', code: 'not-xml' },
  { what: 'white space only', body: () => ' \n', code: 'not-xml' },
  { what: 'UTF-16 with a byte order mark', body: () => asUtf16(good()), code: 'not-utf8' },
  { what: 'UTF-16 without one', body: () => asUtf16(good()).subarray(2), code: 'not-utf8' },
  { what: 'an invalid UTF-8 byte', body: () => withByte(Buffer.from(good()), 0xe5), code: 'not-utf8' },
  { what: 'a NUL byte', body: () => withByte(Buffer.from(good()), 0), code: 'not-utf8' },
  {
    what: 'a citizen’s number with a hyphen',
    body: () => xmlOf({ recipient: { id: '410101-9999' } }),
    code: 'not-our-recipient',
    path: RECIPIENT_ID,
  },
  {
    what: 'elements nested too deep',
    body: () => good().replace('<memo:Sender>', `${nested(MAX_DEPTH)}<memo:Sender>`),
    code: 'not-memo',
  },
  {
    what: 'too much XML besides the file contents',
    body: () => xmlOf({ subject: 'Hemmeligt emne. '.repeat(MAX_SKELETON_BYTES / 16) }),
    code: 'skeleton-too-large',
  },
  {
    what: 'too many files',
    body: () => writeMemo({ documents: [{ files: Array.from({ length: MAX_FILES + 1 }, () => binaryFile(10)) }] }),
    code: 'skeleton-too-large',
  },
];

describe('a generated bad message is refused and leaves nothing:', () => {
  test.each(named(GENERATED))('%s', async (_what, { body, ...refusal }) => {
    const answer = await stack.deliver(body());

    await expectRefusal(answer, refusal);
  });
});

// Large enough that its content is on disk when the fault is found.
const large = () => xmlOf({ documents: [{ files: [binaryFile(2_000 * KiB)] }, { files: [binaryFile(10)] }] });
const FOUND_LATE: readonly (Refusal & { what: string; change: (xml: string) => string })[] = [
  { what: 'the XML is cut off', change: (xml) => xml.slice(0, -30), code: 'not-xml' },
  {
    what: 'a later file is not base64',
    change: (xml) => xml.replace(/==<\/memo:content>(?!.*<memo:content>)/s, '=!</memo:content>'),
    code: 'content-not-base64',
    path: 'Message/MessageBody/AdditionalDocument/File/content',
  },
  {
    what: 'a later file has a document type',
    change: (xml) => xml.replace(/(.*)<memo:language>/s, '$1<!DOCTYPE x>'),
    code: 'forbidden-xml',
  },
  {
    what: 'the message is another municipality’s',
    change: (xml) => xml.replace('22222222', '99999999'),
    code: 'not-our-recipient',
  },
  {
    what: 'it has no id',
    change: (xml) => xml.replace(/<memo:messageUUID>[^<]*/, '<memo:messageUUID>'),
    code: 'no-message-uuid',
  },
];

describe('content already written is removed when', () => {
  test.each(named(FOUND_LATE))('%s', async (_what, { change, ...refusal }) => {
    const answer = await stack.deliver(change(large()));

    await expectRefusal(answer, refusal);
  });
});

describe('the headers rule a message out:', () => {
  test.each(
    named<Refusal & { what: string; headers: Record<string, string>; body?: () => Buffer }>([
      { what: 'another media type', headers: { 'content-type': 'application/json' }, code: 'unsupported-media-type' },
      {
        what: 'a form',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        code: 'unsupported-media-type',
      },
      {
        what: 'another charset, with bytes that are not ASCII',
        headers: { 'content-type': 'application/xml; charset=iso-8859-1' },
        body: () => Buffer.from(xmlOf({ subject: 'Hemmeligt spørgsmål' })),
        code: 'not-utf8',
      },
      {
        what: 'a compressed body',
        headers: { 'content-encoding': 'gzip' },
        body: () => gzipSync(good()),
        code: 'unsupported-media-type',
      },
    ]),
  )('%s', async (_what, { headers, body = () => Buffer.from(good()), ...refusal }) => {
    const answer = await stack.deliver(body(), headers);

    await expectRefusal(answer, refusal);
  });
});

test('a refusal is XML by default, and echoes the transaction id', async () => {
  const id = '11111111-2222-4333-8444-555555555555';

  const answer = await stack.deliver(readBad('no-message-uuid'), { accept: '*/*', 'x-TransaktionsId': id });

  const xml = await answer.text();
  expect(answer.headers.get('content-type')).toMatch(/^application\/xml\b/);
  expect(answer.headers.get('x-TransaktionsId')).toBe(id);
  expect(xml).toMatch(/<errorCode>no-message-uuid<\/errorCode>/);
  expect(xml).toMatch(/<errorMessage>[^<]*Message\/MessageHeader\/messageUUID[^<]*<\/errorMessage>/);
  expect(xml).toMatch(/<receiptStatus>INVALID<\/receiptStatus>/);
});

test('the path of the fault is in the sentence once', async () => {
  const { errorMessage = '' } = await receiptOf(await stack.deliver(readBad('content-not-base64')));

  expect(errorMessage.split(CONTENT)).toHaveLength(2);
});

test('a refusal is not stored: the message is accepted once its fault is corrected', async () => {
  const other = await startTestStack();
  const message = readBad('unknown-municipality').toString();

  const refused = await other.deliver(message);
  const accepted = await other.deliver(message.replace('99999999', '22222222'));

  expect([refused.status, accepted.status]).toEqual([403, 200]);
  await other.close();
});
