import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { Principal } from '@indbakke/shared/access';
import { CommonConfig, readConfig } from '@indbakke/shared/config';
import { openParts, type Parts } from '@indbakke/shared/service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendingOn } from '../../../infra/src/testkit/sending-on.js';
import {
  CASEWORKER_ROLES,
  ODENSKOV,
  startTestStack,
  type TestStack,
  type TokenOptions,
} from '../../../infra/src/testkit/stack.js';
import { unzip } from '../../../infra/src/testkit/unzip.js';
import { type MemoSpec, textDocument } from '../../../infra/src/testkit/write-memo.js';
import { ZipDownloadBody } from '../../../shared/src/api/zip-downloads.js';
import { alteredStore } from '../../../shared/test/content/support.js';
import { deliverMemo, expectProblem, read } from '../../../shared/test/inbox/support.js';
import { createMakePackageHandler } from '../../archiver/src/access-packages/make-package.js';
import { createZipDownload } from '../../archiver/src/zip-downloads/downloads.js';
import { createMakeZipHandler } from '../../archiver/src/zip-downloads/make-zip.js';
import { outgoingFileOf } from '../../receiver/src/sf2900/sending/outgoing-file.js';
import { takeDistribution } from '../../receiver/src/sf2900/sending/rows.js';
import { ask, BODY, rejected, transactionOf } from '../../receiver/test/support/onward.js';
import { createScanMessageHandler } from '../src/scan/scan-message.js';

// @module-tag long

// What is made of files while they are open, and what the scan says of them then or later. Nobody listens where the scanner of the
// stack should be, so what comes is held until a test scans it.

const SETTINGS = { SMALL_CONTENT_BYTES: 0, ZIP_KEEP_HOURS: 1, ZIP_MAX_BYTES: 1e10 };
const NOBODY = { host: '127.0.0.1', port: 1 };
const signal = new AbortController().signal;

let stack: TestStack;
/** Of a process where files are held, and the same where scanning is off, and where files are let pass. */
let parts: Parts;
let off: Parts;
let passing: Parts;
beforeAll(async () => {
  stack = await startTestStack(async (setup) => ({
    ...(await sendingOn(setup)),
    CLAMD_URL: 'tcp://127.0.0.1:1',
    SMALL_CONTENT_BYTES: '0',
  }));
  parts = await openParts(readConfig(CommonConfig, stack.env), 'by-hand');
  off = { ...parts, scanning: { isOn: false, letsPass: false } };
  passing = { ...parts, scanning: { isOn: true, letsPass: true } };
});
afterAll(async () => {
  await parts.queues.close();
  await parts.store.close();
  await stack.close();
});

const LETTER: MemoSpec = {
  documents: [textDocument('Brevets ord', 'brev.txt'), textDocument('Bilagets ord', 'bilag.txt')],
};

/** A letter that only the tests scan; its scan has its id. */
async function letter(memo: MemoSpec = {}): Promise<string> {
  const id = await deliverMemo(stack, { ...LETTER, ...memo });
  await stack.sql(
    `UPDATE message_scans SET id = message_id, run = 100, next_enqueue_at = now() + interval '1 day' WHERE message_id = $1`,
    [id],
  );
  return id;
}

const scanBy = (by: Parts, scanId: string, clamd = NOBODY) =>
  createScanMessageHandler({ ...by, clamd })({ scanId, municipality: ODENSKOV, run: 100 }, { signal });

