import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { writeMemo } from '../../../infra/src/testkit/write-memo.js';
import { receiptOf } from './support/memos.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack.close());

const danish = () => writeMemo({ subject: 'Spørgsmål' });
const ascii = () => writeMemo({ subject: 'Question' });
const asEnvelope = (memo: Buffer) =>
  `<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body><p:PostModtagRequest xmlns:p="urn:indbakke:sf1606:1">${memo
    .toString()
    .replace(/^<\?[^>]*>/, '')}</p:PostModtagRequest></S:Body></S:Envelope>`;

async function deliverSoap(contentType: string, memo: Buffer): Promise<string> {
  const headers = { 'content-type': contentType };
  const answer = await fetch(`${stack.url}/sf1606/soap`, { method: 'POST', headers, body: asEnvelope(memo) });
  return answer.text();
}

const UTF8 = [
  ...[
    'application/xml',
    'text/xml',
    'Application/XML',
    'text/xml;',
    'text/xml; charset=utf-8',
    'text/xml;charset=UTF8',
  ],
  ...[
    'text/xml; charset="utf-8"',
    "text/xml; charset='utf-8'",
    'text/xml; charset = utf-8 ;',
    'text/xml; CHARSET=Utf-8',
  ],
  ...[
    'text/xml; charset=utf-8; charset=iso-8859-1',
    'text/xml; charset=',
    'text/xml; charset=""',
    'text/xml; version=1',
  ],
  ...['text/xml; action="urn:a; charset=latin1"; charset=utf-8', 'application/memo+xml', 'application/octet-stream'],
  ...['text/plain; charset=utf-8', ''],
];
const LIKE_ASCII = ['us-ascii', 'ASCII', 'iso646-us', '646', '"ISO-8859-1"', "'windows-1252'", 'latin1'].map(
  (charset) => `text/xml; charset=${charset}`,
);

test('a Content-Encoding that is none is taken, in any case', async () => {
  const answer = await stack.deliver(danish(), { 'content-encoding': 'Identity' });
  expect(await receiptOf(answer)).toMatchObject({ receiptStatus: 'COMPLETED' });
});

describe('a Content-Type of UTF-8, or that does not say, is taken:', () => {
  test.each(UTF8)('"%s"', async (type) => {
    const answer = await stack.deliver(danish(), { 'content-type': type });

    expect(await receiptOf(answer)).toMatchObject({ receiptStatus: 'COMPLETED' });
    expect(await deliverSoap(type, danish())).toContain('<receiptStatus>COMPLETED<');
  });
});

describe('a Content-Type of another charset is taken as long as all bytes are ASCII:', () => {
  test.each(LIKE_ASCII)('"%s"', async (type) => {
    const taken = await stack.deliver(ascii(), { 'content-type': type });
    const refused = await stack.deliver(danish(), { 'content-type': type });

    expect(await receiptOf(taken)).toMatchObject({ receiptStatus: 'COMPLETED' });
    expect(await receiptOf(refused)).toMatchObject({
      errorCode: 'not-utf8',
      errorMessage:
        'The Content-Type names an encoding other than UTF-8, and not all bytes are ASCII. Send the message as UTF-8.',
    });
    expect(await deliverSoap(type, ascii())).toContain('<receiptStatus>COMPLETED<');
    expect(await deliverSoap(type, danish())).toContain('<errorCode>not-utf8<');
  });
});

test('a Content-Type of UTF-8 counts more than the declaration, a byte order mark more than both', async () => {
  const declared = danish().toString().replace('UTF-8', 'ISO-8859-1');

  const byCharset = await stack.deliver(declared, { 'content-type': 'application/xml; charset=utf-8' });
  const byMark = await stack.deliver(`\ufeff${declared}`, { 'content-type': 'application/xml; charset=iso-8859-1' });
  const byDeclaration = await stack.deliver(declared);

  expect([byCharset.status, byMark.status, byDeclaration.status]).toEqual([200, 200, 400]);
});

describe('another media type is refused:', () => {
  test.each(['application/json', 'application/x-lzma', 'text/html', 'xml', 'application/soap+xml; action=""', 'a/xml'])(
    '"%s"',
    async (type) => {
      const answer = await stack.deliver(danish(), { 'content-type': type });

      expect(answer.status).toBe(415);
      expect(await receiptOf(answer)).toMatchObject({ errorCode: 'unsupported-media-type' });
      expect(await deliverSoap(type, danish())).toContain('<errorCode>unsupported-media-type<');
    },
  );
});
