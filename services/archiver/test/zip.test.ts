import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, open, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONTACT_POINT, startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import type { MemoSpec, MemoSpecFile } from '../../../infra/src/testkit/write-memo.js';
import { auditOf, deliverMemo, expectProblem, read } from '../../../shared/test/inbox/support.js';

const run = promisify(execFile);
const has = (program: string, args: string[]) =>
  run(program, args).then(
    () => true,
    () => false,
  );
const [HAS_UNZIP, HAS_PYTHON] = await Promise.all([has('unzip', ['-v']), has('python3', ['-c', 'import zipfile'])]);
if (!HAS_UNZIP) console.warn('unzip (Debian package unzip) is not installed: the zips are not tested with it.');
if (!HAS_PYTHON) console.warn('python3 is not installed: the zips are not tested with it.');

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

const get = (id: string, method = 'GET') => stack.call(method, `/incoming-documents/${id}/zip`);

async function download(id: string): Promise<string> {
  const response = await get(id);
  expect(response.status).toBe(200);
  const path = join(folder, `${randomUUID()}.zip`);
  await writeFile(path, Buffer.from(await response.arrayBuffer()));
  return path;
}

type Files = Record<string, Buffer>;

const READERS: [string, boolean, (path: string) => Promise<Files>][] = [
  ['unzip', HAS_UNZIP, unpackWithUnzip],
  ['python3', HAS_PYTHON, unpackWithPython],
];
const unpack = HAS_UNZIP ? unpackWithUnzip : unpackWithPython;
const unpacking = it.skipIf(!HAS_UNZIP && !HAS_PYTHON);

async function unpackWithUnzip(path: string): Promise<Files> {
  await run('unzip', ['-tqq', path]); // the checksums
  const target = `${path}.unzipped`;
  await run('unzip', ['-qq', path, '-d', target], { env: { ...process.env, LC_ALL: 'C.UTF-8' } });
  return readTree(target);
}

async function unpackWithPython(path: string): Promise<Files> {
  const target = `${path}.python`;
  const script = `import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as z:
    assert z.testzip() is None
    for name in z.namelist(): assert not name.startswith('/') and '..' not in name.split('/'), name
    z.extractall(sys.argv[2])`;
  await run('python3', ['-c', script, path, target]);
  return readTree(target);
}

async function readTree(root: string): Promise<Files> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files: Files = {};
  for (const entry of entries.filter((each) => each.isFile())) {
    const path = join(entry.parentPath, entry.name);
    files[path.slice(root.length + 1)] = await readFile(path);
  }
  return files;
}

const file = (name: string, content: string | Buffer = name, type = 'text/plain'): MemoSpecFile => ({
  name,
  type,
  content: Buffer.from(content),
});

const NOTE = 'følgeseddel.txt';