/** The scanner says this of each file of the letter. */
async function scan(id: string, says: 'OK' | 'Eicar FOUND'): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data: Buffer) => {
      const reply = data.toString().startsWith('zPING') ? 'PONG' : `stream: ${says}`;
      if (!socket.writableEnded) socket.end(`${reply}\0`);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  await scanBy(parts, id, { host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  server.close();
  expect(await scansOf(id)).toEqual(new Set([says === 'OK' ? 'clean' : 'infected']));
}

const scansOf = async (id: string) =>
  new Set((await read(stack, id)).documents.flatMap(({ files }) => files.map((file) => file.scan)));

/** What the scan would have written of one file. */
const find = (id: string, name: string, found: string) =>
  stack.sql('UPDATE files SET scan = $3 WHERE message_id = $1 AND file_name = $2', [id, name, found]);

const get = (path: string, as?: TokenOptions) => stack.call('GET', path, as && { as });
const namesIn = async (response: Response) => {
  expect(response.status, response.status === 200 ? '' : await response.text()).toBe(200);
  const names = [...unzip(Buffer.from(await response.arrayBuffer())).keys()];
  return names.map((name) => name.split('/').at(-1) as string);
};

/** A kind of file that is made of messages. */
interface Kind {
  /** Asks for one with the letter that this person has sent, which no job of the stack makes. */
  ask(letterId: string, sender: string): Promise<string>;
  make(id: string, withParts: Parts): Promise<void>;
  /** The last thing before one is stored. */
  beforeStored(work: () => Promise<unknown>): Parts;
  get(id: string, path?: string): Promise<Response>;
}

function firstOf(work: () => Promise<unknown>): () => Promise<unknown> {
  let done: Promise<unknown> | undefined;
  return () => {
    done ??= work();
    return done;
  };
}

const zips: Kind = {
  async ask(letterId) {
    const user = { user: 'test-user', roles: CASEWORKER_ROLES };
    const created = await stack.call('POST', '/zip-downloads', { as: user, body: { items: [letterId] } });
    expect(created.status).toBe(409); // the stack holds it
    const queues = { ...parts.queues, add: async () => true };
    const principal: Principal = {
      municipality: ODENSKOV,
      actor: { kind: 'user', id: 'test-user' },
      roles: new Set(['IndkomneDokumenter.Læs', 'IndkomneDokumenter.SeAlle']),
      teams: [],
    };
    const request = { principal, at: new Date(), idempotencyKey: undefined };
    const body = ZipDownloadBody.parse({ items: [letterId] });
    return (await createZipDownload({ ...off, queues }, request, body, SETTINGS)).id;
  },
  make: (zipId, withParts) =>
    createMakeZipHandler(withParts, SETTINGS)({ zipId, municipality: ODENSKOV, run: 1 }, { attempt: 1, signal }),
  beforeStored(work) {
    const first = firstOf(work);
    const create = () => first().then(() => parts.blobs.create());
    return { ...off, blobs: alteredStore(parts.blobs, { create }) };
  },
  get: (id, path = '') => get(`/zip-downloads/${id}${path}`, { user: 'test-user', roles: CASEWORKER_ROLES }),
};

const AKTINDSIGT: TokenOptions = { user: 'aktindsigt-1', roles: ['Indbakke.Aktindsigt'] };
const packages: Kind = {
  async ask(_letterId, sender) {
    const response = await stack.call('POST', '/access-packages', { as: AKTINDSIGT, body: { citizen: sender } });
    const { id } = (await response.json()) as { id: string };
    await stack.sql(`UPDATE access_packages SET run = 90, next_enqueue_at = now() + interval '1 day' WHERE id = $1`, [
      id,
    ]);
    return id;
  },
  make: (packageId, withParts) =>
    createMakePackageHandler(withParts, SETTINGS)(
      { packageId, municipality: ODENSKOV, run: 90 },
      { attempt: 1, signal },
    ),
  beforeStored(work) {
    const first = firstOf(work);
    const store: Parts['store'] = {
      ...parts.store,
      withTenantConnection: (municipality, then) =>
        first().then(() => parts.store.withTenantConnection(municipality, then)),
    };
    return { ...off, store };
  },
  get: (id, path = '') => get(`/access-packages/${id}${path}`, AKTINDSIGT),
};

let senders = 0;
const newSender = () => `41010120${String(senders++).padStart(2, '0')}`;
const senderOf = (id: string) => ({ sender: { id, idType: 'CPR', name: 'Test Testesen' } });

describe.each([
  ['a zip of many messages', zips],
  ['an access package', packages],
])('%s', (_what, kind) => {
  const TEXTS = ['brev.txt', 'bilag.txt'];
  const textsIn = async (id: string) =>
    (await namesIn(await kind.get(id, '/content'))).filter((name) => name.endsWith('.txt'));

  async function asked(): Promise<{ letterId: string; id: string }> {
    const sender = newSender();
    const letterId = await letter(senderOf(sender));
    return { letterId, id: await kind.ask(letterId, sender) };
  }

  it('that was made while scanning was off is not handed out while its files are held', async () => {
    const { letterId, id } = await asked();
    await kind.make(id, off);
    await expectProblem(await kind.get(id, '/content'), 409, 'file-held');

    await scan(letterId, 'OK');

    expect(await textsIn(id)).toEqual(TEXTS);
  });

  it('that was made while scanning was off is gone when a file turns out to be infected', async () => {
    const { letterId, id } = await asked();
    await kind.make(id, off);
    await scan(letterId, 'Eicar FOUND');
    expect((await kind.get(id)).status).toBe(404);
    expect((await kind.get(id, '/content')).status).toBe(404);
  });

  it('that was made of files that were let pass is not handed out when files are held again', async () => {
    const { letterId, id } = await asked();
    await scanBy(passing, letterId);
    await kind.make(id, passing);
    await expectProblem(await kind.get(id, '/content'), 409, 'file-held');
  });

  it('that is being made when a file is found infected is not stored, and then made without it', async () => {
    const { letterId, id } = await asked();
    const withParts = kind.beforeStored(() => scan(letterId, 'Eicar FOUND'));
    await expect(kind.make(id, withParts)).rejects.toThrow('found unsafe while it was made');
    const { status } = (await (await kind.get(id)).json()) as { status: string };
    expect(['waiting', 'running']).toContain(status);

    await kind.make(id, parts);

    expect(await namesIn(await kind.get(id, '/content'))).toContain('følgeseddel.pdf');
    expect(await textsIn(id)).toEqual([]);
  });
});

it('an access package with a held file waits without reading any content, and says so', async () => {
  const sender = newSender();
  const clean = await letter(senderOf(sender));
  await scan(clean, 'OK');
  const held = await letter(senderOf(sender));
  const id = await packages.ask(held, sender);
  const untouched = () => {
    throw new Error('Content is read or written.');
  };
  const blobs = alteredStore(parts.blobs, { create: untouched, open: untouched });

  await packages.make(id, { ...parts, blobs });

  expect(await (await packages.get(id)).json()).toMatchObject({ status: 'waiting', waitsForScan: true });
  await scan(held, 'OK');
  await packages.make(id, parts);
  expect(await (await packages.get(id)).json()).toMatchObject({ status: 'made', waitsForScan: false, messageCount: 2 });
});

describe('a technical document', () => {
  const WITH_TECHNICAL: MemoSpec = {
    documents: [
      textDocument('Brevets ord', 'brev.txt'),
      { technical: true, files: [{ name: 'data.bin', type: 'application/octet-stream', content: Buffer.from('x') }] },
    ],
  };
  const found = async (id: string, what: 'waiting' | 'unscannable') => {
    await find(id, 'brev.txt', 'clean');
    await find(id, 'data.bin', what);
    return id;
  };

  it.each(['waiting', 'unscannable'] as const)(
    'that is %s does not keep its letter from being sent on',
    async (what) => {
      const id = await found(await rejected(stack, WITH_TECHNICAL), what);
      expect((await read(stack, id)).allowed).toContain('distribution-asked');
      expect((await ask(stack, id, BODY)).status).toBe(200);

      const distributionId = await transactionOf(stack, id);
      await stack.sql(
        `UPDATE onward_distributions SET run = 90, status = 'waiting', next_enqueue_at = now() + interval '1 day' WHERE id = $1`,
        [distributionId],
      );
      const distribution = await takeDistribution(parts.store, { distributionId, municipality: ODENSKOV, run: 90 });
      if (!distribution) throw new Error('There is no distribution.');
      expect(await outgoingFileOf(parts, distribution)).toMatchObject({ extension: '.txt', bytes: 11 });
    },
  );

  it('that is held keeps a letter only out of a zip with technical documents', async () => {
    const id = await found(await deliverMemo(stack, WITH_TECHNICAL), 'waiting');
    const create = (body: object) => stack.call('POST', '/zip-downloads', { body: { items: [id], ...body } });
    expect(await (await create({})).json()).toMatchObject({ messageCount: 1, leftOut: [] });
    await expectProblem(await create({ include: ['technical'] }), 409, 'file-held');
    expect(await namesIn(await get(`/incoming-documents/${id}/zip`))).toEqual(['brev.txt']);
    await expectProblem(await get(`/incoming-documents/${id}/zip?include=technical`), 409, 'file-held');
  });

  it('that is held keeps its letter from being journalized: the core may fetch it', async () => {
    const id = await found(await deliverMemo(stack, WITH_TECHNICAL), 'waiting');
    expect((await read(stack, id)).allowed).not.toContain('journalized');
  });
});

describe('a read that is refused for a file', () => {
  const readsOf = async (id: string) => {
    const [message] = await stack.sql('SELECT first_read_at FROM messages WHERE id = $1', [id]);
    const rows = await stack.sql<{ action: string }>(
      `SELECT action FROM audit_events WHERE message_id = $1 AND action LIKE 'read%' ORDER BY id`,
      [id],
    );
    return { isRead: message?.first_read_at !== null, actions: rows.map(({ action }) => action) };
  };

  it.each(['text', 'zip'])('is not recorded: the %s while it is held', async (what) => {
    const id = await letter();
    await expectProblem(await get(`/incoming-documents/${id}/${what}`), 409, 'file-held');
    expect(await readsOf(id)).toEqual({ isRead: false, actions: [] });
    await stack.sql(`UPDATE files SET scan = 'clean' WHERE message_id = $1`, [id]);
    expect((await get(`/incoming-documents/${id}/${what}`)).status).toBe(200);
    expect(await readsOf(id)).toEqual({ isRead: true, actions: [`read-${what}`] });
  });

  it('is not recorded: the text of an infected document', async () => {
    const id = await letter();
    await find(id, 'brev.txt', 'infected');
    await expectProblem(await get(`/incoming-documents/${id}/text`), 403, 'file-unsafe');
    expect(await readsOf(id)).toEqual({ isRead: false, actions: [] });
  });

  it('is another than that of a variant which is open: that is recorded once', async () => {
    const variants = [
      { name: 'brev.pdf', type: 'application/pdf', content: Buffer.from('%PDF-1.7') },
      { name: 'brev.txt', type: 'text/plain', content: Buffer.from('Brevets ord') },
    ];
    const id = await letter({ documents: [{ files: variants }] });
    await find(id, 'brev.pdf', 'unscannable');
    await find(id, 'brev.txt', 'clean');
    expect(await (await get(`/incoming-documents/${id}/text`)).json()).toMatchObject({ text: 'Brevets ord' });
    expect(await readsOf(id)).toEqual({ isRead: true, actions: ['read-text'] });
  });
});

it('the list offers no more of a held letter than the letter itself', async () => {
  const subject = `Liste ${randomUUID()}`;
  const id = await letter({ subject });
  const listed = async () => {
    const { items } = (await (await get('/incoming-documents?limit=100&sort=-receivedAt')).json()) as {
      items: { id: string; allowed: string[] }[];
    };
    return items.find((item) => item.id === id)?.allowed;
  };
  expect(await listed()).toEqual((await read(stack, id)).allowed);
  expect(await listed()).not.toContain('journalized');
  await scan(id, 'OK');
  expect(await listed()).toContain('journalized');
});
