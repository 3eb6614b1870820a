import { createHash, randomUUID } from 'node:crypto';
import { open, readdir, readlink, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { textDocument, writeMemo } from '../../../infra/src/testkit/write-memo.js';
import { auditOf, deliverMemo, expectProblem, read } from '../../../shared/test/inbox/support.js';

// More than three segments of a container, so that ranges begin, end and span their boundaries.
const SEGMENT = 65_536;
const CONTENT = Buffer.from(Array.from({ length: 3 * SEGMENT + 1_000 }, (_, at) => (at * 31 + (at >> 8)) & 0xff));

let stack: TestStack;
let id: string;
let fileId: string;

beforeAll(async () => {
  stack = await startTestStack({ SMALL_CONTENT_BYTES: '0' });
  const files = [{ name: 'brev.pdf', type: 'application/pdf', content: CONTENT }];
  id = await deliverMemo(stack, { documents: [{ files }] });
  fileId = await onlyFileOf(id);
});

afterAll(() => stack.close());

async function onlyFileOf(messageId: string): Promise<string> {
  return (await read(stack, messageId)).documents[0]?.files[0]?.id as string;
}

const get = (headers: Record<string, string> = {}, method = 'GET', of = { id, fileId }) =>
  stack.call(method, `/incoming-documents/${of.id}/files/${of.fileId}`, { headers });

const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer());

/** Delivers a message with one file of this name and type, and downloads the file. */
async function fileNamed(name: string, type = 'text/plain'): Promise<Response> {
  const messageId = await deliverMemo(stack, {
    documents: [{ files: [{ name, type, content: Buffer.from('indhold') }] }],
  });
  return get({}, 'GET', { id: messageId, fileId: await onlyFileOf(messageId) });
}

describe('a file', () => {
  it('is downloaded byte for byte', async () => {
    const response = await get();
    expect(response.status).toBe(200);
    expect((await bytesOf(response)).equals(CONTENT)).toBe(true);
    const sha256 = createHash('sha256').update(CONTENT).digest('hex');
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-length': String(CONTENT.length),
      'content-type': 'application/pdf',
      'content-disposition': 'attachment; filename=brev.pdf',
      'accept-ranges': 'bytes',
      etag: `"${sha256}"`,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'content-security-policy':
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox",
    });
  });

  it('answers HEAD with the same headers and no content', async () => {
    const [head, whole] = [await get({}, 'HEAD'), await get()];
    expect(head.status).toBe(200);
    expect(await bytesOf(head)).toHaveLength(0);
    await whole.arrayBuffer();
    const own = ['date', 'x-correlation-id', 'connection', 'keep-alive'];
    const shared = (response: Response) => [...response.headers].filter(([name]) => !own.includes(name));
    expect(shared(head)).toEqual(shared(whole));
  });

  it('is recorded as a read in the audit log, with its id', async () => {
    await (await get()).arrayBuffer();
    expect((await auditOf(stack, { messageId: id })).at(-1)).toMatchObject({
      action: 'read-file',
      actor: 'caseworker-1',
      actor_kind: 'user',
      details: { fileId },
    });
  });

  it.each(['GET', 'HEAD'])(
    'that the caller has already is not sent again, but recorded as a read: %s',
    async (method) => {
      const etag = (await get()).headers.get('etag') as string;
      const reads = async () =>
        (await auditOf(stack, { messageId: id })).filter(({ action }) => action === 'read-file');
      const before = (await reads()).length;

      const response = await get({ 'if-none-match': `"x", W/${etag}`, range: 'bytes=0-4' }, method);

      expect([response.status, await response.text()]).toEqual([304, '']);
      expect(Object.fromEntries(response.headers)).toMatchObject({ etag, 'cache-control': 'no-store' });
      expect(response.headers.get('content-type')).toBeNull();
      expect(await reads()).toHaveLength(before + 1);
    },
  );

  it('that is not the one in If-Match is refused', async () => {
    const etag = (await get({}, 'HEAD')).headers.get('etag') as string;
    for (const headers of [
      { 'if-match': '"x"' },
      { 'if-match': `W/${etag}` },
      { 'if-match': '"x"', 'if-none-match': etag },
    ]) {
      await expectProblem(await get(headers), 412, 'version-changed');
    }
    expect((await get({ 'if-match': `"x", ${etag}` }, 'HEAD')).status).toBe(200);
  });

  it('that is empty has an empty body', async () => {
    const messageId = await deliverMemo(stack, {
      documents: [{ files: [{ name: 'tom.txt', type: 'text/plain', content: Buffer.alloc(0) }] }],
    });
    const of = { id: messageId, fileId: await onlyFileOf(messageId) };
    const response = await get({}, 'GET', of);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBe('0');
    expect(await bytesOf(response)).toHaveLength(0);
    expect((await get({ range: 'bytes=0-' }, 'GET', of)).status).toBe(200);
    await expectProblem(await get({ range: 'bytes=1-' }, 'GET', of), 416, 'range-not-satisfiable');
  });

  it('is found by ids in upper case', async () => {
    expect((await get({}, 'GET', { id: id.toUpperCase(), fileId: fileId.toUpperCase() })).status).toBe(200);
  });

  it('of another message is not found under this one, and not recorded as a read', async () => {
    const other = await deliverMemo(stack);
    await expectProblem(await get({}, 'GET', { id: other, fileId }), 404, 'not-found');
    const actions = (await auditOf(stack, { messageId: other })).map(({ action }) => action);
    expect(actions).toEqual(['accepted', 'refused']);
  });

  it.each([
    ['message', { id: 'x', fileId: randomUUID() }],
    ['file', { id: randomUUID(), fileId: '../../etc/passwd' }],
  ])('with an invalid id is refused: %s', async (_name, of) => {
    await expectProblem(await get({}, 'GET', { ...of, fileId: encodeURIComponent(of.fileId) }), 400, 'bad-request');
  });
});

