import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Principal, parseRole } from '@indbakke/shared/access';
import { CommonConfig, HOUR, readConfig } from '@indbakke/shared/config';
import { openParts, type Parts } from '@indbakke/shared/service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askUntil, DELETION } from '../../../infra/src/testkit/inbox-client.js';
import {
  CASEWORKER_ROLES,
  ODENSKOV,
  startTestStack,
  type TestStack,
  type TokenOptions,
  VESTERSUND,
} from '../../../infra/src/testkit/stack.js';
import { unzip } from '../../../infra/src/testkit/unzip.js';
import type { MemoSpec, MemoSpecFile } from '../../../infra/src/testkit/write-memo.js';
import { ZipDownloadAnswer, ZipDownloadBody, ZipDownloadCreated } from '../../../shared/src/api/zip-downloads.js';
import { alteredStore } from '../../../shared/test/content/support.js';
import {
  change,
  deliverDocument,
  deliverMemo,
  deliverReply,
  expectProblem,
  registerSentMessage,
  upsertCase,
} from '../../../shared/test/inbox/support.js';
import { createZipDownload, deleteZipDownload } from '../src/zip-downloads/downloads.js';
import { createMakeZipHandler, MAKE_ZIP } from '../src/zip-downloads/make-zip.js';
import { sweepDueZips, sweepExpiredZips } from '../src/zip-downloads/sweeps.js';
import { ZIP_READERS } from './support/zip-readers.js';

const SETTINGS = { SMALL_CONTENT_BYTES: 0, ZIP_KEEP_HOURS: 24, ZIP_MAX_BYTES: 1e10 };
const signal = new AbortController().signal;

let stack: TestStack;
let parts: Parts;
let folder: string;

beforeAll(async () => {
  stack = await startTestStack({ SMALL_CONTENT_BYTES: '0', ZIP_MAX_BYTES: '2000000' });
  parts = await openParts(readConfig(CommonConfig, stack.env), 'by-hand');
  folder = await mkdtemp(join(tmpdir(), 'indbakke-zips-'));
});

afterAll(async () => {
  await parts.queues.close();
  await parts.store.close();
  await stack.close();
  await rm(folder, { recursive: true, force: true });
});

/** A caller of its own, so that tests do not share zips. */
const someone = (options: TokenOptions = {}): TokenOptions => ({
  user: randomUUID(),
  roles: CASEWORKER_ROLES,
  ...options,
});

const principalOf = ({ user = '', roles = [], teams = [] }: TokenOptions): Principal => ({
  municipality: ODENSKOV,
  actor: { kind: 'user', id: user },
  roles: new Set(roles.map(parseRole).filter((role) => role !== undefined)),
  teams,
});

const file = (name: string, content: string | Buffer = name, type = 'text/plain'): MemoSpecFile => ({
  name,
  type,
  content: Buffer.from(content),
});
const noise = (bytes: number, seed: number) =>
  Buffer.from(Array.from({ length: bytes }, (_, at) => (at * seed + (at >> 5)) & 0xff));

async function create(as: TokenOptions, items: readonly string[], body: object = {}): Promise<ZipDownloadCreated> {
  const response = await stack.call('POST', '/zip-downloads', { as, body: { items, ...body } });
  expect(response.status, await response.clone().text()).toBe(200);
  return ZipDownloadCreated.strict().parse(await response.json());
}

const ask = (as: TokenOptions, id: string, method = 'GET') => stack.call(method, `/zip-downloads/${id}`, { as });

async function read(as: TokenOptions, id: string): Promise<ZipDownloadAnswer> {
  const response = await ask(as, id);
  expect(response.status, await response.clone().text()).toBe(200);
  return ZipDownloadAnswer.strict().parse(await response.json());
}

const untilReady = (as: TokenOptions, id: string) =>
  askUntil(
    () => read(as, id),
    ({ status }) => status === 'ready',
  );

const download = (as: TokenOptions, id: string, headers = {}) =>
  stack.call('GET', `/zip-downloads/${id}/content`, { as, headers });

