import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { read } from '../../../shared/test/inbox/support.js';
import { newMemo, xmlOf } from './support/memos.js';
import { DOCX, EXE, GZIP, HEIC, JPEG, MP3, MP4, PDF, PNG, PNG_WITH_PROFILE, TIFF, ZIP } from './support/samples.js';
import { messageOf } from './support/stored.js';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack.close());

/** Delivers one file as the main document. @returns the message as the API shows it */
async function deliver(content: Buffer, type: string, name = 'fil') {
  const memo = newMemo({ documents: [{ files: [{ name, type, content }] }] });
  expect((await stack.deliver(xmlOf(memo))).status).toBe(200);
  return read(stack, (await messageOf(stack, memo.messageUUID)).id);
}

const DOCX_TYPE = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';
const text = (value: string) => Buffer.from(value);

describe('the type that the first bytes show is stored beside the declared one:', () => {
  test.each([
    ['a PDF', PDF, 'application/pdf', 'application/pdf'],
    ['a PDF after other bytes', Buffer.concat([text('\n\n'), PDF]), 'application/pdf', 'application/pdf'],
    ['a PNG', PNG, 'image/png', 'image/png'],
    ['a PNG with a long colour profile', PNG_WITH_PROFILE, 'image/png', 'image/png'],
    ['a JPEG', JPEG, 'image/jpg', 'image/jpeg'],
    ['a TIFF with its index at its end', TIFF, 'image/tiff', 'image/tiff'],
    ['a photograph of a phone', HEIC, 'image/heic', 'image/heic'],
    ['a Word document', DOCX, DOCX_TYPE, DOCX_TYPE],
    ['a Word document declared as a zip', DOCX, 'application/zip', DOCX_TYPE],
    ['a zip', ZIP, 'application/x-zip-compressed', 'application/zip'],
    ['a gzip', GZIP, 'application/x-gzip', 'application/gzip'],
    ['sound', MP3, 'audio/mp3', 'audio/mpeg'],
    ['a film', MP4, 'video/quicktime', 'video/mp4'],
    ['a PDF of a sender that does not know', PDF, 'application/octet-stream', 'application/pdf'],
    ['plain text', text('Kære kommune'), 'text/plain', null],
    ['plain text that begins like a program', text('MZ er Mads Zielinsky'), 'text/plain', null],
    ['plain text that begins like a picture', text('BMI er højt'), 'text/plain', null],
    ['plain text in UTF-16', Buffer.from('\ufeffKære kommune', 'utf16le'), 'text/plain', null],
    ['HTML', text('<!DOCTYPE html><p>Hej</p>'), 'text/html', null],
    ['XHTML', text('<?xml version="1.0"?><html/>'), 'text/html', 'application/xml'],
    ['CSV', text('navn;by\nTest;Odense\n'), 'application/vnd.ms-excel', null],
  ])('%s', async (_what, content, declared, detected) => {
    const message = await deliver(content, declared);

    expect(message.documents[0]?.files[0]).toMatchObject({ encodingFormat: declared, detectedFormat: detected });
    expect(message.remarks).toEqual([]);
  });
});

test('an empty file shows no type, and has the remark that it is empty only', async () => {
  const message = await deliver(Buffer.alloc(0), 'application/pdf');

  expect(message.documents[0]?.files[0]).toMatchObject({ detectedFormat: null });
  expect(message.remarks.map(({ code }) => code)).toEqual(['empty-element']);
});

describe('a file that is not what it claims to be is stored with a remark:', () => {
  test.each([
    ['a PNG declared as PDF', PNG, 'application/pdf', 'image/png'],
    ['a program declared as PDF', EXE, 'application/pdf; charset=binary', 'application/x-msdownload'],
    ['a program declared as text', EXE, 'text/plain', 'application/x-msdownload'],
    ['HTML declared as PDF', text('<html><script>x</script></html>'), 'application/pdf', null],
    ['text declared as a picture', text('Hej'), 'IMAGE/PNG', null],
    ['a zip declared as a picture', ZIP, 'image/jpeg', 'application/zip'],
    ['a film declared as a document', MP4, DOCX_TYPE, 'video/mp4'],
  ])('%s', async (_what, content, declared, detected) => {
    const message = await deliver(content, declared, 'brev.pdf');

    expect(message.documents[0]?.files[0]).toMatchObject({ encodingFormat: declared, detectedFormat: detected });
    expect(message.remarks).toEqual([
      { code: 'type-differs', path: 'Message/MessageBody/MainDocument/File/encodingFormat' },
    ]);
  });
});

test('the type of a large file is that of its beginning', async () => {
  const segment = 64 * 1024;
  const content = Buffer.concat([PDF, Buffer.alloc(2 * segment, EXE), Buffer.alloc(10 * segment, PNG)]);

  const message = await deliver(content, 'application/pdf');

  expect(message.documents[0]?.files[0]).toMatchObject({ size: content.length, detectedFormat: 'application/pdf' });
});

test('a film that is declared as PDF counts as sound or video', async () => {
  expect((await deliver(MP4, 'application/pdf')).hasMedia).toBe(true);
  expect((await deliver(PDF, 'application/pdf')).hasMedia).toBe(false);
});

test('the type is that of each file, and the remark has its place', async () => {
  const files = [PDF, PNG, EXE].map((content, at) => ({ name: `${at}.pdf`, type: 'application/pdf', content }));
  const memo = newMemo({
    documents: [{ files: [{ name: 'a.txt', type: 'text/plain', content: text('a') }] }, { files }],
  });
  await stack.deliver(xmlOf(memo));

  const message = await read(stack, (await messageOf(stack, memo.messageUUID)).id);

  expect(message.documents[1]?.files.map(({ detectedFormat }) => detectedFormat)).toEqual([
    'application/pdf',
    'image/png',
    'application/x-msdownload',
  ]);
  const place = 'Message/MessageBody/AdditionalDocument';
  expect(message.remarks.map(({ path }) => path)).toEqual([
    `${place}/File[2]/encodingFormat`,
    `${place}/File[3]/encodingFormat`,
  ]);
});