describe('a range', () => {
  const last = CONTENT.length - 1;

  it.each([
    ['the first byte', 'bytes=0-0', 0, 0],
    ['the first segment', `bytes=0-${SEGMENT - 1}`, 0, SEGMENT - 1],
    ['across a segment boundary', `bytes=${SEGMENT - 3}-${2 * SEGMENT + 3}`, SEGMENT - 3, 2 * SEGMENT + 3],
    ['from the middle on', `bytes=${SEGMENT + 17}-`, SEGMENT + 17, last],
    ['the last bytes', 'bytes=-10', last - 9, last],
    ['more last bytes than there are', `bytes=-${CONTENT.length + 50}`, 0, last],
    ['beyond the end', `bytes=${last - 1}-${last + 1_000}`, last - 1, last],
    ['the last byte', `bytes=${last}-${last}`, last, last],
  ])('of %s', async (_name, range, from, to) => {
    const response = await get({ range });
    expect(response.status).toBe(206);
    expect(response.headers.get('content-range')).toBe(`bytes ${from}-${to}/${CONTENT.length}`);
    expect(response.headers.get('content-length')).toBe(String(to - from + 1));
    expect((await bytesOf(response)).equals(CONTENT.subarray(from, to + 1))).toBe(true);
  });

  it.each([`bytes=${CONTENT.length}-`, `bytes=${CONTENT.length + 5}-${CONTENT.length + 9}`, 'bytes=-0'])(
    'outside the file is refused with its size: %s',
    async (range) => {
      const response = await get({ range });
      await expectProblem(response, 416, 'range-not-satisfiable');
      expect(response.headers.get('content-range')).toBe(`bytes */${CONTENT.length}`);
      expect(response.headers.get('content-disposition')).toBeNull();
    },
  );

  it.each(['bytes=a-b', 'items=0-4', 'bytes=0-4,10-14', 'bytes'])(
    'that cannot be served as one range gives the whole file: %s',
    async (range) => {
      const response = await get({ range });
      expect(response.status).toBe(200);
      expect(await bytesOf(response)).toHaveLength(CONTENT.length);
    },
  );

  it('is for GET only; HEAD describes the whole file', async () => {
    const response = await get({ range: 'bytes=0-4' }, 'HEAD');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBe(String(CONTENT.length));
  });

  it('is served when If-Range names this content', async () => {
    const etag = (await get({}, 'HEAD')).headers.get('etag') as string;
    const response = await get({ range: 'bytes=0-4', 'if-range': etag });
    expect(response.status).toBe(206);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      etag,
      'content-type': 'application/pdf',
      'content-disposition': 'attachment; filename=brev.pdf',
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining('sandbox'),
    });
  });

  it.each([`"${'0'.repeat(64)}"`, 'W/"x"', 'W/ETAG', '"x", ETAG', '*', 'Mon, 02 Nov 2026 08:12:00 GMT'])(
    'is ignored when If-Range names another content, or not one: %s',
    async (given) => {
      const ifRange = given.replace('ETAG', (await get({}, 'HEAD')).headers.get('etag') as string);
      const response = await get({ range: 'bytes=0-4', 'if-range': ifRange });
      expect(response.status).toBe(200);
      expect(await bytesOf(response)).toHaveLength(CONTENT.length);
    },
  );
});

