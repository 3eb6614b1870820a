import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, open, readdir, readlink, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HAS_PDFTOTEXT, textOfPdf } from '../../../infra/src/testkit/pdf-text.js';
import { CONTACT_POINT, startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { unzip } from '../../../infra/src/testkit/unzip.js';
import type { MemoSpec, MemoSpecFile } from '../../../infra/src/testkit/write-memo.js';
import { auditOf, deliverDocument, deliverMemo, expectProblem, read } from '../../../shared/test/inbox/support.js';
import { ZIP_READERS } from './support/zip-readers.js';

let stack: TestStack;
let folder: string;

beforeAll(async () => {
  stack = await startTestStack({ SMALL_CONTENT_BYTES: '0' });
  folder = await mkdtemp(join(tmpdir(), 'indbakke-zip-'));
});

afterAll(async () => {
  await stack.close();
  await rm(folder, { recursive: true, force: true });
});

const get = (id: string, headers: Record<string, string> = {}, method = 'GET', query = '') =>
  stack.call(method, `/incoming-documents/${id}/zip${query}`, { headers });

async function download(id: string, query = ''): Promise<Buffer> {
  const response = await get(id, {}, 'GET', query);
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

const file = (name: string, content: string | Buffer = name, type = 'text/plain'): MemoSpecFile => ({
  name,
  type,
  content: Buffer.from(content),
});

const SHEET = 'følgeseddel.pdf';

const HOSTILE_NAMES = [
  ...[
    'bilag',
    'teknisk',
    'FØLGESEDDEL.pdf',
    'følgeseddel.pdf',
    '../../x.txt',
    '/etc/passwd',
    'C:\\x.txt',
    '\\\\srv\\x',
  ],
  ...['con', 'NUL.txt', 'com¹.pdf', 'LPT³', 'CONIN$', 'conout$ .txt', 'aux .pdf', 'com0', '..', '', '   ', '.htaccess'],
  ...['slut .', 'slut. . ', 'a?*|<>.txt', 'exe\u202Efdp.pdf', '\u200B', '\u200D', '\uFEFFx.txt', '\u00ADx.txt'],
  ...['👩\u200D👧.png', 'می\u200Cخواهم.pdf', 'क्\u200Dष.pdf', 'A\u030A.txt', 'Å.txt', 'å.TXT', 'straße', 'STRASSE'],
  ...['ქ', 'ก', '漢', '😀'].map((letter) => `${letter.repeat(300)}.pdf`),
];

describe('a zip of every kind of name and content', () => {
  const noise = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 7919 + (at >> 3)) & 0xff));
  let zip: Buffer;
  let files: Map<string, Buffer>;

  beforeAll(async () => {
    const id = await deliverMemo(stack, {
      documents: [
        { files: [file('brev.txt', 'Kære kommune\n'.repeat(10_000)), file('brev.pdf', noise, 'application/pdf')] },
        { files: [file('blåbærgrød.png', noise.subarray(7), 'image/png'), file('tom.txt', ''), file('tom.pdf', '')] },
        { files: HOSTILE_NAMES.map((name, at) => file(name, `navn ${at}`)) },
        { files: Array.from({ length: 300 }, (_, at) => file(at % 2 ? 'samme.pdf' : 'Samme.PDF', `samme ${at}`)) },
      ],
    });
    zip = await download(id);
    files = unzip(zip);
  });

  it('contains every file, byte for byte, and nothing else', () => {
    expect(files.get('brev.txt')?.toString()).toBe('Kære kommune\n'.repeat(10_000));
    expect(files.get('brev.pdf')?.equals(noise)).toBe(true);
    expect(files.get('bilag/blåbærgrød.png')?.equals(noise.subarray(7))).toBe(true);
    expect(files.get('bilag/tom.txt')).toHaveLength(0);
    const contents = new Set([...files.values()].map(String));
    for (const at of HOSTILE_NAMES.keys()) expect(contents).toContain(`navn ${at}`);
    for (let at = 0; at < 300; at += 1) expect(contents).toContain(`samme ${at}`);
    expect(files.size).toBe(5 + HOSTILE_NAMES.length + 300);
  });

  it('names each of 300 files with one name', () => {
    const same = [...files.keys()].filter((name) => /samme/i.test(name));
    expect(same).toHaveLength(300);
    expect(same.slice(0, 3)).toEqual(['bilag/Samme.PDF', 'bilag/samme (2).pdf', 'bilag/Samme (3).PDF']);
  });

  it('has names that are safe on any system, and unique in any case and normal form', () => {
    const names = [...files.keys()];
    expect(new Set(names.map((name) => name.toUpperCase().toLowerCase().normalize('NFD'))).size).toBe(files.size);
    for (const part of names.flatMap((name) => name.split('/'))) {
      expect(Buffer.byteLength(part)).toBeLessThanOrEqual(255);
      expect(part).toMatch(/^[^<>:"\\|?*\p{Cc}\p{Bidi_Control}\u200B\uFEFF\u00AD]+$/u);
      expect(part).not.toMatch(/^(con|prn|aux|nul|(com|lpt)[\d¹²³]|conin\$|conout\$) *(\.|$)|^[. ]|[. ]$/i);
    }
  });

  it.each(['👩\u200D👧.png', 'می\u200Cخواهم.pdf', 'क्\u200Dष.pdf', 'Å.txt'])('keeps %j as it is written', (name) => {
    expect(files.has(`bilag/${name}`)).toBe(true);
  });

  for (const { name: reader, here, unpack } of ZIP_READERS) {
    it.skipIf(!here)(`is read by ${reader}`, async () => {
      const path = join(folder, `${randomUUID()}.zip`);
      await writeFile(path, zip);
      const read = await unpack(path, `${path}.unpacked`);
      expect([...read.keys()].toSorted()).toEqual([...files.keys()].toSorted());
      for (const [name, content] of files) expect(read.get(name)?.equals(content), name).toBe(true);
    });

    it.skipIf(!here)(`is read by ${reader} with a cover sheet alone`, async () => {
      const path = join(folder, `${randomUUID()}.zip`);
      await writeFile(path, await download(await deliverMemo(stack, { documents: [] }), '?include=cover'));
      expect([...(await unpack(path, `${path}.unpacked`)).keys()]).toEqual([SHEET]);
    });
  }
});

describe('the zip', () => {
  it('has a name that reveals nothing about the message', async () => {
    const id = await deliverMemo(stack, { subject: 'Underretning om Test Testesen' });
    const response = await get(id);
    await response.arrayBuffer();
    expect(response.headers.get('content-type')).toBe('application/zip');
    expect(response.headers.get('content-disposition')).toMatch(
      /^attachment; filename="?digital-post-\d{4}-\d\d-\d\d-[0-9a-f]{8}\.zip"?$/,
    );
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('is recorded as a read in the audit log', async () => {
    const id = await deliverMemo(stack);
    await download(id);
    const actions = (await auditOf(stack, { messageId: id })).map(({ action, actor }) => `${action} ${actor}`);
    expect(actions).toEqual(['accepted serviceplatformen', 'read-zip caseworker-1']);
  });

  it('is recorded with what is in it', async () => {
    const id = await deliverMemo(stack);
    await download(id, '?include=original,cover,cover&cover=full');
    expect((await auditOf(stack, { messageId: id })).at(-1)).toMatchObject({
      action: 'read-zip',
      details: { include: 'cover original', cover: 'full' },
    });
  });

  it('has technical documents, the original and a cover sheet only when asked for', async () => {
    const id = await deliverMemo(stack, {
      documents: [
        { files: [file('brev.txt')] },
        { files: [file('bilag.txt')] },
        { technical: true, files: [file('data.xml', '<x/>', 'text/xml')] },
      ],
    });
    const namesOf = async (query: string) => [...unzip(await download(id, query)).keys()];
    const documents = ['brev.txt', 'bilag/bilag.txt'];
    expect(await namesOf('')).toEqual(documents);
    expect(await namesOf('?include=technical')).toEqual([...documents, 'teknisk/data.xml']);
    expect(await namesOf('?include=original')).toEqual([...documents, 'teknisk/meddelelse.xml']);
    expect(await namesOf('?include=technical,cover,original')).toEqual([
      SHEET,
      ...documents,
      'teknisk/data.xml',
      'teknisk/meddelelse.xml',
    ]);
  });

  it('has the original although the message has nothing that the documents do not show', async () => {
    const messageUUID = randomUUID();
    const id = await deliverMemo(stack, { messageUUID });
    const original = unzip(await download(id, '?include=original')).get('teknisk/meddelelse.xml');
    expect(original?.toString()).toContain(messageUUID);
  });

  it.each([
    '?include=',
    '?include=alt',
    '?include=cover,',
    '?cover=full',
    '?include=cover&cover=halv',
    '?include=cover&include=original',
  ])('is refused with %s', async (query) => {
    const id = await deliverMemo(stack);
    await expectProblem(await get(id, {}, 'GET', query), 400, 'bad-request');
  });

  it('of a message without files is empty', async () => {
    const id = await deliverMemo(stack, { documents: [] });
    expect([...unzip(await download(id)).keys()]).toEqual([]);
  });

  it('has the Danish date of receipt in its name', async () => {
    const id = await deliverMemo(stack);
    await stack.sql(`UPDATE messages SET received_at = '2026-11-01T23:30:00Z' WHERE id = $1`, [id]);
    expect((await get(id, {}, 'HEAD')).headers.get('content-disposition')).toContain('digital-post-2026-11-02-');
  });

  it('of an unknown message is not found', async () => {
    await expectProblem(await get(randomUUID()), 404, 'not-found');
  });

  it('has the same bytes when its files were stored before their checksums were kept', async () => {
    const id = await deliverMemo(stack, {
      documents: [{ files: [file('a.pdf', Buffer.alloc(200_000, 'a'), 'application/pdf'), file('tom.txt', '')] }],
    });
    const before = await download(id);
    const forgotten = await stack.sql(
      'UPDATE files SET crc32 = NULL WHERE message_id = $1 AND crc32 IS NOT NULL RETURNING id',
      [id],
    );
    expect(forgotten).toHaveLength(2);
    expect((await download(id)).equals(before)).toBe(true);
  });
});

describe('the zip of a document from Fordelingskomponenten', () => {
  it('has only the cover sheet when its only file is on its way or never came', async () => {
    const id = await deliverDocument(stack, { fileName: 'udtalelse.pdf' });
    expect([...unzip(await download(id, '?include=technical')).keys()]).toEqual(['følgeseddel.pdf']);
    await stack.sql(`UPDATE files SET status = 'missing' WHERE message_id = $1`, [id]);
    expect([...unzip(await download(id)).keys()]).toEqual(['følgeseddel.pdf']);
  });

  it('has what is here of a document whose file is on its way, and says what is not', async () => {
    const id = await deliverDocument(stack, {
      fileName: 'opkald.pdf',
      object: { type: 'JOURNALPOST', note: 'Moren ringede' },
    });
    const files = unzip(await download(id));
    expect([...files.keys()]).toEqual(['følgeseddel.pdf', 'bilag/Notat.txt']);
    expect(String(files.get('bilag/Notat.txt'))).toBe('Moren ringede');
  });

  it('has the request as it came, under a name of its own', async () => {
    const objectId = randomUUID();
    const object = { type: 'FORMULAR', content: Buffer.from('%PDF-1.7 felter') } as const;
    const files = unzip(await download(await deliverDocument(stack, { objectId, object }), '?include=original'));
    expect([...files.keys()]).toEqual(['Ansøgning.pdf', 'teknisk/fordelingsobjekt.xml']);
    const original = String(files.get('teknisk/fordelingsobjekt.xml'));
    expect(original).toContain(objectId);
    expect(original).toContain('FormularXML');
  });

  it('is called after how it came', async () => {
    const response = await get(await deliverDocument(stack));
    await response.arrayBuffer();
    expect(response.headers.get('content-disposition')).toMatch(
      /"?fordelingskomponenten-\d{4}-\d\d-\d\d-[0-9a-f]{8}\.zip"?$/,
    );
  });
});

describe('a zip on the way', () => {
  let id: string;
  let whole: Buffer;
  let etag: string;

  beforeAll(async () => {
    const files = ['a.pdf', 'b.pdf'].map((name) => file(name, Buffer.alloc(200_000, name), 'application/pdf'));
    id = await deliverMemo(stack, { contactPointId: CONTACT_POINT, documents: [{ files }] });
    const response = await get(id);
    whole = Buffer.from(await response.arrayBuffer());
    etag = response.headers.get('etag') as string;
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-length': String(whole.length),
      'accept-ranges': 'bytes',
      etag: expect.stringMatching(/^"[0-9a-f]{64}"$/),
    });
  });

  it('has the same bytes and entity tag every time', async () => {
    const again = await get(id);
    expect(again.headers.get('etag')).toBe(etag);
    expect(Buffer.from(await again.arrayBuffer()).equals(whole)).toBe(true);
  });

  it.each([
    ['the first byte', 0, 1],
    ['a header', 10, 50],
    ['a header and the beginning of a content', 10, 80_000],
    ['the middle of a content', 100_000, 150_000],
    ['the end of one content and the beginning of the next', 150_000, 300_000],
    ['all contents', 2_000, 399_000],
    ['the directory', -200, Number.POSITIVE_INFINITY],
  ])('a range of %s is that part of it', async (_what, from, to) => {
    const [start, end] = [from < 0 ? whole.length + from : from, Math.min(to, whole.length)];
    const response = await get(id, { range: from < 0 ? `bytes=${from}` : `bytes=${start}-${end - 1}` });
    expect(response.status).toBe(206);
    expect(response.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/${whole.length}`);
    expect(response.headers.get('content-length')).toBe(String(end - start));
    expect(Buffer.from(await response.arrayBuffer()).equals(whole.subarray(start, end))).toBe(true);
  });

  it('is continued where it broke off', async () => {
    const begun = await get(id);
    const reader = (begun.body as ReadableStream<Uint8Array>).getReader();
    const first = Buffer.from((await reader.read()).value as Uint8Array);
    await reader.cancel();
    const rest = await get(id, { range: `bytes=${first.length}-`, 'if-range': etag });
    expect(rest.status).toBe(206);
    expect(Buffer.concat([first, Buffer.from(await rest.arrayBuffer())]).equals(whole)).toBe(true);
  });

  it('outside the zip is refused with its size', async () => {
    const response = await get(id, { range: `bytes=${whole.length}-` });
    await expectProblem(response, 416, 'range-not-satisfiable');
    expect(response.headers.get('content-range')).toBe(`bytes */${whole.length}`);
  });

  it('that the caller has already is not sent again', async () => {
    const response = await get(id, { 'if-none-match': etag });
    expect(response.status).toBe(304);
    expect(await response.text()).toBe('');
  });

  it('that has changed meanwhile is sent from its beginning, under another entity tag', async () => {
    const withSheet = (headers = {}) => get(id, headers, 'GET', '?include=cover');
    const before = await withSheet();
    const first = Buffer.from(await before.arrayBuffer());
    const etag = before.headers.get('etag') as string;
    const same = await withSheet({ range: 'bytes=100-', 'if-range': etag });
    expect(Buffer.from(await same.arrayBuffer()).equals(first.subarray(100))).toBe(true);
    await stack.sql(`UPDATE contact_points SET name = 'Børn og Unge'`);
    const response = await withSheet({ range: 'bytes=100-', 'if-range': etag });
    await stack.sql(`UPDATE contact_points SET name = 'Børn og familie'`);
    expect(response.status).toBe(200);
    expect(response.headers.get('etag')).not.toBe(etag);
    expect(unzip(Buffer.from(await response.arrayBuffer())).has(SHEET)).toBe(true);
  });

  it('is described by HEAD as by GET, and no file stays open', async () => {
    const [head, whole] = [await get(id, {}, 'HEAD'), await get(id)];
    await whole.arrayBuffer();
    const headersOf = ({ headers }: Response) =>
      Object.fromEntries(
        [...headers].filter(([name]) => !['date', 'x-correlation-id', 'connection', 'keep-alive'].includes(name)),
      );
    expect(head.status).toBe(200);
    expect(headersOf(head)).toEqual(headersOf(whole));
    expect(await head.text()).toBe('');
    await expect.poll(openContainers).toEqual([]);
  });
});

describe.runIf(HAS_PDFTOTEXT)('the cover sheet', () => {
  /** The text of its pages, a line each, without the spaces of the layout. */
  async function linesOf(memo: MemoSpec, cover = 'masked', prepare = async (_id: string) => {}): Promise<string[]> {
    const id = await deliverMemo(stack, memo);
    await stack.sql(`UPDATE messages SET received_at = '2026-11-02T09:30:00Z' WHERE id = $1`, [id]);
    await prepare(id);
    return linesIn(unzip(await download(id, `?include=cover&cover=${cover}`)).get(SHEET) as Buffer);
  }

  const linesIn = (sheet: Buffer): string[] =>
    textOfPdf(sheet)
      .split(/[\n\f]/)
      .flatMap((line) => line.trim().replaceAll(/ {2,}/g, ' | ') || []);

  const MEMO: MemoSpec = {
    messageUUID: '3f1c0d7e-5a52-4b4c-8f35-0a7c5a1e2b90',
    subject: 'Ansøgning om støtte til 410101-9999',
    sender: { id: '4101019999', name: 'Test Æøåsen' },
    concerning: { cpr: '4303039999', name: 'Barn Testesen' },
    contactPointId: CONTACT_POINT,
    contactInfo: [{ label: 'Barnets CPR-nummer', value: '43 03 03 9999' }],
    createdDateTime: '2026-11-01T23:12:00Z',
    documents: [
      { files: [file('brev 4303039999.txt', 'x'.repeat(12_345))] },
      { files: [file('foto: sommer.png', 'y', 'image/png'), file('tom.txt', '')] },
    ],
  };

  it('describes the message and the files of the zip in Danish, with dates of birth in place of CPR numbers', async () => {
    expect(await linesOf(MEMO)).toEqual([
      'Følgeseddel',
      'Emne | Ansøgning om støtte til 410101-xxxx',
      'Type | Henvendelse',
      'Modtaget gennem | Digital Post',
      'Afsender | Test Æøåsen',
      'Afsenders CPR-nummer | 410101-xxxx',
      'Vedrører | Barn Testesen',
      'Vedrørendes CPR-nummer | 430303-xxxx',
      'Kontaktpunkt | Børn og familie',
      'Brevets dato | 2. november 2026 kl. 00.12',
      'Modtaget | 2. november 2026 kl. 10.30',
      'Meddelelsens id | 3f1c0d7e-5a52-4b4c-8f35-0a7c5a1e2b90',
      'Oplysninger fra afsenderen',
      'Barnets CPR-nummer | 430303-xxxx',
      'Filer',
      'brev 430303-xxxx.txt (12.345 byte)',
      'bilag/foto_ sommer.png (1 byte, oprindeligt navn: foto: sommer.png)',
      'bilag/tom.txt (0 byte)',
    ]);
  });

  it('has whole numbers when asked for', async () => {
    const lines = await linesOf({ ...MEMO, messageUUID: randomUUID() }, 'full');
    expect(lines).toContain('Afsenders CPR-nummer | 4101019999');
    expect(lines).toContain('Barnets CPR-nummer | 43 03 03 9999');
    expect(lines).toContain('Emne | Ansøgning om støtte til 410101-9999');
  });

  it.each([
    [{ sender: { id: '33333333', idType: 'CVR', name: 'Firma' } }, 'Afsenders CVR-nummer | 33333333'],
    [{ representative: { name: 'Værge Testesen' } }, 'På vegne af afsender | Værge Testesen'],
    [{ replyData: [{ messageUUID: randomUUID(), replyUUID: randomUUID() }] }, 'Type | Svar'],
    [{ forwardedFrom: 'Region' }, 'Type | Videresendt'],
    [{ createdDateTime: '2026-07-01T10:00:00Z' }, 'Brevets dato | 1. juli 2026 kl. 12.00'],
    [{ subject: 'Łódź, Gülşen, Ελλάδα, Київ, Đặng' }, 'Emne | Łódź, Gülşen, Ελλάδα, Київ, Đặng'],
  ])('%j gives %j', async (memo, line) => {
    expect(await linesOf(memo as MemoSpec)).toContain(line);
  });

  it.each(['expected', 'missing'])(
    'names a file that is %s, and is then in a zip without being asked for',
    async (status) => {
      const id = await deliverMemo(stack, { documents: [{ files: [file('her.txt'), file('ikke her.txt')] }] });
      await stack.sql(
        `UPDATE files SET status = $2, size = 0, sha256 = NULL, container_index = NULL, container_offset = NULL
       WHERE message_id = $1 AND file_name = 'ikke her.txt'`,
        [id, status],
      );
      const files = unzip(await download(id));
      expect([...files.keys()]).toEqual([SHEET, 'her.txt']);
      const named = linesIn(files.get(SHEET) as Buffer).slice(-2);
      expect(named).toEqual(['her.txt (7 byte)', 'ikke her.txt (ikke modtaget)']);
    },
  );

  it('describes a document from Fordelingskomponenten, and what of it is not here', async () => {
    const objectId = randomUUID();
    const id = await deliverDocument(stack, {
      objectId,
      fileName: 'udtalelse.pdf',
      object: {
        type: 'DOKUMENT',
        title: 'Udtalelse om 430303-9999',
        description: 'Fra skolen',
        exemption: { title: 'Udtalelse', law: 'Offentlighedsloven § 30' },
        parties: [
          { role: 'PrimaerPart', type: 'Person', urn: 'urn:oio:cpr-nr:4303039999' },
          { role: 'SekundaerPart', type: 'Person', text: 'Mor Testesen' },
          { role: 'KopiModtager', type: 'Virksomhed', text: '44444444' },
        ],
      },
    });
    await stack.sql(`UPDATE messages SET received_at = '2026-11-02T09:30:00Z' WHERE id = $1`, [id]);
    expect(linesIn(unzip(await download(id, '?include=cover')).get(SHEET) as Buffer)).toEqual([
      'Følgeseddel',
      'Emne | Udtalelse om 430303-xxxx',
      'Type | Dokument',
      'Modtaget gennem | Fordelingskomponenten',
      'Myndighedens CVR-nummer | 11111111',
      'Vedrørendes CPR-nummer | 430303-xxxx',
      'KLE-nummer | 27.24.00',
      'Undtaget fra aktindsigt | Offentlighedsloven § 30',
      'Titel ved aktindsigt | Udtalelse',
      'Brevets dato | 15. januar 2026 kl. 00.00',
      'Modtaget | 2. november 2026 kl. 10.30',
      `Dokumentets id | ${objectId}`,
      'Parter',
      'Primær part | 430303-xxxx',
      'Sekundær part | Mor Testesen',
      'Kopimodtager | 44444444',
      'Oplysninger fra afsenderen',
      'Beskrivelse | Fra skolen',
      'Dokumenttype | Brev',
      'Dokumentnøgle | DOK-2026-000123',
      'Filer',
      'udtalelse.pdf (ikke modtaget)',
    ]);
  });

  it('does not let a sender fake a line', async () => {
    const lines = await linesOf({
      subject: 'Emne\r\nAfsender: Statsministeriet\u2028Modtaget: i går',
      contactPointId: CONTACT_POINT,
      contactInfo: [{ label: 'a\nFiler', value: 'b\r\n  falsk.txt (1 byte)' }],
      documents: [{ files: [file('x\n  ægte.txt (9 byte)')] }],
    });
    expect(lines).toContain('Emne | Emne Afsender: Statsministeriet Modtaget: i går');
    expect(lines.filter((line) => line === 'Filer')).toHaveLength(1);
    expect(lines.filter((line) => /^(falsk|ægte)/.test(line))).toEqual([]);
  });

  it('goes on over pages, each value beside its field', async () => {
    const contactInfo = [
      { label: 'Først', value: 'ord '.repeat(60).trim() },
      { label: 'Sidst', value: 'slut' },
    ];
    const documents = Array.from({ length: 120 }, (_, at) => ({ files: [file(`bilag ${at}.txt`)] }));
    const lines = await linesOf({
      subject: 'emne '.repeat(50).trim(),
      contactPointId: CONTACT_POINT,
      contactInfo,
      documents,
    });
    expect(lines).toContain('Sidst | slut');
    expect(lines.at(-1)).toContain('bilag 119.txt');
    expect(lines.filter((line) => line.includes('bilag '))).toHaveLength(120);
  });
});

async function openContainers(): Promise<string[]> {
  const links = (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''));
  return (await Promise.all(links)).filter((link) => link.startsWith(stack.contentFolder));
}

describe('a zip that cannot be finished', () => {
  const SMALL = 100_000;
  const LARGE = 8_000_000; // more than sockets and streams buffer while nothing is read

  async function takeIn(size: number): Promise<string> {
    const content = Buffer.alloc(size, 'x');
    return deliverMemo(stack, {
      documents: [{ files: [file('a.pdf', content, 'application/pdf'), file('b.pdf', content, 'application/pdf')] }],
    });
  }

  async function containerOf(id: string): Promise<string> {
    const [row] = await stack.sql<{ blob_name: string }>('SELECT blob_name FROM messages WHERE id = $1', [id]);
    const name = row?.blob_name as string;
    return join(stack.contentFolder, name.slice(0, 2), name);
  }

  async function damage(path: string, at: number): Promise<void> {
    const handle = await open(path, 'r+');
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, at);
    await handle.write(Buffer.from([(byte[0] as number) ^ 0x40]), 0, 1, at);
    await handle.close();
  }

  it.each([
    ['in the middle', 0.7],
    ['at the start of a content', 0.001],
    ['in its header', 0],
  ])('because a byte of the container is wrong %s is cut off, and the service goes on', async (_where, part) => {
    const id = await takeIn(LARGE);
    const path = await containerOf(id);
    await damage(path, Math.floor((await stat(path)).size * part));
    const answer = get(id).then((response) => response.arrayBuffer());
    await expect(answer).rejects.toThrow();
    expect((await fetch(`${stack.url}/healthz`)).status).toBe(200);
    await expect.poll(openContainers).toEqual([]);
  });

  it('because a byte is wrong is served up to there in ranges', async () => {
    const id = await takeIn(LARGE);
    const path = await containerOf(id);
    await damage(path, Math.floor((await stat(path)).size * 0.7));
    const range = (from: number, to: number) => get(id, { range: `bytes=${from}-${to}` });
    expect(await (await range(0, LARGE)).arrayBuffer()).toHaveProperty('byteLength', LARGE + 1);
    await expect(range(LARGE, 1.9 * LARGE).then((response) => response.arrayBuffer())).rejects.toThrow();
  });

  it.each([
    ['its end is wrong', async (path: string) => damage(path, (await stat(path)).size - 5)],
    ['its end is missing', async (path: string) => truncate(path, (await stat(path)).size - 5)],
    ['most of it is missing', (path: string) => truncate(path, 1_000)],
  ])('because %s is refused before its first byte', async (_what, change) => {
    const id = await takeIn(SMALL);
    await change(await containerOf(id));
    const response = await get(id);
    await expectProblem(response, 500, 'content-damaged');
    expect(response.headers.get('content-disposition')).toBeNull();
    expect((await get(id, {}, 'HEAD')).status).toBe(500);
    await expect.poll(openContainers).toEqual([]);
  });

  it.each([
    ['is missing', async (id: string) => rm(await containerOf(id))],
    ['is at another place', async (id: string) => rename(await containerOf(id), join(folder, id))],
    // As in production, where small content stands in a row.
    ['is no longer in its row', (id: string) => stack.sql('UPDATE messages SET blob_name = NULL WHERE id = $1', [id])],
    ['has lost its key', (id: string) => stack.sql('DELETE FROM message_keys WHERE message_id = $1', [id])],
  ])('because its container %s is gone before its first byte', async (_what, remove) => {
    const id = await takeIn(SMALL);
    const { etag } = Object.fromEntries((await get(id, {}, 'HEAD')).headers);
    await remove(id);
    const response = await get(id);
    await expectProblem(response, 410, 'content-gone');
    expect(response.headers.get('content-disposition')).toBeNull();
    expect((await get(id, {}, 'HEAD')).status).toBe(410);
    expect((await get(id, { range: 'bytes=0-9' })).status).toBe(410);
    expect((await get(id, { 'if-none-match': `${etag}` })).status).toBe(410);
    expect((await read(stack, id)).status).toBe('pending');
  });

  it('because the caller disconnects leaves no file open', async () => {
    const id = await takeIn(LARGE);
    const authorization = `Bearer ${await stack.token()}`;
    const call = request(`${stack.url}/api/v1/incoming-documents/${id}/zip`, { headers: { authorization } });
    call.end();
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    response.on('error', () => {}); // from call.destroy() below
    await once(response, 'readable'); // and no more: reading would grow the socket's buffer
    expect(await openContainers()).toHaveLength(1);
    call.destroy();
    await expect.poll(openContainers).toEqual([]);
    expect((await fetch(`${stack.url}/healthz`)).status).toBe(200);
  });
});
