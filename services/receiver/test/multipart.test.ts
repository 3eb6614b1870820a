import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { textDocument, writeMemo } from '../../../infra/src/testkit/write-memo.js';
import { receiptOf } from './support/memos.js';
import { whatIsStored } from './support/stored.js';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack.close());

interface FormPart {
  readonly name: string;
  readonly fileName?: string;
  /** application/xml unless given; '' for none. */
  readonly type?: string;
  readonly content: string | Buffer;
}

const BOUNDARY = 'boundary-of-the-test';

function writeForm(parts: readonly FormPart[], end = `--${BOUNDARY}--\r\n`): Buffer {
  const pieces = parts.flatMap(({ name, fileName, type = 'application/xml', content }) => [
    Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"`),
    Buffer.from(fileName === undefined ? '' : `; filename="${fileName}"`),
    Buffer.from(fileName === undefined || type === '' ? '' : `\r\nContent-Type: ${type}`),
    Buffer.from('\r\n\r\n'),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...pieces, Buffer.from(end)]);
}

const deliverForm = (form: Buffer, type = `multipart/form-data; boundary=${BOUNDARY}`) =>
  stack.deliver(form, { 'content-type': type });

describe('a message in a form', () => {
  test('is the same message as over plain REST', async () => {
    const messageUUID = randomUUID();
    const memo = writeMemo({ messageUUID, documents: [textDocument('æøå'.repeat(100_000))] });
    const form = writeForm([
      { name: 'kind', content: 'memo' },
      { name: 'file', fileName: `${messageUUID}.xml`, content: memo },
    ]);

    const answer = await deliverForm(form);
    const plain = await stack.deliver(memo);

    const receipt = await receiptOf(answer);
    expect([answer.status, receipt.receiptStatus]).toEqual([200, 'COMPLETED']);
    expect((await receiptOf(plain)).transmissionId).toBe(receipt.transmissionId);
  });

  test('may lack a file name', async () => {
    const answer = await deliverForm(writeForm([{ name: 'file', content: writeMemo() }]));
    expect(answer.status).toBe(200);
  });
});

describe('the part of a form', () => {
  const ascii = (declared: string) => writeMemo().toString().replace('UTF-8', declared);
  const danish = (declared: string) => writeMemo({ subject: 'Spørgsmål' }).toString().replace('UTF-8', declared);
  const taken: [type: string, content: string][] = [
    ['', danish('UTF-8')],
    ['text/xml; charset=utf-8', danish('ISO-8859-1')],
    ["application/xml;charset='UTF-8'", danish('utf-16')],
    ['application/xml; charset=us-ascii', ascii('us-ascii')],
    ['application/octet-stream', `\ufeff${danish('UTF-8')}`],
    ['APPLICATION/XML; charset=iso-8859-1', `\ufeff${danish('UTF-8')}`],
    ['application/vnd.memo+xml', danish('UTF-8')],
    ['text/plain', danish('UTF-8')],
  ];
  test.each(taken)('is taken as "%s"', async (type, content) => {
    const answer = await deliverForm(writeForm([{ name: 'file', fileName: 'a.xml', type, content }]));
    expect(await receiptOf(answer)).toMatchObject({ receiptStatus: 'COMPLETED' });
  });

  const refused: [type: string, content: string, code: string][] = [
    ['application/x-lzma', danish('UTF-8'), 'unsupported-media-type'],
    ['application/json', '{}', 'unsupported-media-type'],
    ['application/xml; charset=iso-8859-1', danish('UTF-8'), 'not-utf8'],
    ['application/xml', danish('ISO-8859-1'), 'not-utf8'],
  ];
  test.each(refused)('is refused as "%s"', async (type, content, code) => {
    const others = { name: 'kind', fileName: 'kind.txt', type: 'application/xml; charset=utf-8', content: 'memo' };
    const answer = await deliverForm(writeForm([others, { name: 'file', fileName: 'a.xml', type, content }]));
    expect(await receiptOf(answer)).toMatchObject({ errorCode: code });
  });

  test('is what its own header says, not what the form says', async () => {
    const form = writeForm([{ name: 'file', fileName: 'a.xml', content: danish('UTF-8') }]);
    const answer = await deliverForm(form, `multipart/form-data; charset=iso-8859-1; boundary=${BOUNDARY}`);
    expect(answer.status).toBe(200);
  });
});

describe('a form is refused, and leaves nothing,', () => {
  const memo = writeMemo({ messageUUID: randomUUID() });
  const file = { name: 'file', fileName: 'a.xml', content: memo };
  const cases: [what: string, form: Buffer, code: string, type?: string][] = [
    ['without a part file', writeForm([{ name: 'memo', fileName: 'a.xml', content: memo }]), 'not-multipart'],
    ['with two parts file', writeForm([file, file]), 'not-multipart'],
    ['that ends inside the message', writeForm([file]).subarray(0, 400), 'not-multipart'],
    ['that ends after the message, without its end', writeForm([file], ''), 'not-multipart'],
    ['that is empty', Buffer.alloc(0), 'not-multipart'],
    ['without a boundary', writeForm([file]), 'not-multipart', 'multipart/form-data'],
    ['with another boundary', writeForm([file]), 'not-multipart', 'multipart/form-data; boundary=other'],
    [
      'with thousands of parts',
      writeForm([...Array.from({ length: 5_000 }, (_, n) => ({ name: `field-${n}`, content: 'x' })), file]),
      'not-multipart',
    ],
    ['with broken XML in its part', writeForm([{ ...file, content: '<a>' }]), 'not-xml'],
  ];

  test.each(cases)('%s', async (_what, form, code, type) => {
    const before = await whatIsStored(stack);

    const answer = await deliverForm(form, type);

    const receipt = await receiptOf(answer);
    expect([answer.status, receipt.receiptStatus, receipt.errorCode]).toEqual([400, 'INVALID', code]);
    expect(await whatIsStored(stack)).toEqual(before);
  });
});
