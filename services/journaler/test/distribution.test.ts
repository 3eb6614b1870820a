import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import type { TextAnswer } from '../../../shared/src/api/index.js';
import { deliverDocument, deliverMemo, expectProblem, list, read } from '../../../shared/test/inbox/support.js';
import { readWithPython } from './support/spreadsheets.js';

// Documents from Fordelingskomponenten in lists, searches and files.

let stack: TestStack;
let id: string;

beforeAll(async () => {
  stack = await startTestStack();
  await deliverMemo(stack, { subject: 'Et brev', sender: { id: '4101019999', idType: 'CPR', name: '' } });
  id = await deliverDocument(stack, {
    sender: '11111111',
    fileName: 'udtalelse.pdf',
    object: {
      type: 'DOKUMENT',
      title: 'Udtalelse',
      parties: [
        { role: 'PrimaerPart', type: 'Person', urn: 'urn:oio:cpr-nr:4101019986' },
        { role: 'SekundaerPart', type: 'Person', text: 'Zenobia Mortensdatter' },
        { role: 'SekundaerPart', type: 'Person', text: '430303-9985' },
        { role: 'KopiModtager', type: 'Virksomhed', text: '44 44 44 44' },
      ],
    },
  });
});

afterAll(() => stack.close());

async function search(body: object): Promise<string[]> {
  const response = await stack.call('POST', '/incoming-documents/search', { body });
  expect(response.status, await response.clone().text()).toBe(200);
  const { items } = (await response.json()) as { items: { id: string }[] };
  return items.map((item) => item.id);
}

describe('a document of another authority', () => {
  it.each([
    ...['4101019986', '410101-9986', '410101 9986', '41 01 01 9986', 'cpr: 410101–9986', '430303-9985', '4303039985'],
    ...['44444444', 'CVR 44 44 44 44', 'dk-44444444', 'zenobia mortens', '11111111', 'cvr-nr. 11 11 11 11'],
  ])('is found by a number or name of its parties or sender: %s', async (q) => {
    expect(await search({ q })).toEqual([id]);
  });

  it.each(['410101', '9986', '4444', '4101019985'])('is not found by a part of a number, or another: %s', async (q) => {
    expect(await search({ q })).toEqual([]);
  });

  it('is found by the number of the authority as its sender, and by its channel', async () => {
    expect(await search({ sender: '11 11 11 11' })).toEqual([id]);
    expect((await list(stack, '?channel=sf2900')).items.map((item) => item.id)).toEqual([id]);
    expect((await list(stack, '?channel=sf1606')).items.map(({ subject }) => subject)).toEqual(['Et brev']);
  });

  it('has its channel and its sender in an exported list', async () => {
    const response = await stack.call('POST', '/incoming-documents/export', { body: {} });
    const { rows } = await readWithPython(Buffer.from(await response.arrayBuffer()));
    const [headings = [], ...lines] = rows.map((row) => row.map(({ text }) => text));
    const named = lines.map((line) => Object.fromEntries(headings.map((heading, at) => [heading, line[at]])));
    const columns = (line: Record<string, string | undefined>) => [line.Kanal, line.Afsender, line['Afsenders nummer']];
    expect(named.map(columns)).toEqual([
      ['Digital Post', '', '4101019999'],
      ['Fordelingskomponenten', 'CVR 11111111', '11111111'],
    ]);
  });

  it('says of its file that it is on its way, or that it never came', async () => {
    const fileId = (await read(stack, id)).documents[0]?.files[0]?.id;
    const download = () => stack.call('GET', `/incoming-documents/${id}/files/${fileId}`);
    expect((await expectProblem(await download(), 409, 'file-not-here')).detail).toBe('The file is on its way.');
    const text = await stack.call('GET', `/incoming-documents/${id}/text`);
    expect((await text.json()) as TextAnswer).toEqual({ fileId: null, text: null, isTruncated: false });
    await stack.sql(`UPDATE files SET status = 'missing' WHERE id = $1`, [fileId]);
    expect((await expectProblem(await download(), 410, 'content-gone')).detail).toBe('The file never came.');
  });
});
