import { createHash, randomUUID } from 'node:crypto';
import { INSTALLATION } from '@indbakke/shared/audit';
import { CommonConfig, readConfig } from '@indbakke/shared/config';
import { openSealed, type SealedContent } from '@indbakke/shared/inbox';
import { openParts, type Parts } from '@indbakke/shared/service';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { binaryFile, newMemo, receiptOf, xmlOf } from './support/memos.js';
import { deliveryHead, openConnection } from './support/raw-http.js';
import { contentFiles } from './support/stored.js';

const MAX_MESSAGE_BYTES = 2 ** 22;

let stack: TestStack;
let parts: Parts;

beforeAll(async () => {
  stack = await startTestStack({
    MAX_MESSAGE_BYTES: String(MAX_MESSAGE_BYTES),
    MAX_SKELETON_BYTES: '65536',
    MAX_FILES: '20',
  });
  parts = await openParts(readConfig(CommonConfig, stack.env), 'by-hand');
});
afterAll(async () => {
  await parts.queues.close();
  await parts.store.close();
  await stack.close();
});
beforeEach(() => stack.sql('DELETE FROM quarantine_entries'));

interface EntryRow extends Record<string, unknown> {
  readonly id: string;
  readonly reason: string;
  readonly count: number;
  readonly size: string;
}

const entries = () => stack.sql<EntryRow>('SELECT * FROM quarantine_entries ORDER BY first_at');