describe('the name that a download gets', () => {
  /** As a browser reads it: filename* (RFC 5987) if present, else filename. */
  function nameIn(disposition: string): string {
    const extended = /filename\*=UTF-8''([^;]+)/.exec(disposition)?.[1];
    if (extended !== undefined) return decodeURIComponent(extended);
    const quoted = /filename="((?:\\.|[^"\\])*)"/.exec(disposition)?.[1]?.replaceAll(/\\(.)/g, '$1');
    return quoted ?? /filename=([^";]+)/.exec(disposition)?.[1] ?? '';
  }

  it.each([
    ['plain.txt', 'plain.txt'],
    ['blåbærgrød på ø.txt', 'blåbærgrød på ø.txt'],
    ['a "b" \\c\\.txt', 'a _b_ _c_.txt'],
    ['../../../etc/passwd', '_.._.._etc_passwd'],
    ['C:\\Windows\\x.exe', 'C_Windows_x.exe'],
    ['a\r\nSet-Cookie: x=1\r\n.txt', 'a Set-Cookie_ x=1 .txt'], // XML turns CR LF into one line break; no header is left
    ['invoice\u202Efdp.exe', 'invoicefdp.exe'],
    ['👩\u200D👧 og 漢字.txt', '👩\u200D👧 og 漢字.txt'],
    ["Åse's (2) *.txt", "Åse's (2) _.txt"],
    ['CON.txt', '_CON.txt'],
    ['...', 'fil'],
    [';filename=evil.exe', ';filename=evil.exe'],
    ['100%25.txt', '100%25.txt'],
  ])('%j becomes %j', async (given, expected) => {
    const response = await fileNamed(given);
    const disposition = response.headers.get('content-disposition') as string;
    expect(disposition).toMatch(/^attachment; filename=/);
    expect(nameIn(disposition).replaceAll(/[ _]+/g, '_')).toBe(expected.replaceAll(/[ _]+/g, '_'));
    expect(response.headers.get('set-cookie')).toBeNull();
    expect(await response.text()).toBe('indhold');
  });

  it('is in ASCII, and in UTF-8 beside it where it has other letters', async () => {
    expect((await fileNamed('blåbær (2).txt')).headers.get('content-disposition')).toBe(
      `attachment; filename="bl?b?r (2).txt"; filename*=UTF-8''bl%C3%A5b%C3%A6r%20%282%29.txt`,
    );
  });

  it('is shortened, with its extension, when the message has one of 10 kB', async () => {
    const response = await fileNamed(`${'å'.repeat(10_000)}.pdf`);
    const name = nameIn(response.headers.get('content-disposition') as string);
    expect(name).toBe(`${'å'.repeat(96)}.pdf`);
  });
});

describe('the type that a download gets', () => {
  it.each(['application/pdf', 'image/png', 'image/jpeg', 'image/gif', 'image/tiff'])(
    '%s is sent as is',
    async (type) => {
      expect((await fileNamed('x', type)).headers.get('content-type')).toBe(type);
    },
  );

  it('plain text is sent as is', async () => {
    expect((await fileNamed('x', 'Text/Plain')).headers.get('content-type')).toMatch(/^text\/plain/);
  });

  it.each([
    'text/html',
    'image/svg+xml',
    'application/xml',
    'text/javascript',
    'application/xhtml+xml',
    'text/plain, text/html',
    'multipart/x-mixed-replace',
    'nonsense',
  ])('%s is sent as bytes', async (type) => {
    const response = await fileNamed('x.html', type);
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
    expect(response.headers.get('content-disposition')).toMatch(/^attachment/);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });
});