describe.each(READERS)('read with %s', (_name, here, unpackHere) => {
  it.skipIf(!here)('the zip contains every file, byte for byte, and the cover note', async () => {
    const noise = Buffer.from(Array.from({ length: 300_000 }, (_, at) => (at * 7919 + (at >> 3)) & 0xff));
    const id = await deliverMemo(stack, {
      documents: [
        { files: [file('brev.txt', 'Kære kommune\n'.repeat(10_000)), file('brev.pdf', noise, 'application/pdf')] },
        { files: [file('blåbærgrød.png', noise.subarray(7), 'image/png')] },
        { files: [file('tom.txt', '')] },
      ],
    });
    const files = await unpackHere(await download(id));
    expect(Object.keys(files).toSorted()).toEqual(
      ['brev.pdf', 'brev.txt', 'bilag/blåbærgrød.png', 'bilag/tom.txt', NOTE].toSorted(),
    );
    expect(files['brev.txt']?.toString()).toBe('Kære kommune\n'.repeat(10_000));
    expect(files['brev.pdf']?.equals(noise)).toBe(true);
    expect(files['bilag/blåbærgrød.png']?.equals(noise.subarray(7))).toBe(true);
    expect(files['bilag/tom.txt']).toHaveLength(0);
  });

  it.skipIf(!here)('names are safe on any system, and unique even ignoring case', async () => {
    const id = await deliverMemo(stack, {
      documents: [
        { files: [file('bilag', 'a'), file('teknisk', 'b'), file('FØLGESEDDEL.txt', 'c'), file('../../x.txt', 'd')] },
        { files: [file('same.txt', 'e'), file('SAME.TXT', 'f'), file('same.txt', 'g'), file('/etc/passwd', 'h')] },
        { files: [file('con', 'i'), file('..', 'j'), file('', 'k'), file('a'.repeat(500), 'l'), file('æ?*.txt', 'm')] },
      ],
    });
    const files = await unpackHere(await download(id));
    const names = Object.keys(files);
    expect(names).toHaveLength(14);
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(14);
    const contents = Object.entries(files).filter(([name]) => name !== NOTE);
    expect(
      contents
        .map(([, content]) => content.toString())
        .toSorted()
        .join(''),
    ).toBe('abcdefghijklm');
    for (const name of names) {
      const last = name.split('/').at(-1) as string;
      expect(last).toMatch(/^[^<>:"/\\|?*\p{Cc}]{1,110}$/u);
      expect(last).not.toMatch(/^(con|prn|aux|nul)(\.|$)|^\.|[. ]$/i);
    }
  });
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

  unpacking('of a message without files contains only the cover note', async () => {
    const id = await deliverMemo(stack, { documents: [] });
    const files = await unpack(await download(id));
    expect(Object.keys(files)).toEqual([NOTE]);
    expect(files[NOTE]?.toString()).not.toContain('Filer');
  });

  unpacking('has a cover note that marks a file without content', async () => {
    const id = await deliverMemo(stack, { documents: [{ files: [file('her.txt'), file('ikke her.txt')] }] });
    await stack.sql(
      `UPDATE files SET status = 'missing', size = 0, sha256 = NULL, container_index = NULL, container_offset = NULL
       WHERE message_id = $1 AND file_name = 'ikke her.txt'`,
      [id],
    );
    const files = await unpack(await download(id));
    expect(Object.keys(files).toSorted()).toEqual(['her.txt', NOTE].toSorted());
    expect(files[NOTE]?.toString()).toContain('ikke her.txt (ikke modtaget)');
  });

  it('of removed content is gone', async () => {
    const id = await deliverMemo(stack);
    await stack.sql('DELETE FROM message_keys WHERE message_id = $1', [id]);
    const response = await get(id);
    await expectProblem(response, 410, 'content-gone');
    expect(response.headers.get('content-disposition')).toBeNull();
  });

  it('of an unknown message is not found', async () => {
    await expectProblem(await get(randomUUID()), 404, 'not-found');
  });

  it('answers HEAD with the headers, and leaves no file open', async () => {
    const id = await deliverMemo(stack, { documents: [{ files: [file('stor.bin', Buffer.alloc(2_000_000, 1))] }] });
    const response = await get(id, 'HEAD');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/zip');
    await expect.poll(openContainers).toEqual([]);
  });
});

describe('the cover note', () => {
  async function noteOf(memo: MemoSpec): Promise<string> {
    const id = await deliverMemo(stack, memo);
    await stack.sql(`UPDATE messages SET received_at = '2026-11-02T09:30:00Z' WHERE id = $1`, [id]);
    return (await unpack(await download(id)))[NOTE]?.toString() as string;
  }

  unpacking('describes the message and the contents of the zip in Danish', async () => {
    const note = await noteOf({
      messageUUID: '3f1c0d7e-5a52-4b4c-8f35-0a7c5a1e2b90',
      subject: 'Ansøgning om støtte',
      sender: { id: '4101019999', name: 'Test Æøåsen' },
      concerning: { cpr: '4303039999', name: 'Barn Testesen' },
      contactPointId: CONTACT_POINT,
      contactInfo: [{ label: 'Barnets skole', value: 'Søndre Skole' }],
      createdDateTime: '2026-11-01T23:12:00Z',
      documents: [
        { files: [file('brev.txt', 'x'.repeat(12_345))] },
        { files: [file('foto: sommer.png', 'y', 'image/png'), file('tom.txt', '')] },
      ],
    });
    expect(note).toBe(
      `\ufeff${[
        'FØLGESEDDEL',
        '',
        'Emne:                    Ansøgning om støtte',
        'Type:                    Henvendelse',
        'Afsender:                Test Æøåsen',
        'Afsenders CPR-nummer:    4101019999',
        'Vedrører:                Barn Testesen',
        'Vedrørendes CPR-nummer:  4303039999',
        'Kontaktpunkt:            Børn og familie',
        'Brevets dato:            2. november 2026 kl. 00.12',
        'Modtaget:                2. november 2026 kl. 10.30',
        'Meddelelsens id:         3f1c0d7e-5a52-4b4c-8f35-0a7c5a1e2b90',
        '',
        'Oplysninger fra afsenderen',
        '  Barnets skole: Søndre Skole',
        '',
        'Filer',
        '  brev.txt (12.345 byte)',
        '  bilag/foto_ sommer.png (1 byte, oprindeligt navn: foto: sommer.png)',
        '  bilag/tom.txt (0 byte)',
        '',
      ].join('\r\n')}`,
    );
  });

  unpacking.each([
    [{ sender: { id: '33333333', idType: 'CVR', name: 'Firma' } }, 'Afsenders CVR-nummer:    33333333'],
    [{ replyData: [{ messageUUID: randomUUID(), replyUUID: randomUUID() }] }, 'Type:                    Svar'],
    [{ forwardedFrom: 'Region' }, 'Type:                    Videresendt'],
    [{ createdDateTime: '2026-07-01T10:00:00Z' }, 'Brevets dato:            1. juli 2026 kl. 12.00'],
  ])('%j gives %j', async (memo, line) => {
    expect((await noteOf(memo as MemoSpec)).split('\r\n')).toContain(line);
  });

  unpacking('does not let a sender fake a line', async () => {
    const note = await noteOf({
      subject: 'Emne\r\nAfsender: Statsministeriet\u2028Modtaget: i går',
      contactPointId: CONTACT_POINT,
      contactInfo: [{ label: 'a\nFiler', value: 'b\r\n  falsk.txt (1 byte)' }],
      documents: [{ files: [file('x\n  ægte.txt (9 byte)')] }],
    });
    const lines = note.split(/[\r\n\u2028]+/);
    expect(lines.filter((line) => line.startsWith('Afsender:'))).toEqual(['Afsender:                Test Testesen']);
    expect(lines).not.toContain('Filer falsk');
    expect(lines.filter((line) => line === 'Filer')).toHaveLength(1);
    expect(lines.filter((line) => /^ {2}(falsk|ægte)/.test(line))).toEqual([]);
  });
});

async function openContainers(): Promise<string[]> {
  const links = (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ''));
  return (await Promise.all(links)).filter((link) => link.startsWith(stack.contentFolder));
}

describe('a zip that cannot be finished', () => {
  const LARGE = 8_000_000; // more than sockets and streams buffer, so that it is still being read at the end

  async function takeInLarge(): Promise<string> {
    const content = Buffer.alloc(LARGE, 'x');
    return deliverMemo(stack, {
      documents: [{ files: [file('a.pdf', content, 'application/pdf'), file('b.pdf', content, 'application/pdf')] }],
    });
  }

  async function containerOf(id: string): Promise<string> {
    const [row] = await stack.sql<{ blob_name: string }>('SELECT blob_name FROM messages WHERE id = $1', [id]);
    const name = row?.blob_name as string;
    return join(stack.contentFolder, name.slice(0, 2), name);
  }

  it.each([
    ['in the middle', 0.7],
    ['at the start', 0.001],
    ['at the very end', 0.99999],
  ])('because a byte of the container is wrong %s is cut off, and the service goes on', async (_where, part) => {
    const id = await takeInLarge();
    const path = await containerOf(id);
    const handle = await open(path, 'r+');
    const at = Math.floor((await stat(path)).size * part);
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, at);
    await handle.write(Buffer.from([(byte[0] as number) ^ 0x40]), 0, 1, at);
    await handle.close();

    const answer = get(id).then((response) => response.arrayBuffer());
    await expect(answer).rejects.toThrow();
    expect((await fetch(`${stack.url}/healthz`)).status).toBe(200);
    await expect.poll(openContainers).toEqual([]);
  });

  it('because the container is missing is cut off or refused, never complete', async () => {
    const id = await takeInLarge();
    await rm(await containerOf(id));
    const answer = get(id).then(async (response) => {
      await response.arrayBuffer();
      return response.status;
    });
    await expect(answer.catch(() => 'cut off')).resolves.not.toBe(200);
    expect((await read(stack, id)).status).toBe('pending');
  });

  it('because the caller disconnects leaves no file open', async () => {
    const id = await takeInLarge();
    const authorization = `Bearer ${await stack.token()}`;
    const call = request(`${stack.url}/api/v1/incoming-documents/${id}/zip`, { headers: { authorization } });
    call.end();
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    response.on('error', () => {}); // from call.destroy() below
    await new Promise<void>((resolve) => {
      let received = 0;
      response.on('data', (chunk: Buffer) => {
        received += chunk.length;
        if (received < 1_000_000) return;
        response.pause(); // in the middle of the first file
        resolve();
      });
    });
    expect(await openContainers()).toHaveLength(1);
    call.destroy();
    await expect.poll(openContainers).toEqual([]);
    expect((await fetch(`${stack.url}/healthz`)).status).toBe(200);
  });
});