/** What an entry keeps, in the clear. */
async function contentOf(id: string): Promise<Buffer> {
  const [row] = await stack.sql<SealedContent & Record<string, unknown>>(
    `SELECT id, key_id AS "keyId", wrapped_key AS "wrappedKey", blob_name AS "blobName", container, size::int
     FROM quarantine_entries WHERE id = $1`,
    [id],
  );
  const chunks: Buffer[] = [];
  const sealed = { ...(row as SealedContent), municipality: INSTALLATION };
  for await (const chunk of await openSealed(parts, sealed)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** The only entry, which must have these bytes. */
async function expectKept(bytes: string | Buffer, reason: string): Promise<EntryRow> {
  const [entry, ...others] = await entries();
  expect(others).toEqual([]);
  expect(entry).toMatchObject({ reason, size: String(Buffer.byteLength(bytes)) });
  const digest = (text: string | Buffer) => createHash('sha256').update(text).digest('hex');
  expect(digest(await contentOf((entry as EntryRow).id))).toBe(digest(bytes));
  return entry as EntryRow;
}

const wrapped = (xml: string, length: number, end = '\r\n') =>
  xml.replace(/(<memo:content>)([^<]*)/g, (_, tag: string, text: string) => {
    return `${tag}${end}${text.replace(new RegExp(`.{1,${length}}`, 'g'), `$&${end}`)}`;
  });
/** With lines of base64 that need more memory than there is. */
const irregular = (xml: string) =>
  xml.replace(/(<memo:content>)([^<]*)/g, (_, tag: string, text: string) => {
    let length = 0;
    return (
      tag +
      text.replace(/.{1,60}/g, (line) => {
        length = (length + 7) % 50;
        return `${line.slice(0, length)}\n${line.slice(length)}\n`;
      })
    );
  });
const large = () => xmlOf(newMemo({ documents: [{ files: [binaryFile(700_001), binaryFile(100_000)] }] }));

/** Bodies that cannot be read, with the fault at different places. */
const UNREADABLE: Readonly<Record<string, readonly [code: string, body: () => string | Buffer]>> = {
  'no XML at all': ['not-xml', () => 'hello'],
  'nothing at all': ['not-xml', () => ''],
  'no XML, 2 MB': ['not-xml', () => Buffer.alloc(2_000_000, '%PDF-1.7 ')],
  'UTF-16': ['not-utf8', () => Buffer.from(`\uFEFF${xmlOf(newMemo({}))}`, 'utf16le')],
  'another XML': ['not-memo', () => '<order/>'],
  'a fault at the last byte': ['not-xml', () => `${large()}<`],
  'a fault at the last byte after line-wrapped base64': ['not-xml', () => `${wrapped(large(), 76)}<`],
  'lines of another length': ['not-xml', () => `${wrapped(large(), 75, '\n')}<`],
  'indented lines': ['not-xml', () => `${wrapped(large(), 64, '\r\n      ')}<`],
  'lines that are all of other lengths': ['not-xml', () => `${irregular(large())}<`],
  'a fault amid such lines': [
    'content-not-base64',
    () => irregular(large()).replace(/(<memo:content>[^!]{900003})./s, '$1!'),
  ],
  'base64 in CDATA': ['not-xml', () => `${large().replace(/(<memo:content>)([^<]*)/g, '$1 <![CDATA[$2]]>\n')}<`],
  'base64 with references and comments': [
    'not-xml',
    () =>
      `${large().replace(/(<memo:content>.{9})(.)(.{70000})/g, (_, a, b, c) => `${a}&#${b.charCodeAt(0)};<!-- her -->${c}`)}<`,
  ],
  'padding that is not canonical': [
    'not-xml',
    () =>
      `${xmlOf(newMemo({ documents: [{ files: [{ ...binaryFile(1), content: Buffer.from('A') }] }] })).replace('QQ==', 'QR=\n=')}<`,
  ],
  'a fault amid large base64': ['content-not-base64', () => large().replace(/(<memo:content>.{500001})./, '$1!')],
  'a fault amid wrapped base64': [
    'content-not-base64',
    () => wrapped(large(), 76).replace(/(<memo:content>[^!]{300003})./s, '$1!'),
  ],
  'base64 that is cut off': ['content-not-base64', () => large().replace('</memo:content>', 'Q</memo:content>')],
  'something after the padding': [
    'content-not-base64',
    () =>
      xmlOf(newMemo({ documents: [{ files: [{ ...binaryFile(1), content: Buffer.from('A') }] }] })).replace(
        'QQ==',
        'QQ==QQ==',
      ),
  ],
  'no messageUUID': ['no-message-uuid', () => large().replace(/<memo:messageUUID>.*?<\/memo:messageUUID>/, '')],
  'a skeleton over the limit': [
    'skeleton-too-large',
    () => large().replace('</memo:Sender>', `${' '.repeat(70_000)}</memo:Sender>`),
  ],
  'a document type': ['forbidden-xml', () => `<!DOCTYPE x>${large()}`],
};

describe('a delivery that cannot be read is refused and kept as it came:', () => {
  it.each(Object.entries(UNREADABLE))('%s', async (_what, [code, body]) => {
    const bytes = body();
    const before = await contentFiles(stack);
    const answer = await stack.deliver(bytes);
    expect(await receiptOf(answer)).toMatchObject({ errorCode: code, receiptStatus: 'INVALID' });
    await expectKept(bytes, code);
    // Only its own container is left.
    const after = await contentFiles(stack);
    expect(after.length - before.length).toBe(Buffer.byteLength(bytes) > 65_000 ? 1 : 0);
  });
});

const FORM = 'multipart/form-data; boundary=';
const formOf = (boundary: string, content: string, name = 'file') =>
  `--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="a.xml"\r\n\r\n${content}\r\n--${boundary}--\r\n`;
const deliverForm = (boundary: string, body: string) => stack.deliver(body, { 'content-type': FORM + boundary });

describe('a form is kept with all that is around the message:', () => {
  it.each([
    ['a fault at the last byte of its message', 'not-xml', (b: string) => formOf(b, `${large()}<`)],
    [
      'a fault amid its message',
      'content-not-base64',
      (b: string) => formOf(b, large().replace(/(<memo:content>.{99})./, '$1!')),
    ],
    ['no part file', 'not-multipart', (b: string) => formOf(b, large(), 'memo')],
    ['no part file, in 3 MB', 'not-multipart', (b: string) => formOf(b, large().repeat(3), 'memo')],
    [
      'two parts file',
      'not-multipart',
      (b: string) => formOf(b, large()).replace(`--${b}--\r\n`, '') + formOf(b, large()),
    ],
    ['no end', 'not-multipart', (b: string) => formOf(b, large()).slice(0, -9)],
    [
      'a packed file',
      'unsupported-media-type',
      (b: string) => formOf(b, large()).replace('\r\n\r\n', '\r\nContent-Type: application/x-lzma\r\n\r\n'),
    ],
  ])('%s', async (_what, code, write) => {
    const body = write('b');
    expect(await receiptOf(await deliverForm('b', body))).toMatchObject({ errorCode: code });
    await expectKept(body, code);
  });

  it('one whose boundary alone differs is the same', async () => {
    const message = `${large()}<`;
    for (const boundary of ['first', '"second one"', 'third']) {
      await deliverForm(boundary, formOf(boundary.replaceAll('"', ''), message));
    }
    expect(await entries()).toMatchObject([{ count: 3 }]);
  });
});

const ENVELOPE = 'http://schemas.xmlsoap.org/soap/envelope/';
const envelope = (inside: string) =>
  `<S:Envelope xmlns:S="${ENVELOPE}"><S:Body><p:PostModtagRequest xmlns:p="urn:indbakke:sf1606:1">${inside}</p:PostModtagRequest></S:Body></S:Envelope>`;
const withoutDeclaration = (xml: string) => xml.replace(/^<\?xml[^>]*>\s*/, '');
const deliverSoap = (body: string) =>
  fetch(`${stack.url}/sf1606/soap`, { method: 'POST', headers: { 'content-type': 'text/xml' }, body });

describe('over SOAP,', () => {
  it.each([
    [
      'a message that cannot be read is kept in its envelope',
      () => envelope(withoutDeclaration(large()).replace('</memo:Sender>', '')),
      'not-xml',
    ],
    ['an envelope without a message is kept', () => envelope(''), 'not-memo'],
  ])('%s', async (_what, write, code) => {
    const body = write();
    const answer = await deliverSoap(body);
    expect(answer.status).toBe(500);
    expect(await answer.text()).toContain(`<errorCode>${code}<`);
    expect(await expectKept(body, code)).toMatchObject({ endpoint: 'soap' });
  });

  it('accepted bytes are answered with the receipt of the operation', async () => {
    const messageUUID = randomUUID();
    const body = envelope(withoutDeclaration(xmlOf(newMemo({ messageUUID }))).replace('</memo:Sender>', ''));
    await deliverSoap(body);
    const id = (await entries())[0]?.id as string;
    expect((await asOperator('PUT', `/${id}/acceptance`)).status).toBe(204);
    const answer = await deliverSoap(body);
    const xml = await answer.text();
    expect(answer.status).toBe(200);
    expect(xml).toMatch(/<soap:Body><PostModtagResponse xmlns="urn:indbakke:sf1606:1"><transmissionId>[0-9a-f-]{36}</);
    expect(xml).toContain(`<messageUUID>${messageUUID}<`);
    expect(xml).toContain('<receiptStatus>COMPLETED<');
  });
});

const asOperator = (method: string, path = '', roles = ['Indbakke.Drift'], headers: Record<string, string> = {}) =>
  stack.call(method, `/quarantine${path}`, { as: { operator: true, user: 'operator-1', roles }, headers });
const listed = async (query = '') =>
  ((await (await asOperator('GET', query)).json()) as { items: (Record<string, unknown> & { id: string })[] }).items;
const statusOf = async (body: string | Buffer) => (await receiptOf(await stack.deliver(body))).receiptStatus;

describe('what an operator sees and decides:', () => {
  it('an entry for each content and reason, with times, count and id, and nothing of the content', async () => {
    const messageUUID = randomUUID();
    const memo = xmlOf(newMemo({ messageUUID, subject: 'Om Emma Testesen', documents: [{ files: [binaryFile(10)] }] }));
    await stack.deliver(`${memo}<`);
    await stack.deliver('<hell');
    await stack.deliver(`${memo}<`);
    const answer = await asOperator('GET');
    expect(await answer.clone().text()).not.toMatch(/Testesen|4101019999|hell/);
    expect(await listed()).toEqual([
      expect.objectContaining({
        reason: 'not-xml',
        count: 2,
        messageUUID,
        size: memo.length + 1,
        caller: '127.0.0.1',
        endpoint: 'rest',
        hasContent: true,
        status: 'kept',
      }),
      expect.objectContaining({ count: 1, messageUUID: null, path: null, size: 5 }),
    ]);
    expect(await listed('?status=answer-accepted')).toEqual([]);
  });

  it('its bytes, whole or in part, with the role for that, and only with it', async () => {
    const body = `${large()}<`;
    await stack.deliver(body);
    const [{ id } = { id: '' }] = await listed();
    const download = (headers = {}) => asOperator('GET', `/${id}/content`, ['Indbakke.Karantæne'], headers);
    const whole = await download();
    expect(whole.headers.get('content-type')).toBe('application/octet-stream');
    expect(whole.headers.get('content-disposition')).toBe(`attachment; filename=karantaene-${id}.bin`);
    expect(await whole.text()).toBe(body);
    const part = await download({ range: 'bytes=700000-700009' });
    expect([part.status, await part.text()]).toEqual([206, body.slice(700_000, 700_010)]);
    for (const roles of [['Indbakke.Drift'], ['Indbakke.Opsætning', 'Revisionslog.Læs']]) {
      expect((await asOperator('GET', `/${id}/content`, roles)).status).toBe(403);
    }
    expect((await asOperator('GET', '', ['Indbakke.Karantæne'])).status).toBe(403);
  });

  it('accepted bytes get the same receipt each time, nothing reaches the inbox, and it can be taken back', async () => {
    const messageUUID = randomUUID();
    const body = `${xmlOf(newMemo({ messageUUID }))}<`;
    expect(await statusOf(body)).toBe('INVALID');
    const [{ id } = { id: '' }] = await listed();
    expect((await asOperator('PUT', `/${id}/acceptance`)).status).toBe(204);
    const receipts = [await (await stack.deliver(body)).text(), await (await stack.deliver(body)).text()];
    expect(receipts[0]).toBe(receipts[1]);
    expect(JSON.parse(receipts[0] as string)).toMatchObject({ receiptStatus: 'COMPLETED', messageUUID });
    expect(await stack.sql('SELECT FROM messages WHERE external_id = $1', [messageUUID])).toEqual([]);
    expect(await statusOf(`${body} `)).toBe('INVALID'); // other bytes
    expect(await listed('?status=answer-accepted')).toMatchObject([{ id, count: 3, acceptedCount: 2 }]);

    expect((await asOperator('DELETE', `/${id}/acceptance`)).status).toBe(204);
    expect(await statusOf(body)).toBe('INVALID');
    expect(await listed()).toContainEqual(expect.objectContaining({ id, status: 'kept', count: 4, acceptedAt: null }));
  });

  it('a removed entry is gone with its content, and the same bytes are a new one', async () => {
    const before = await contentFiles(stack);
    const body = `${large()}<`;
    await stack.deliver(body);
    const [{ id } = { id: '' }] = await listed();
    expect((await asOperator('DELETE', `/${id}`)).status).toBe(204);
    expect(await contentFiles(stack)).toEqual(before);
    expect(await stack.sql('SELECT FROM content_removals')).toEqual([]);
    expect((await asOperator('GET', `/${id}/content`, ['Indbakke.Karantæne'])).status).toBe(404);
    await stack.deliver(body);
    expect(await listed()).toEqual([expect.objectContaining({ count: 1 })]);
  });
});

it('keeps nothing of a delivery that can be read, whatever it is refused for, nor of one that is not whole', async () => {
  const refused = [
    xmlOf({ ...newMemo({}), recipient: { id: '99999999' } }),
    xmlOf({ ...newMemo({}), recipient: { id: '4101019999', idType: 'CPR' } }),
    Buffer.alloc(MAX_MESSAGE_BYTES + 1, ' '),
    Buffer.concat([Buffer.from('hello'), Buffer.alloc(MAX_MESSAGE_BYTES, ' ')]),
  ];
  for (const body of refused) expect(['INVALID', 'NOT_ALLOWED']).toContain(await statusOf(body));
  expect(await statusOf(xmlOf(newMemo({})))).toBe('COMPLETED');
  expect(await entries()).toEqual([]);
});

it('leaves nothing of a message with such lines that can be read', async () => {
  const messageUUID = randomUUID();
  const before = await contentFiles(stack);
  const xml = irregular(xmlOf(newMemo({ messageUUID, documents: [{ files: [binaryFile(700_001)] }] })));
  expect(await statusOf(xml)).toBe('COMPLETED');
  const [message] = await stack.sql('SELECT content_size, blob_name FROM messages WHERE external_id = $1', [
    messageUUID,
  ]);
  expect(message).toMatchObject({ content_size: '700001' });
  expect((await contentFiles(stack)).filter((name) => !before.includes(name))).toEqual([message?.blob_name]);
});

it('keeps nothing that a stranger sends', async () => {
  const answer = await stack.deliver('hello', { 'x-forwarded-for': '203.0.113.9' });
  expect(await receiptOf(answer)).toMatchObject({ errorCode: 'caller-not-allowed' });
  expect(await entries()).toEqual([]);
});

it('finds the id also in a body that comes a few bytes at a time', async () => {
  const messageUUID = randomUUID();
  const body = Buffer.from(`<!DOCTYPE x>${xmlOf(newMemo({ messageUUID }))}`);
  const connection = await openConnection(stack.url);
  await connection.send(deliveryHead(['Content-Type: application/xml', 'Transfer-Encoding: chunked']));
  for (let at = 0; at < body.length; at += 50) await connection.sendChunk(body.subarray(at, at + 50));
  await connection.send('0\r\n\r\n');
  expect((await connection.answer()).status).toBe(400);
  connection.close();
  expect(await expectKept(body, 'forbidden-xml')).toMatchObject({ message_uuid: messageUUID });
});

it('has one entry of the same bytes, however many come at once', async () => {
  const body = `${large()}<`;
  await Promise.all(Array.from({ length: 8 }, () => stack.deliver(body)));
  expect(await entries()).toMatchObject([{ count: 8 }]);
  await expectKept(body, 'not-xml');
});