async function contentOf(as: TokenOptions, id: string): Promise<Buffer> {
  const response = await download(as, id);
  expect(response.status, response.status === 200 ? '' : await response.text()).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

/** A zip that no worker makes by itself. */
async function createByHand(
  as: TokenOptions,
  items: readonly string[],
  { isAccepted = true, at = new Date() } = {},
): Promise<string> {
  const queues = { ...parts.queues, add: async () => isAccepted };
  const request = { principal: principalOf(as), at, idempotencyKey: undefined };
  const body = ZipDownloadBody.parse({ items });
  return (await createZipDownload({ ...parts, queues }, request, body, SETTINGS)).id;
}

const jobOf = (zipId: string, run = 1) => ({ zipId, municipality: ODENSKOV, run });
const make = (id: string, { withParts = parts, attempt = 1, run = 1 } = {}) =>
  createMakeZipHandler(withParts, SETTINGS)(jobOf(id, run), { attempt, signal });

async function ready(as: TokenOptions, items: readonly string[]): Promise<string> {
  const id = await createByHand(as, items);
  await make(id);
  return id;
}

async function containerOf(id: string): Promise<string> {
  const [row] = await stack.sql<{ name: string }>('SELECT blob_name AS name FROM messages WHERE id = $1', [id]);
  return join(stack.contentFolder, row?.name.slice(0, 2) ?? '', row?.name ?? '');
}

/** Changes a byte of the content of a message. @param at from its end */
async function damage(id: string, at = 1): Promise<void> {
  const path = await containerOf(id);
  const bytes = await readFile(path);
  bytes[bytes.length - at] = (bytes.at(-at) ?? 0) ^ 1;
  await writeFile(path, bytes);
}

/** Containers, finished or not, that no row names. */
async function orphans(): Promise<string[]> {
  const rows = await stack.sql<{ name: string }>(
    `SELECT blob_name AS name FROM messages UNION ALL SELECT blob_name FROM zip_downloads
     UNION ALL SELECT blob_name FROM content_removals`,
  );
  const named = new Set(rows.map(({ name }) => name));
  const names = await readdir(stack.contentFolder, { recursive: true });
  return names
    .map((name) => name.split('/').at(-1)?.replace('.part', '') ?? '')
    .filter((name) => name.length === 32 && !named.has(name));
}

describe('a zip of many messages', () => {
  const me = someone({ user: 'anna-7' });
  const letter = noise(300_000, 7_919);
  const memo = (subject: string, documents: MemoSpec['documents'], createdDateTime = '2026-02-21T12:00:00Z') => ({
    subject,
    sender: { id: '4101019999', idType: 'CPR', name: 'Bo Ålund' },
    createdDateTime,
    ...(documents && { documents }),
  });
  const unseen = randomUUID();
  let ids: string[];
  let created: ZipDownloadCreated;
  let id: string;
  let zip: Buffer;
  let files: Map<string, Buffer>;

  beforeAll(async () => {
    ids = [
      await deliverMemo(
        stack,
        memo('Bopæl 410101-9999', [
          { files: [file('brev.pdf', letter, 'application/pdf')] },
          { files: [file('b.txt', 'andet bilag')] },
          { files: [file('a.txt', 'første bilag')] },
          { technical: true, files: [file('maskine.xml', '<x/>')] },
        ]),
      ),
      await deliverMemo(stack, memo('SAMVÆR', [{ files: [file('brev.txt', 'to')] }])),
      await deliverMemo(stack, memo('samvær', [{ files: [file('brev.txt', 'tre')] }])),
      await deliverMemo(stack, memo('a/b: "c"?', [{ files: [file('con.txt', 'fire')] }], '2026-02-20T23:30:00Z')),
    ];
    created = await create(me, [ids[0] as string, unseen, ...ids.slice(1)]);
    id = created.id;
    await untilReady(me, id);
    zip = await contentOf(me, id);
    files = unzip(zip);
  });

  it('is told its size, and what is left out and why, before it is made', () => {
    expect(created).toEqual({
      id,
      messageCount: 4,
      size: 300_000 + 'andet bilag'.length + Buffer.byteLength('første bilag') + 2 + 3 + 4,
      leftOut: [{ id: unseen, reason: 'not-found' }],
    });
  });

  it('has a folder for each, by date, sender and subject, in order, with main document and attachments', () => {
    const first = '2026-02-21 Bo Ålund - Bopæl 410101-xxxx';
    expect([...files.keys()]).toEqual([
      ...[`${first}/brev.pdf`, `${first}/bilag/b.txt`, `${first}/bilag/a.txt`],
      '2026-02-21 Bo Ålund - SAMVÆR/brev.txt',
      '2026-02-21 Bo Ålund - samvær (2)/brev.txt',
      '2026-02-21 Bo Ålund - a_b_ _c_/_con.txt',
    ]);
    expect(files.get(`${first}/brev.pdf`)?.equals(letter)).toBe(true);
  });

  for (const { name: reader, here, unpack } of ZIP_READERS) {
    it.skipIf(!here)(`is read by ${reader}`, async () => {
      const path = join(folder, `${randomUUID()}.zip`);
      await writeFile(path, zip);
      const unpacked = await unpack(path, `${path}.unpacked`);
      expect([...unpacked.keys()].toSorted()).toEqual([...files.keys()].toSorted());
      for (const [name, content] of files) expect(unpacked.get(name)?.equals(content), name).toBe(true);
    });
  }

  it('is described with its progress, its size and its expiry after a day, alone and in the list', async () => {
    const description = await read(me, id);
    expect(description).toMatchObject({
      ...{ id, status: 'ready', percent: 100, include: [], cover: null },
      ...{ messageCount: 4, messagesDone: 4, messagesLeft: 0 },
      ...{ size: created.size, bytesDone: created.size, zipSize: zip.length, leftOut: created.leftOut },
    });
    expect(Date.parse(description.expiresAt) - Date.parse(description.readyAt ?? '')).toBe(24 * HOUR);
    const list = await stack.call('GET', '/zip-downloads', { as: me });
    expect(await list.json()).toEqual({ items: [description] });
  });

  it('goes on where its download broke', async () => {
    const etag = `"${createHash('sha256').update(zip).digest('hex')}"`;
    const whole = await download(me, id);
    await whole.arrayBuffer();
    expect(whole.headers.get('etag')).toBe(etag);
    expect(whole.headers.get('content-disposition')).toMatch(/indkomne-dokumenter-\d{4}-\d\d-\d\d-[0-9a-f]{8}\.zip/);
    const rest = await download(me, id, { range: 'bytes=200000-', 'if-range': etag });
    expect([rest.status, rest.headers.get('content-range')]).toEqual([
      206,
      `bytes 200000-${zip.length - 1}/${zip.length}`,
    ]);
    expect(Buffer.from(await rest.arrayBuffer()).equals(zip.subarray(200_000))).toBe(true);
    await expectProblem(await download(me, id, { range: `bytes=${zip.length}-` }), 416, 'range-not-satisfiable');
    expect((await download(me, id, { 'if-none-match': etag })).status).toBe(304);
  });

  it('has in the log that each message was read when it was first handed out, and every download', async () => {
    const rows = await stack.sql<{ action: string; message_id: string | null }>(
      `SELECT action, actor, role, message_id::text, details FROM audit_events WHERE details->>'zipId' = $1 ORDER BY at, id`,
      [id],
    );
    expect(rows[0]).toMatchObject({ action: 'zip-created', details: { zipId: id, messages: 4 } });
    const reads = rows.filter(({ action }) => action === 'read-zip');
    expect(reads.toSorted((a, b) => `${a.message_id}`.localeCompare(`${b.message_id}`))).toEqual(
      ids.toSorted().map((messageId) => ({
        ...{ action: 'read-zip', actor: me.user, role: 'IndkomneDokumenter.SeAlle' },
        ...{ message_id: messageId, details: { zipId: id } },
      })),
    );
    expect(rows.filter(({ action }) => action === 'zip-downloaded').length).toBeGreaterThan(1);
    const [looked] = await stack.sql('SELECT FROM messages WHERE id = ANY ($1) AND first_read_at IS NULL', [ids]);
    expect(looked).toBeUndefined();
  });

  it('is sealed: neither store nor table has anything of it in clear', async () => {
    const [row] = await stack.sql<{ text: string; blob_name: string }>(
      'SELECT z::text AS text, blob_name FROM zip_downloads z WHERE id = $1',
      [id],
    );
    const stored = await readFile(join(stack.contentFolder, row?.blob_name.slice(0, 2) ?? '', row?.blob_name ?? ''));
    for (const secret of ['brev.pdf', 'Ålund', '410101', 'første bilag']) {
      expect(stored.includes(secret)).toBe(false);
      expect(row?.text).not.toContain(secret);
    }
  });

  it('has what is asked for beside the documents', async () => {
    const one = await create(me, ids.slice(0, 1), { include: ['original', 'technical', 'cover'], cover: 'full' });
    await untilReady(me, one.id);
    const names = [...unzip(await contentOf(me, one.id)).keys()].map((name) => name.split('/').slice(1).join('/'));
    expect(names).toEqual([
      ...['følgeseddel.pdf', 'brev.pdf', 'bilag/b.txt', 'bilag/a.txt', 'teknisk/maskine.xml'],
      'teknisk/meddelelse.xml',
    ]);
    expect(await read(me, one.id)).toMatchObject({ include: ['cover', 'original', 'technical'], cover: 'full' });
  });
});

describe('a zip of documents from Fordelingskomponenten', () => {
  const object = { type: 'DOKUMENT', title: 'Udtalelse' } as const;

  it('has a folder for each that names the authority, and a cover sheet where the file is not here', async () => {
    const as = someone();
    const note = { type: 'JOURNALPOST', title: 'Opkald', note: 'Moren ringede' } as const;
    const items = [
      await deliverDocument(stack, { fileName: 'udtalelse.pdf', object: { ...object, letterDate: '2026-01-15' } }),
      await deliverDocument(stack, { object: note }),
    ];
    const { id } = await create(as, items, { include: ['cover'] });
    await untilReady(as, id);
    expect([...unzip(await contentOf(as, id)).keys()]).toEqual([
      '2026-01-15 CVR 11111111 - Udtalelse/følgeseddel.pdf',
      '2026-01-15 CVR 11111111 - Opkald/følgeseddel.pdf',
      '2026-01-15 CVR 11111111 - Opkald/Notat.txt',
    ]);
  });

  it('is ready, with the cover sheet alone, when no file is here', async () => {
    const as = someone();
    const { id, size } = await create(as, [await deliverDocument(stack, { fileName: 'udtalelse.pdf', object })]);
    await untilReady(as, id);
    expect([size, unzip(await contentOf(as, id)).size]).toEqual([0, 1]);
  });
});

describe('asking for a zip', () => {
  it('of more than one may have is refused, with both sizes, before anything runs', async () => {
    const content = noise(1_000_001, 31);
    const documents = [{ files: [file('film.mp4', content, 'video/mp4')] }];
    const items = [await deliverMemo(stack, { documents }), await deliverMemo(stack, { documents })];
    const as = someone();
    const response = await stack.call('POST', '/zip-downloads', { as, body: { items } });
    const { detail } = await expectProblem(response, 422, 'zip-too-large');
    expect(detail).toContain('2000002 bytes');
    expect(detail).toContain('2000000 bytes');
    expect(await (await stack.call('GET', '/zip-downloads', { as })).json()).toEqual({ items: [] });
    expect((await create(as, items.slice(1))).size).toBe(1_000_001);
  });

  it('of messages that the caller may not see gives none', async () => {
    const theirs = await deliverMemo(stack, { recipient: { id: VESTERSUND } });
    const mine = await deliverMemo(stack);
    const withoutAll = someone({ roles: ['IndkomneDokumenter.Læs'] });
    for (const [as, items] of [
      [someone(), [theirs, randomUUID()]],
      [withoutAll, [mine]],
    ] as const) {
      await expectProblem(await stack.call('POST', '/zip-downloads', { as, body: { items } }), 404, 'not-found');
    }
  });

  it.each([
    ['no message', { items: [] }],
    ['1001 messages', { items: Array.from({ length: 1_001 }, () => randomUUID()) }],
    ['a message twice', { items: Array(2).fill('0197a3b0-0000-7000-8000-000000000009') }],
    ['a kind of cover sheet without one', { items: [randomUUID()], cover: 'full' }],
    ['what there is not', { items: [randomUUID()], include: ['everything'] }],
  ])('with %s is refused', async (_what, body) => {
    await expectProblem(await stack.call('POST', '/zip-downloads', { body }), 400, 'bad-request');
  });

  it('for an eleventh is refused until one is removed', async () => {
    const as = someone();
    const items = [await deliverMemo(stack)];
    const ten = [];
    for (let n = 0; n < 10; n += 1) ten.push(await createByHand(as, items));
    await expectProblem(await stack.call('POST', '/zip-downloads', { as, body: { items } }), 400, 'bad-request');
    await make(ten[0] as string);
    expect((await ask(as, ten[0] as string, 'DELETE')).status).toBe(204);
    expect((await stack.call('POST', '/zip-downloads', { as, body: { items } })).status).toBe(200);
  });

  it('by twelve calls at once gives ten', async () => {
    const as = someone();
    const items = [await deliverMemo(stack)];
    const asked = Array.from({ length: 12 }, () => stack.call('POST', '/zip-downloads', { as, body: { items } }));
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(10);
  });

  it('that a system downloads is no first look of a user', async () => {
    const as = someone({ system: true });
    const message = await deliverMemo(stack);
    const { id } = await create(as, [message]);
    await untilReady(as, id);
    await contentOf(as, id);
    expect(await stack.sql('SELECT first_read_at FROM messages WHERE id = $1', [message])).toEqual([
      { first_read_at: null },
    ]);
  });

  it('again with its Idempotency-Key gives the same zip', async () => {
    const as = someone();
    const call = { as, body: { items: [await deliverMemo(stack)] }, headers: { 'idempotency-key': 'zip-1' } };
    const [first, again] = [
      await stack.call('POST', '/zip-downloads', call),
      await stack.call('POST', '/zip-downloads', call),
    ];
    expect(await again.json()).toEqual(await first.json());
    const { items } = (await (await stack.call('GET', '/zip-downloads', { as })).json()) as { items: object[] };
    expect(items).toHaveLength(1);
  });
});

describe('a zip is its caller’s own:', () => {
  const me = someone();
  it.each([
    ['another caller', () => someone()],
    ['the same user of another municipality', () => ({ ...me, municipality: VESTERSUND })],
    ['a system with the same id', () => ({ ...me, system: true })],
  ])('%s gets 404, and nothing is done', async (_who, as) => {
    const id = await ready(me, [await deliverMemo(stack)]);
    await expectProblem(await ask(as(), id), 404, 'not-found');
    await expectProblem(await download(as(), id), 404, 'not-found');
    await expectProblem(await ask(as(), id, 'DELETE'), 404, 'not-found');
    expect(await (await stack.call('GET', '/zip-downloads', { as: as() })).json()).toEqual({ items: [] });
    expect((await ask(me, id, 'DELETE')).status).toBe(204);
  });
});

describe('what the caller may see', () => {
  const team = () => ({ user: randomUUID(), roles: ['IndkomneDokumenter.Læs'], teams: ['team-7'] });
  const assign = (id: string, assignee: object, version = 1) =>
    change(stack, 'PUT', `${id}/assignment`, { version, body: { assignee } });

  it('is asked again for each message when its turn comes', async () => {
    const as = team();
    const [stays, goes] = [await deliverMemo(stack), await deliverMemo(stack)];
    for (const id of [stays, goes]) await assign(id, { kind: 'team', id: 'team-7' });
    const id = await createByHand(as, [stays, goes]);
    await assign(goes, { kind: 'user', id: 'somebody' }, 2);
    await make(id);
    expect(await read(as, id)).toMatchObject({
      ...{ status: 'ready', messageCount: 1, messagesDone: 1 },
      leftOut: [{ id: goes, reason: 'not-found' }],
    });
    expect(unzip(await contentOf(as, id)).size).toBe(1);
  });

  it('is asked again at each download: without one of them nothing is handed out', async () => {
    const as = team();
    const items = [await deliverMemo(stack), await deliverMemo(stack)];
    for (const id of items) await assign(id, { kind: 'team', id: 'team-7' });
    const id = await ready(as, items);
    await assign(items[1] as string, { kind: 'user', id: 'somebody' }, 2);
    await expectProblem(await download(as, id), 403, 'role-missing');
    const log = await stack.sql(`SELECT action FROM audit_events WHERE actor = $1 ORDER BY at, id`, [as.user]);
    expect(log.map(({ action }) => action)).toEqual(['zip-created', 'refused']);
    await assign(items[1] as string, { kind: 'team', id: 'team-7' }, 3);
    expect((await download(as, id)).status).toBe(200);
    await expectProblem(await download({ ...as, teams: [] }, id), 403, 'role-missing');
  });

  it('has nothing of a case that is restricted to others', async () => {
    const as = someone();
    const [caseId, letter] = [`K-${randomUUID()}`, randomUUID()];
    await upsertCase(stack, caseId);
    await registerSentMessage(stack, letter, { caseId });
    const reply = await deliverReply(stack, [{ messageUUID: randomUUID(), replyUUID: letter }]);
    const id = await ready(as, [reply]);
    await upsertCase(stack, caseId, { restrictedTo: ['somebody'] });
    await expectProblem(await download(as, id), 403, 'role-missing');
  });

  it('is nothing any more: the zip fails, and tells why', async () => {
    const as = team();
    const message = await deliverMemo(stack);
    await assign(message, { kind: 'team', id: 'team-7' });
    const id = await createByHand(as, [message]);
    await assign(message, { kind: 'user', id: 'somebody' }, 2);
    await make(id);
    expect(await read(as, id)).toMatchObject({
      ...{ status: 'failed', percent: 0, messageCount: 0, zipSize: null },
      leftOut: [{ id: message, reason: 'not-found' }],
    });
    await expectProblem(await download(as, id), 409, 'zip-not-ready');
    expect(await orphans()).toEqual([]);
  });
});

describe('a message whose content cannot be read', () => {
  // Of a large file the damage shows when much of it is in the zip already.
  it.each([
    ['at its end', 1],
    ['in the middle of it', 200_000],
  ])('%s is left out at the last attempt, and the others are there', async (_where, at) => {
    const as = someone();
    const documents = [{ files: [file('film.mp4', noise(500_000, 31), 'video/mp4')] }];
    const [broken, whole] = [await deliverMemo(stack, { documents }), await deliverMemo(stack)];
    await damage(broken, at);
    const id = await createByHand(as, [broken, whole]);
    await expect(make(id)).rejects.toThrow('content-damaged');
    expect((await read(as, id)).status).toBe('running');
    await make(id, { attempt: MAKE_ZIP.attempts });
    expect(await read(as, id)).toMatchObject({
      status: 'ready',
      leftOut: [{ id: broken, reason: 'content-damaged' }],
    });
    expect(unzip(await contentOf(as, id)).size).toBe(1);
    expect(await orphans()).toEqual([]);
  });

  it('since it has been removed is left out too', async () => {
    const as = someone();
    const [gone, whole] = [await deliverMemo(stack), await deliverMemo(stack)];
    await rm(await containerOf(gone));
    const id = await createByHand(as, [gone, whole]);
    await make(id, { attempt: MAKE_ZIP.attempts });
    expect((await read(as, id)).leftOut).toEqual([{ id: gone, reason: 'content-gone' }]);
  });
});

describe('a message whose content retention has removed', () => {
  const remove = (id: string) =>
    stack.sql(
      `UPDATE messages SET status = 'journalized', handled_at = now(), content_removed_at = now(), content_size = 0 WHERE id = $1`,
      [id],
    );

  it('is left out before the zip is made', async () => {
    const as = someone();
    const [gone, whole] = [await deliverMemo(stack), await deliverMemo(stack)];
    await remove(gone);
    const leftOut = [{ id: gone, reason: 'content-gone' }];
    const one = await create(as, [gone, whole]);
    expect(one).toMatchObject({ messageCount: 1, leftOut });
    expect(await untilReady(as, one.id)).toMatchObject({ messageCount: 1, leftOut });
    const none = await stack.call('POST', '/zip-downloads', { as, body: { items: [gone] } });
    await expectProblem(none, 404, 'not-found');
  });

  it('after the zip was asked for costs no attempt of its job', async () => {
    const as = someone();
    const [gone, whole] = [await deliverMemo(stack), await deliverMemo(stack)];
    const id = await createByHand(as, [gone, whole]);
    await remove(gone);
    await make(id);
    expect(await read(as, id)).toMatchObject({ status: 'ready', leftOut: [{ id: gone, reason: 'content-gone' }] });
    expect(unzip(await contentOf(as, id)).size).toBe(1);
  });
});

describe('deleting a message for good', () => {
  it('after a delay takes it out of every zip at once, also for who may cancel that', async () => {
    const as = someone();
    const [goes, stays] = [await rejected(), await deliverMemo(stack)];
    await stack.sql('UPDATE municipalities SET deletion_delay_days = 3 WHERE cvr = $1', [ODENSKOV]);
    await deleteForGood(goes);
    await stack.sql('UPDATE municipalities SET deletion_delay_days = 0 WHERE cvr = $1', [ODENSKOV]);
    const leftOut = [{ id: goes, reason: 'not-found' }];
    expect(await create(as, [goes, stays])).toMatchObject({ messageCount: 1, leftOut });
  });

  async function rejected(): Promise<string> {
    const id = await deliverMemo(stack);
    await change(stack, 'POST', `${id}/rejection`, {
      version: 1,
      body: { reason: 'unwanted', explanation: 'Ikke til os' },
    });
    return id;
  }
  const deleteForGood = (id: string) => change(stack, 'POST', `${id}/deletion`, { version: 2, body: DELETION });

  it('removes the zips that have it, and no others', async () => {
    const as = someone();
    const [goes, stays] = [await rejected(), await rejected()];
    const withIt = await ready(as, [goes, stays]);
    const without = await ready(as, [stays]);
    await deleteForGood(goes);
    await expectProblem(await download(as, withIt), 404, 'not-found');
    expect((await download(as, without)).status).toBe(200);
    expect(await orphans()).toEqual([]);
  });

  describe('later', () => {
    const setDelay = (days: number) => stack.sql('UPDATE municipalities SET deletion_delay_days = $1', [days]);
    beforeAll(() => setDelay(3));
    afterAll(() => setDelay(0));

    it('removes the zips that have it at once, and none has it while its deletion delay runs', async () => {
      const as = someone(); // who may cancel the deletion, and so sees the message
      const [goes, stays] = [await rejected(), await deliverMemo(stack)];
      const before = await ready(as, [goes, stays]);
      const begun = await createByHand(as, [goes, stays]);
      await deleteForGood(goes);
      await expectProblem(await download(as, before), 404, 'not-found');
      await make(begun);
      for (const id of [begun, await ready(as, [goes, stays])]) {
        expect(await read(as, id)).toMatchObject({ messageCount: 1, leftOut: [{ id: goes, reason: 'not-found' }] });
        expect(unzip(await contentOf(as, id)).size).toBe(1);
      }
      expect(await create(as, [goes, stays])).toMatchObject({ messageCount: 1, leftOut: [{ id: goes }] });
    });

    it('while a zip is made leaves it out of that', () => isLeftOut());
  });

  it('while a zip is made leaves it out of that', () => isLeftOut());

  async function isLeftOut(): Promise<void> {
    const as = someone();
    const [goes, stays] = [await rejected(), await deliverMemo(stack)];
    const id = await createByHand(as, [goes, stays]);
    let deleted: Promise<unknown> | undefined;
    const create = async () => {
      deleted ??= deleteForGood(goes);
      await deleted;
      return parts.blobs.create();
    };
    const withParts = { ...parts, blobs: alteredStore(parts.blobs, { create }) };
    await expect(make(id, { withParts })).rejects.toThrow('deleted');
    expect(await orphans()).toEqual([]);
    await make(id);
    expect((await read(as, id)).leftOut).toEqual([{ id: goes, reason: 'not-found' }]);
    expect(unzip(await contentOf(as, id)).size).toBe(1);
  }
});

describe('a zip that is being made', () => {
  const documents = [{ files: [file('film.mp4', noise(1_500_000, 31), 'video/mp4')] }];

  /** Makes it, with something in between: when its container is begun, and before a byte is in it. @returns writes */
  async function makeWith(id: string, meanwhile: () => Promise<unknown>): Promise<number> {
    let writes = 0;
    let done: Promise<unknown> | undefined;
    const create = async () => {
      const blob = await parts.blobs.create();
      const write = async (...pieces: readonly Buffer[]) => {
        done ??= meanwhile();
        await done;
        writes += 1;
        await blob.write(...pieces);
      };
      return { name: blob.name, write, commit: () => blob.commit(), abort: () => blob.abort() };
    };
    const withParts = { ...parts, blobs: alteredStore(parts.blobs, { create }) };
    await createMakeZipHandler(withParts, SETTINGS, 0)(jobOf(id), { attempt: 1, signal });
    return writes;
  }

  it('stops when it is cancelled, stores nothing, and can then be removed', async () => {
    const as = someone();
    const id = await createByHand(as, [await deliverMemo(stack, { documents })]);
    const writes = await makeWith(id, async () => expect((await ask(as, id, 'DELETE')).status).toBe(204));
    expect(writes).toBeLessThan(1_500_000 / (6 * 65_536)); // it did not go on to the end
    expect(await read(as, id)).toMatchObject({ status: 'cancelled', zipSize: null });
    await expectProblem(await download(as, id), 409, 'zip-not-ready');
    expect(await orphans()).toEqual([]);
    expect((await ask(as, id, 'DELETE')).status).toBe(204);
    await expectProblem(await ask(as, id), 404, 'not-found');
    const log = await stack.sql(`SELECT action FROM audit_events WHERE details->>'zipId' = $1 ORDER BY at, id`, [id]);
    expect(log.map(({ action }) => action)).toEqual(['zip-created', 'zip-cancelled', 'zip-deleted', 'refused']);
  });

  it('before it is begun can be cancelled, and is then not begun', async () => {
    const as = someone();
    const id = await createByHand(as, [await deliverMemo(stack)]);
    const request = { principal: principalOf(as), at: new Date(), idempotencyKey: undefined };
    await deleteZipDownload(parts, request, id);
    const blobs = alteredStore(parts.blobs, { create: () => expect.unreachable() });
    await make(id, { withParts: { ...parts, blobs } });
    expect((await read(as, id)).status).toBe('cancelled');
  });

  it('by two at once is stored once, by the one that began last', async () => {
    const as = someone();
    const id = await createByHand(as, [await deliverMemo(stack, { documents })]);
    await makeWith(id, () => make(id)).catch(() => {}); // its container was taken from it
    expect(unzip(await contentOf(as, id)).size).toBe(1);
    expect(await orphans()).toEqual([]);
  });

  it('notes its progress while its container is begun', async () => {
    const as = someone();
    const id = await createByHand(as, [await deliverMemo(stack, { documents })]);
    const isNoted = new EventEmitter();
    const store: Parts['store'] = {
      ...parts.store,
      async query(municipality, statement, plan) {
        const noted = statement.text.includes('SET blob_name') ? once(isNoted, 'noted') : undefined;
        const rows = await parts.store.query(municipality, statement, plan);
        if (statement.text.includes('SET bytes_done')) isNoted.emit('noted');
        await noted;
        return rows as never;
      },
    };
    await createMakeZipHandler({ ...parts, store }, SETTINGS, 0)(jobOf(id), { attempt: 1, signal });
    expect((await read(as, id)).status).toBe('ready');
  });

  it('ends at shutdown, and leaves nothing behind', async () => {
    const as = someone();
    const id = await createByHand(as, [await deliverMemo(stack)]);
    const stopping = AbortSignal.abort(new Error('shutdown'));
    const made = createMakeZipHandler(parts, SETTINGS)(jobOf(id), { attempt: 1, signal: stopping });
    await expect(made).rejects.toThrow('shutdown');
    expect(await orphans()).toEqual([]);
  });

  it('is not begun when it would take the room of letters that come meanwhile', async () => {
    const as = someone();
    const id = await createByHand(as, [await deliverMemo(stack, { documents })]);
    const free = async () => 1024 * 2 ** 20 + 1_500_000 - 1;
    const blobs = alteredStore(parts.blobs, { free, create: () => expect.unreachable() });
    await expect(make(id, { withParts: { ...parts, blobs } })).rejects.toMatchObject({ code: 'ENOSPC' });
    await make(id);
    expect((await read(as, id)).status).toBe('ready');
  });

  it.each([
    ['was lost', true, 600],
    ['was not accepted', false, 10],
  ])('is enqueued again, as another run, when its job %s', async (_, isAccepted, seconds) => {
    const at = new Date(Date.now() + HOUR); // which no sweep of the stack reaches
    const after = (more: number) => new Date(at.getTime() + more * 1_000);
    const id = await createByHand(someone(), [await deliverMemo(stack)], { isAccepted, at });
    const enqueued: unknown[] = [];
    const queues = { ...parts.queues, add: async (_: unknown, data: unknown) => enqueued.push(data) > 0 };
    const ofIt = () => enqueued.filter((data) => (data as { zipId: string }).zipId === id);
    // The call does not wait for the queue.
    const due = () => stack.sql('SELECT next_enqueue_at AS due FROM zip_downloads WHERE id = $1', [id]);
    await expect.poll(due).toEqual([{ due: after(seconds) }]);
    await sweepDueZips({ store: parts.store, queues }, after(seconds - 1));
    expect(ofIt()).toEqual([]);
    await sweepDueZips({ store: parts.store, queues }, after(seconds));
    expect(ofIt()).toEqual([jobOf(id, 2)]);
    await make(id); // of the older run
    const [row] = await stack.sql('SELECT status FROM zip_downloads WHERE id = $1', [id]);
    expect(row).toEqual({ status: 'waiting' });
    await make(id, { run: 2 });
  });

  it('expires, with its key and its content', async () => {
    const as = someone();
    const id = await ready(as, [await deliverMemo(stack)]);
    await sweepExpiredZips(parts, new Date(Date.now() + 23 * HOUR));
    expect((await read(as, id)).status).toBe('ready');
    await sweepExpiredZips(parts, new Date(Date.now() + 25 * HOUR));
    await expectProblem(await download(as, id), 404, 'not-found');
    expect(await orphans()).toEqual([]);
  });
});

describe('a process that is killed', () => {
  const WORKER = fileURLToPath(new URL('./support/zip-worker.mjs', import.meta.url));

  async function work(id: string, diesAt: string): Promise<unknown> {
    const worker = spawn(process.execPath, [WORKER, JSON.stringify(jobOf(id)), diesAt], {
      env: { PATH: process.env.PATH, ...stack.env },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const [code, killedBy] = await once(worker, 'exit');
    return killedBy ?? code;
  }

  // Loading a process takes seconds on a busy machine.
  it.each(['zip-began', 'content-written', 'content-renamed', 'zip-sealed', 'zip-committed'])(
    'at %s leaves no orphan, and the next one finishes the zip, once',
    { tags: 'long', timeout: 120_000 },
    async (point) => {
      const as = someone();
      const documents = [{ files: [file('film.mp4', noise(900_000, 31), 'video/mp4')] }];
      const id = await createByHand(as, [await deliverMemo(stack, { documents })]);
      expect(await work(id, point)).toBe('SIGKILL');
      expect(await orphans()).toEqual([]);
      await make(id);
      expect(await read(as, id)).toMatchObject({ status: 'ready', messagesDone: 1 });
      expect([...unzip(await contentOf(as, id)).values()]).toHaveLength(1);
      expect(await orphans()).toEqual([]);
    },
  );
});

it('a thousand messages are handed out with a row of the log for each', {
  tags: 'long',
  timeout: 120_000,
}, async () => {
  const as = someone();
  const message = await deliverMemo(stack);
  const items = [message];
  // Copies of its rows, without files.
  const copies = await stack.sql<{ id: string }>(
    `INSERT INTO messages SELECT (jsonb_populate_record(m, jsonb_build_object('id', gen_random_uuid(), 'external_id', gen_random_uuid(), 'blob_name', NULL))).*
     FROM messages m, generate_series(1, 999) WHERE m.id = $1 RETURNING id`,
    [message],
  );
  items.push(...copies.map(({ id }) => id));
  const id = await ready(as, items);
  expect(await read(as, id)).toMatchObject({ messageCount: 1_000, messagesDone: 1_000, messagesLeft: 0 });
  await contentOf(as, id);
  const [row] = await stack.sql<{ count: number }>(
    `SELECT count(DISTINCT message_id)::int AS count FROM audit_events WHERE action = 'read-zip' AND details->>'zipId' = $1`,
    [id],
  );
  expect(row?.count).toBe(1_000);
  await stack.sql('DELETE FROM messages WHERE id = ANY ($1)', [copies.map((copy) => copy.id)]);
});
