import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestStack, type TestStack, type TokenOptions, VESTERSUND } from '../../../infra/src/testkit/stack.js';
import { type MemoSpecFile, textDocument } from '../../../infra/src/testkit/write-memo.js';
import { TextAnswer } from '../../../shared/src/api/index.js';
import { auditOf, deliverMemo, expectProblem, read } from '../../../shared/test/inbox/support.js';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack.close());

const get = (id: string, as?: TokenOptions) => stack.call('GET', `/incoming-documents/${id}/text`, as && { as });

async function textOf(id: string): Promise<TextAnswer> {
  const response = await get(id);
  expect(response.status).toBe(200);
  return TextAnswer.strict().parse(await response.json());
}

const file = (name: string, type: string, content: string | Buffer): MemoSpecFile => ({
  name,
  type,
  content: Buffer.from(content),
});

/** Delivers a message whose main document has these files. @returns its id, the ids of the files, and the text */
async function deliver(...files: MemoSpecFile[]) {
  const id = await deliverMemo(stack, { documents: [{ files }, textDocument('Et bilag')] });
  const fileIds = (await read(stack, id)).documents[0]?.files.map(({ id }) => id) ?? [];
  return { id, fileIds, text: await textOf(id) };
}

const PDF = file('brev.pdf', 'application/pdf', '%PDF-1.7\n');
const HTML = file('brev.html', 'text/html; charset=utf-8', '<h1>Svar</h1><script>x</script><p>Kære kommune</p>');
const TEXT = file('brev.txt', 'text/plain', 'Kære kommune');

describe('the text of the main document', () => {
  test('is that of its plain text', async () => {
    const { text, fileIds } = await deliver(TEXT);
    expect(text).toEqual({ fileId: fileIds[0], text: 'Kære kommune', isTruncated: false });
  });

  test('is that of its HTML, without markup', async () => {
    const { text, fileIds } = await deliver(PDF, HTML);
    expect(text).toEqual({ fileId: fileIds[1], text: 'Svar\n\nKære kommune', isTruncated: false });
  });

  test('is that of its plain text rather than of its HTML', async () => {
    const { text, fileIds } = await deliver(HTML, PDF, TEXT);
    expect(text.fileId).toBe(fileIds[2]);
  });

  test('is none when it is neither', async () => {
    expect((await deliver(PDF)).text).toEqual({ fileId: null, text: null, isTruncated: false });
  });

  test('is none when a file that claims to be text is not', async () => {
    expect((await deliver({ ...PDF, type: 'text/plain' })).text.fileId).toBeNull();
  });

  test('is found by the name where the type says nothing', async () => {
    const unknown = 'application/octet-stream';
    expect((await deliver({ ...HTML, type: unknown })).text.text).toBe('Svar\n\nKære kommune');
    expect((await deliver({ ...TEXT, type: unknown })).text.text).toBe('Kære kommune');
    expect((await deliver({ ...TEXT, type: unknown, name: 'brev.dat' })).text.text).toBeNull();
  });

  test('is that of XHTML', async () => {
    const xhtml =
      '<?xml version="1.0" encoding="UTF-8"?>\n<html xmlns="http://www.w3.org/1999/xhtml"><p>Hej</p></html>';
    expect((await deliver(file('brev.xhtml', 'application/xhtml+xml', xhtml))).text.text).toBe('Hej');
  });

  test('is empty when the file is', async () => {
    expect((await deliver(file('tom.txt', 'text/plain', ''))).text).toMatchObject({ text: '', isTruncated: false });
  });

  test('is cut when the file is large, which is not read whole', async () => {
    const { text } = await deliver(
      file('lang.html', 'text/html', `<p>start</p><!--${'x'.repeat(1_100_000)}--><p>slut</p>`),
    );
    expect(text).toMatchObject({ text: 'start', isTruncated: true });
  });

  test('is in the encoding that the type declares', async () => {
    const { text } = await deliver(
      file('brev.txt', 'text/plain; charset=windows-1251', Buffer.from([0xcf, 0xf0, 0xe8])),
    );
    expect(text.text).toBe('При');
  });
});

describe('reading the text', () => {
  test('is recorded in the audit log, not in the history, and is the first look', async () => {
    const id = await deliverMemo(stack);
    await textOf(id);
    expect((await auditOf(stack, { messageId: id })).at(-1)).toMatchObject({
      action: 'read-text',
      actor: 'caseworker-1',
      details: {},
    });
    const [row] = await stack.sql('SELECT first_read_at IS NOT NULL AS is_read FROM messages WHERE id = $1', [id]);
    expect(row).toEqual({ is_read: true });
    expect((await read(stack, id)).history.map(({ action }) => action)).toEqual(['accepted']);
  });

  test('is for those who see the message', async () => {
    const id = await deliverMemo(stack);
    await expectProblem(await get(id, { roles: ['IndkomneDokumenter.Læs'] }), 404, 'not-found');
    await expectProblem(await get(id, { municipality: VESTERSUND }), 404, 'not-found');
    await expectProblem(await get(id, { roles: ['IndkomneDokumenter.Journaliser'] }), 403, 'role-missing');
    await expectProblem(await get(randomUUID()), 404, 'not-found');
  });

  test('takes no parameters', async () => {
    const response = await stack.call('GET', `/incoming-documents/${await deliverMemo(stack)}/text?x=1`);
    await expectProblem(response, 400, 'bad-request');
  });

  test('of content that is gone is a problem', async () => {
    const id = await deliverMemo(stack);
    await stack.sql('DELETE FROM message_contents WHERE message_id = $1', [id]);
    await expectProblem(await get(id), 410, 'content-gone');
  });
});