describe('a file whose content is unavailable', () => {
  async function containerOf(messageId: string): Promise<string> {
    const [row] = await stack.sql<{ blob_name: string }>('SELECT blob_name FROM messages WHERE id = $1', [messageId]);
    const name = row?.blob_name as string;
    return join(stack.contentFolder, name.slice(0, 2), name);
  }

  async function flip(path: string, at: number): Promise<void> {
    const handle = await open(path, 'r+');
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, at);
    await handle.write(Buffer.from([(byte[0] as number) ^ 1]), 0, 1, at);
    await handle.close();
  }

  it('is a problem when it is damaged from the start', async () => {
    const messageId = await deliverMemo(stack, { documents: [textDocument('beskadiget')] });
    const container = await containerOf(messageId);
    await flip(container, (await stat(container)).size - 20);
    const response = await get({}, 'GET', { id: messageId, fileId: await onlyFileOf(messageId) });
    await expectProblem(response, 500, 'content-damaged');
    expect(response.headers.get('content-disposition')).toBeNull();
  });

  it('is cut off when it is damaged later on, so that it does not look complete', async () => {
    const files = [{ name: 'brev.pdf', type: 'application/pdf', content: Buffer.alloc(20 * SEGMENT, 'x') }];
    const messageId = await deliverMemo(stack, { documents: [{ files }] });
    await flip(await containerOf(messageId), 15 * SEGMENT);
    const response = await get({}, 'GET', { id: messageId, fileId: await onlyFileOf(messageId) });
    expect(response.status).toBe(200);
    await expect(response.arrayBuffer()).rejects.toThrow();
    expect((await get()).status).toBe(200);
  });

  it('is gone when its container is, whatever the method and the conditions', async () => {
    const messageId = await deliverMemo(stack);
    const of = { id: messageId, fileId: await onlyFileOf(messageId) };
    await rm(await containerOf(messageId));
    for (const headers of [{}, { 'if-none-match': '*' }, { range: 'bytes=0-0' }, { range: 'bytes=99999-' }]) {
      await expectProblem(await get(headers, 'GET', of), 410, 'content-gone');
      expect((await get(headers, 'HEAD', of)).status).toBe(410);
    }
    await stack.sql('UPDATE messages SET blob_name = NULL WHERE id = $1', [messageId]);
    await expectProblem(await get({}, 'GET', of), 410, 'content-gone');
    expect((await get({}, 'HEAD', of)).status).toBe(410);
  });

  it('is gone when the message named it without content', async () => {
    const messageUUID = randomUUID();
    const xml = writeMemo({ messageUUID, documents: [textDocument('x', 'kun navnet.txt')] })
      .toString()
      .replace(/<memo:content>.*<\/memo:content>/, '');
    expect((await stack.deliver(xml)).status).toBe(200);
    const [row] = await stack.sql<{ id: string }>('SELECT id FROM messages WHERE external_id = $1', [messageUUID]);
    const messageId = row?.id as string;
    const file = (await read(stack, messageId)).documents[0]?.files[0];
    expect(file).toMatchObject({ status: 'missing', size: 0, sha256: null, fileName: 'kun navnet.txt' });
    const response = await get({}, 'GET', { id: messageId, fileId: file?.id as string });
    await expectProblem(response, 410, 'content-gone');
    expect(response.headers.get('content-disposition')).toBeNull();
  });

  it('leaves no file open, however the download ends', async () => {
    const openContainers = async () => {
      const links = await Promise.all(
        (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
      );
      return links.filter((link) => link.startsWith(stack.contentFolder));
    };
    const cancelled = await get();
    await cancelled.body?.cancel();
    await (await get({ range: 'bytes=70000-70010' })).arrayBuffer();
    await expect.poll(openContainers).toEqual([]);
  });
});
