import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommonConfig, readConfig } from '@indbakke/shared/config';
import { lockMadeFiles } from '@indbakke/shared/inbox';
import { openParts, type Parts } from '@indbakke/shared/service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PartySpec } from '../../../infra/src/local/distribution/write-distribution.js';
import { askUntil, DELETION } from '../../../infra/src/testkit/inbox-client.js';
import { HAS_PDFTOTEXT } from '../../../infra/src/testkit/pdf-text.js';
import {
  ODENSKOV,
  startTestStack,
  type TestStack,
  type TokenOptions,
  VESTERSUND,
} from '../../../infra/src/testkit/stack.js';
import { unzip } from '../../../infra/src/testkit/unzip.js';
import type { MemoSpec } from '../../../infra/src/testkit/write-memo.js';
import {
  AccessPackageAnswer,
  AccessPackageCreated,
  AccessPackageList,
} from '../../../shared/src/api/access-packages.js';
import { writeZip, Zip, type ZipFile } from '../../../shared/src/zip/index.js';
import { alteredStore } from '../../../shared/test/content/support.js';
import {
  auditOf,
  change,
  deliverDocument,
  deliverMemo,
  deliverReply,
  expectProblem,
  registerSentMessage,
  SETUP,
  upsertCase,
} from '../../../shared/test/inbox/support.js';
import { readWithPython } from '../../journaler/test/support/spreadsheets.js';
import { createMakePackageHandler, MAKE_PACKAGE } from '../src/access-packages/make-package.js';
import { sweepDuePackages, sweepExpiredPackages } from '../src/access-packages/sweeps.js';
import { writePackage } from '../src/access-packages/write-package.js';
import { inMemory } from '../src/zip/zip-message.js';
import { ZIP_READERS } from './support/zip-readers.js';

const DAY = 86_400_000;
const SEALING = { SMALL_CONTENT_BYTES: 0 };
const signal = new AbortController().signal;

let stack: TestStack;
let parts: Parts;
let folder: string;

beforeAll(async () => {
  stack = await startTestStack({ SMALL_CONTENT_BYTES: '0' });
  parts = await openParts(readConfig(CommonConfig, stack.env), 'by-hand');
  folder = await mkdtemp(join(tmpdir(), 'indbakke-package-'));
});

afterAll(async () => {
  await parts.queues.close();
  await parts.store.close();
  await stack.close();
  await rm(folder, { recursive: true, force: true });
});

/** A caller of its own, so that tests do not share packages. */
const someone = (options: TokenOptions = {}): TokenOptions => ({
  user: randomUUID(),
  roles: ['Indbakke.Aktindsigt'],
  ...options,
});

let numbers = 0;
/** The number of a citizen of its own: no month has a 41st day. */
const citizen = () => `410101${1_000 + ++numbers}`;

async function create(as: TokenOptions, number: string, body: object = {}): Promise<string> {
  const response = await stack.call('POST', '/access-packages', { as, body: { citizen: number, ...body } });
  expect(response.status, await response.clone().text()).toBe(200);
  return AccessPackageCreated.parse(await response.json()).id;
}

async function read(as: TokenOptions, id: string): Promise<AccessPackageAnswer> {
  const response = await stack.call('GET', `/access-packages/${id}`, { as });
  expect(response.status, await response.clone().text()).toBe(200);
  return AccessPackageAnswer.strict().parse(await response.json());
}

/** A job of a new run, which the sweep of the stack does not take as well. */
async function jobOf(id: string) {
  const [row] = await stack.sql<{ municipality: string; run: number }>(
    `UPDATE access_packages SET run = run + 1, next_enqueue_at = now() + interval '1 day' WHERE id = $1 RETURNING municipality, run`,
    [id],
  );
  return { packageId: id, ...(row as { municipality: string; run: number }) };
}

async function make(id: string, withParts: Parts = parts): Promise<void> {
  await createMakePackageHandler(withParts, SEALING)(await jobOf(id), { attempt: 1, signal });
}

const download = (as: TokenOptions, id: string, headers = {}) =>
  stack.call('GET', `/access-packages/${id}/content`, { as, headers });

async function contentOf(as: TokenOptions, id: string): Promise<Map<string, Buffer>> {
  const response = await download(as, id);
  expect(response.status, response.status === 200 ? '' : await response.text()).toBe(200);
  return unzip(Buffer.from(await response.arrayBuffer()));
}

/** Makes the package of a citizen, and returns its files. */
async function packageOf(number: string, as = someone()): Promise<Map<string, Buffer>> {
  const id = await create(as, number);
  await make(id);
  return contentOf(as, id);
}

/** The list of contents: a record of each line, by heading. */
async function linesOf(files: Map<string, Buffer>): Promise<Record<string, string>[]> {
  const { rows } = await readWithPython(files.get('Indhold.xlsx') as Buffer);
  const [headings = [], ...lines] = rows.map((row) => row.map(({ text }) => text));
  return lines.map((line) => Object.fromEntries(headings.map((heading, at) => [heading, line[at] ?? ''])));
}

const idsIn = async (files: Map<string, Buffer>) => (await linesOf(files)).map(({ Id }) => Id);
const from = (number: string): MemoSpec => ({ sender: { id: number, name: 'Test Testesen' } });
const noise = (bytes: number, seed: number) =>
  Buffer.from(Array.from({ length: bytes }, (_, at) => (at * seed + (at >> 5)) & 0xff));
const sha256 = (bytes: Buffer | undefined) =>
  createHash('sha256')
    .update(bytes ?? '')
    .digest('hex');

/** Changes a byte of the content of a message. */
async function damage(id: string): Promise<void> {
  const [row] = await stack.sql<{ name: string }>('SELECT blob_name AS name FROM messages WHERE id = $1', [id]);
  const path = join(stack.contentFolder, row?.name.slice(0, 2) ?? '', row?.name ?? '');
  const bytes = await readFile(path);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  await writeFile(path, bytes);
}

async function rejected(memo: MemoSpec): Promise<string> {
  const id = await deliverMemo(stack, memo);
  await change(stack, 'POST', `${id}/rejection`, {
    version: 1,
    body: { reason: 'unwanted', explanation: 'Ikke til os' },
  });
  return id;
}
const deleteForGood = (id: string) => change(stack, 'POST', `${id}/deletion`, { version: 2, body: DELETION });

/** The text of a sheet, without the ends of lines, at which ids are broken too. */
const sheetOf = (input: Buffer | undefined) =>
  execFileSync('pdftotext', ['-', '-'], { input }).toString().replaceAll(/[\s-]/g, '');

it('a package has nothing of a case that is restricted to others, and is not handed out once one of its cases is', {
  tags: 'long',
}, async () => {
  const [number, caseId, letter] = [citizen(), `K-${randomUUID()}`, randomUUID()];
  const restrict = (restrictedTo: string[] | null) => upsertCase(stack, caseId, { restrictedTo });
  await registerSentMessage(stack, letter, { caseId });
  const open = await deliverMemo(stack, from(number));
  const onCase = await deliverReply(stack, [{ messageUUID: randomUUID(), replyUUID: letter }], from(number));
  const me = someone();
  const id = await create(me, number);
  await make(id);
  expect(await idsIn(await contentOf(me, id))).toEqual([open, onCase]);
  await restrict(['somebody']);
  await expectProblem(await download(me, id), 403, 'role-missing');
  const log = await stack.sql(
    `SELECT action FROM audit_events WHERE actor = $1 AND details->>'packageId' = $2 ORDER BY at, id`,
    [me.user, id],
  );
  expect(log.map(({ action }) => action)).toEqual(['package-created', 'package-downloaded', 'refused']);
  const files = await packageOf(number, me);
  expect(await idsIn(files)).toEqual([open]);
  if (HAS_PDFTOTEXT) {
    const sheet = sheetOf(files.get('Udskrift af log.pdf'));
    expect([open, onCase].map((each) => sheet.includes(each.replaceAll('-', '')))).toEqual([true, false]);
  }
  await restrict([me.user as string]);
  expect(await idsIn(await packageOf(number, me))).toEqual([open, onCase]);
});

describe('a package', () => {
  const number = citizen();
  const me = someone({ user: 'anna-7' });
  const sound = Buffer.concat([Buffer.from('ID3\x04\0\0\0\0\0\0', 'latin1'), noise(300_000, 7_919)]);
  const video = Buffer.concat([Buffer.from('\0\0\0\x18ftypmp42', 'latin1'), noise(500_000, 104_729)]);
  let letter: string;
  let deleted: string;
  let id: string;
  let zip: Buffer;
  let files: Map<string, Buffer>;

  beforeAll(async () => {
    letter = await deliverMemo(stack, {
      ...from(number),
      subject: 'Samvær i weekenden',
      documents: [
        { files: [{ name: 'brev.txt', type: 'text/plain', content: Buffer.from('Kære kommune') }] },
        {
          files: [
            { name: 'optagelse.mp3', type: 'audio/mpeg', content: sound },
            { name: 'samvær.mp4', type: 'video/mp4', content: video },
            { name: 'tom.txt', type: 'text/plain', content: Buffer.alloc(0) },
          ],
        },
      ],
    });
    await deliverMemo(stack, { ...from(number), documents: [] });
    deleted = await rejected(from(number));
    await deleteForGood(deleted);
    id = await create(me, number, { reference: 'Aktindsigt 7' });
    await make(id);
    const response = await download(me, id);
    expect(response.headers.get('content-type')).toBe('application/zip');
    expect(response.headers.get('content-disposition')).toMatch(
      /^attachment; filename="?aktindsigt-\d{4}-\d\d-\d\d\.zip"?$/,
    );
    zip = Buffer.from(await response.arrayBuffer());
    files = unzip(zip);
  });

  it('has a folder for each letter with its files, sound and video byte for byte', () => {
    const [first] = [...files.keys()].filter((name) => name.endsWith('brev.txt'));
    expect(first).toMatch(/^0001 \d{4}-\d\d-\d\d\/brev\.txt$/);
    const inFolder = (name: string) => files.get(`${first?.split('/')[0]}/${name}`);
    expect(inFolder('brev.txt')?.toString()).toBe('Kære kommune');
    expect(sha256(inFolder('bilag/optagelse.mp3'))).toBe(sha256(sound));
    expect(sha256(inFolder('bilag/samvær.mp4'))).toBe(sha256(video));
    expect(inFolder('bilag/tom.txt')).toHaveLength(0);
    expect(inFolder('følgeseddel.pdf')?.subarray(0, 5).toString()).toBe('%PDF-');
    expect([...files.keys()].filter((name) => name.startsWith('0002 '))).toHaveLength(1);
    expect(files.size).toBe(5 + 1 + 2);
  });

  it('lists its letters with their times, status and files, and a deleted one by its times alone', async () => {
    const lines = await linesOf(files);
    expect(lines.map(({ Id, Mappe, Status, Filer }) => [Id, Mappe?.slice(0, 4), Status, Filer])).toEqual([
      [letter, '0001', 'Afventer', 'følgeseddel.pdf; brev.txt; bilag/optagelse.mp3; bilag/samvær.mp4; bilag/tom.txt'],
      [expect.any(String), '0002', 'Afventer', 'følgeseddel.pdf'],
      [deleted, '', 'Slettet', ''],
    ]);
    expect(lines[0]).toMatchObject({
      Emne: 'Samvær i weekenden',
      Afsender: 'Test Testesen',
      Type: 'Henvendelse',
      'Hvorfor med': 'Er afsender',
    });
    expect(lines[2]).toMatchObject({ Emne: '', Afsender: '', 'Hvorfor med': '' });
    for (const line of lines) {
      for (const time of ['Afsendt', 'Først tilbudt', 'Modtaget', 'Status siden'])
        expect(Number(line[time])).toBeGreaterThan(46_000);
    }
  });

  it.skipIf(!HAS_PDFTOTEXT)('has the sheet of the log, of deleted letters too', () => {
    const text = sheetOf(files.get('Udskrift af log.pdf'));
    for (const words of ['Udskriftaflog', 'Slettedebrevet', 'Bestilteenpakketilaktindsigt'])
      expect(text).toContain(words);
    expect(text).toContain(deleted.replaceAll('-', ''));
    expect(text).not.toContain(number);
    expect(text).not.toContain('Samvær');
  });

  it.skipIf(!HAS_PDFTOTEXT)('has in that sheet for whom the letters were put into a package before', async () => {
    const text = sheetOf((await packageOf(number)).get('Udskrift af log.pdf'));
    expect(text).toContain('Indbakke(automatisk),foranna7Lagdebrevetienpakketilaktindsigt');
  });

  for (const { name: reader, here, unpack } of ZIP_READERS) {
    it.skipIf(!here)(`is read by ${reader}`, async () => {
      const path = join(folder, `${randomUUID()}.zip`);
      await writeFile(path, zip);
      const unpacked = await unpack(path, `${path}.unpacked`);
      expect([...unpacked.keys()].toSorted()).toEqual([...files.keys()].toSorted());
      for (const [name, content] of files) expect(sha256(unpacked.get(name)), name).toBe(sha256(content));
    });
  }

  it('is described with its progress, size and expiry after seven days, alone and in the list', async () => {
    const description = await read(me, id);
    expect(description).toMatchObject({
      id,
      citizen: number,
      reference: 'Aktindsigt 7',
      status: 'made',
      messagesDone: 2,
      messageCount: 2,
      size: zip.length,
    });
    expect(Date.parse(description.expiresAt) - Date.parse(description.madeAt ?? '')).toBe(7 * DAY);
    const list = await stack.call('GET', '/access-packages', { as: me });
    expect(AccessPackageList.strict().parse(await list.json())).toEqual({ items: [description] });
  });

  it('is sent in ranges, and not again to who has it', async () => {
    const whole = await download(me, id);
    const etag = whole.headers.get('etag') as string;
    await whole.arrayBuffer();
    expect(etag).toBe(`"${sha256(zip)}"`);
    const part = await download(me, id, { range: 'bytes=200000-200099', 'if-range': etag });
    expect(part.status).toBe(206);
    expect(Buffer.from(await part.arrayBuffer())).toEqual(zip.subarray(200_000, 200_100));
    const beyond = await download(me, id, { range: `bytes=${zip.length}-` });
    await expectProblem(beyond, 416, 'range-not-satisfiable');
    expect((await download(me, id, { 'if-none-match': etag })).status).toBe(304);
  });

  it('is sealed: neither store nor table has anything of it in clear', async () => {
    const [row] = await stack.sql<{ text: string; blob_name: string }>(
      'SELECT p::text AS text, blob_name FROM access_packages p WHERE id = $1',
      [id],
    );
    const stored = await readFile(join(stack.contentFolder, row?.blob_name.slice(0, 2) ?? '', row?.blob_name ?? ''));
    for (const secret of [number, 'Aktindsigt 7', 'brev.txt', 'Testesen']) {
      expect(stored.includes(secret)).toBe(false);
      expect(row?.text).not.toContain(Buffer.from(secret).toString('hex'));
      expect(row?.text).not.toContain(secret);
    }
  });

  it('has its rows in the log: the request, each letter for the caller, the package, each download', async () => {
    const [other] = (await idsIn(files)).filter((each) => each !== letter && each !== deleted);
    const rows = await stack.sql(
      `SELECT action, actor, on_behalf_of, role, message_id::text, citizen IS NOT NULL AS citizen FROM audit_events
       WHERE details->>'packageId' = $1 AND action <> 'package-downloaded' ORDER BY at, action, message_id`,
      [id],
    );
    const role = 'Indbakke.Aktindsigt';
    const byUs = { actor: 'indbakke', on_behalf_of: me.user, role };
    expect(rows).toEqual([
      { action: 'package-created', actor: me.user, on_behalf_of: null, role, message_id: null, citizen: true },
      { action: 'package-made', ...byUs, message_id: null, citizen: true },
      ...[letter, other]
        .toSorted()
        .map((message_id) => ({ action: 'read-package', ...byUs, message_id, citizen: false })),
    ]);
    expect(await auditOf(stack, { action: 'package-downloaded' })).not.toEqual([]);
  });
});

describe('the letters of a citizen', () => {
  it('are those from or about the citizen, of every status', async () => {
    const number = citizen();
    const pending = await deliverMemo(stack, from(number));
    const about = await deliverMemo(stack, { concerning: { cpr: number, name: 'Test Testesen' } });
    const turnedDown = await rejected(from(number));
    const held = await deliverMemo(stack, from(number));
    await stack.sql(`UPDATE messages SET status = 'held', held_cause = 'enquiries-off' WHERE id = $1`, [held]);
    const filed = await deliverMemo(stack, from(number));
    await upsertCase(stack, 'K-status');
    await change(stack, 'POST', `${filed}/journalization`, { version: 1, body: { caseIds: ['K-status'] } });
    await deliverMemo(stack, from(citizen()));
    const lines = await linesOf(await packageOf(number));
    expect(lines.map(({ Id, Status, 'Hvorfor med': why }) => [Id, Status, why])).toEqual([
      [pending, 'Afventer', 'Er afsender'],
      [about, 'Afventer', 'Brevet vedrører borgeren'],
      [turnedDown, 'Afvist', 'Er afsender'],
      [held, 'Tilbageholdt', 'Er afsender'],
      [filed, 'Journaliseret', 'Er afsender'],
    ]);
  });

  it('are those suggested for, or journalized on, a case with the citizen as a party', async () => {
    const number = citizen();
    await upsertCase(stack, 'K-party', { status: 'open', parties: [number] });
    await registerSentMessage(stack, '5e1c7a10-0000-4000-8000-000000000001', { caseId: 'K-party' });
    const suggested = await deliverReply(stack, [{ messageUUID: '5e1c7a10-0000-4000-8000-000000000001' }]);
    const filed = await deliverMemo(stack);
    await change(stack, 'POST', `${filed}/journalization`, { version: 1, body: { caseIds: ['K-party'] } });
    const lines = await linesOf(await packageOf(number));
    expect(lines.map(({ Id, 'Hvorfor med': why }) => [Id, why])).toEqual([
      [suggested, 'Er part i den foreslåede sag'],
      [filed, 'Er part i sagen'],
    ]);
  });

  it('are those documents of other authorities that have the citizen among their parties, in whichever role', async () => {
    const number = citizen();
    const object = (role: PartySpec['role']) =>
      ({
        type: 'DOKUMENT',
        exemption: { title: 'Udtalelse', law: 'Offentlighedsloven § 30' },
        parties: [
          { role: 'SekundaerPart', type: 'Person', urn: `urn:oio:cpr-nr:${citizen()}` },
          { role, type: 'Person', urn: `urn:oio:cpr-nr:${number}` },
        ],
      }) as const;
    const primary = await deliverDocument(stack, { object: object('PrimaerPart') });
    const secondary = await deliverDocument(stack, { object: object('SekundaerPart') });
    const copy = await deliverDocument(stack, { object: object('KopiModtager'), fileName: 'kopi.pdf' });
    await deliverDocument(stack);
    const lines = await linesOf(await packageOf(number));
    expect(lines.map(({ Id, 'Hvorfor med': why }) => [Id, why])).toEqual([
      [primary, 'Brevet vedrører borgeren; Er part i dokumentet'],
      [secondary, 'Er part i dokumentet'],
      [copy, 'Er part i dokumentet'],
    ]);
    expect(lines[2]).toMatchObject({
      Afsender: 'CVR 11111111',
      Kanal: 'Fordelingskomponenten',
      'Undtaget fra aktindsigt': 'Offentlighedsloven § 30',
      Filer: 'følgeseddel.pdf; teknisk/fordelingsobjekt.xml',
    });
  });

  it('are not those that were on such a case by mistake', async () => {
    const number = citizen();
    await upsertCase(stack, 'K-wrong', { status: 'open', parties: [number] });
    const takenBack = await deliverMemo(stack);
    await change(stack, 'POST', `${takenBack}/journalization`, { version: 1, body: { caseIds: ['K-wrong'] } });
    await change(stack, 'DELETE', `${takenBack}/journalization`, { version: 2, body: { reason: 'wrong-case' } });
    expect(await idsIn(await packageOf(number))).toEqual([]);
  });

  it('are not those of another municipality', async () => {
    const number = citizen();
    await deliverMemo(stack, { ...from(number), recipient: { id: VESTERSUND } });
    const ours = await deliverMemo(stack, from(number));
    expect(await idsIn(await packageOf(number))).toEqual([ours]);
  });

  it('from before their numbers were hashed are among them', async () => {
    const number = citizen();
    const old = await deliverMemo(stack, from(number));
    await stack.sql('DELETE FROM message_subjects WHERE message_id = $1', [old]);
    expect(await idsIn(await packageOf(number))).toEqual([old]);
  });
});

describe('a package is its caller’s own:', () => {
  let id: string;
  const me = someone();
  const core = { user: 'dubu-core', system: true, roles: ['Indbakke.Aktindsigt'], onBehalfOf: 'anna' };

  beforeAll(async () => {
    const number = citizen();
    await deliverMemo(stack, from(number));
    id = await create(me, number);
    await make(id);
  });

  it.each([
    ['another caller', () => someone()],
    ['the same user of another municipality', () => ({ ...me, municipality: VESTERSUND })],
    ['a system with the same id', () => ({ ...me, system: true })],
  ])('%s gets 404, and nothing is done', async (_who, as) => {
    await expectProblem(await stack.call('GET', `/access-packages/${id}`, { as: as() }), 404, 'not-found');
    await expectProblem(await download(as(), id), 404, 'not-found');
    await expectProblem(await stack.call('DELETE', `/access-packages/${id}`, { as: as() }), 404, 'not-found');
    expect(await (await stack.call('GET', '/access-packages', { as: as() })).json()).toEqual({ items: [] });
    expect((await read(me, id)).status).toBe('made');
  });

  it('every other role, and all of them together, get 403', async () => {
    const as = { ...me, roles: [...(SETUP.roles ?? []), 'Indbakke.Drift', 'Revisionslog.Læs'] };
    await expectProblem(await download(as, id), 403, 'role-missing');
    const body = { citizen: '4101019999' };
    await expectProblem(await stack.call('POST', '/access-packages', { as, body }), 403, 'role-missing');
  });

  it('that of a system that calls for a user is not there when it calls for another', async () => {
    const [row] = await stack.sql<{ id: string }>(
      `UPDATE access_packages SET owner_kind = 'system', owner = $2, on_behalf_of = 'berit' WHERE id = $1 RETURNING id`,
      [id, core.user],
    );
    expect(row?.id).toBe(id);
    await expectProblem(await download(core, id), 404, 'not-found');
    await stack.sql(`UPDATE access_packages SET owner_kind = 'user', owner = $2, on_behalf_of = NULL WHERE id = $1`, [
      id,
      me.user,
    ]);
  });
});

describe('making a package', () => {
  it('is done by a worker soon after it was asked for', async () => {
    const me = someone();
    const number = citizen();
    await deliverMemo(stack, from(number));
    const id = await create(me, number);
    await sweepDuePackages(parts, new Date());
    await parts.queues.flush();
    const made = await askUntil(
      () => read(me, id),
      ({ status }) => status === 'made',
    );
    expect(made).toMatchObject({ messagesDone: 1, messageCount: 1 });
  });

  it('shows how far it is, and is not taken for lost meanwhile', async () => {
    const me = someone();
    const number = citizen();
    for (let letters = 0; letters < 3; letters += 1) await deliverMemo(stack, from(number));
    const id = await create(me, number);
    await expectProblem(await download(me, id), 409, 'package-not-made');
    expect(await read(me, id)).toMatchObject({ status: 'waiting', messagesDone: 0, messageCount: null, size: null });
    const seen: number[] = [];
    const blobs: Parts['blobs'] = {
      ...parts.blobs,
      async open(...open) {
        const { messagesDone, messageCount } = await read(me, id);
        expect(messageCount).toBe(3);
        if (seen.at(-1) !== messagesDone) seen.push(messagesDone);
        return parts.blobs.open(...open);
      },
    };
    await make(id, { ...parts, blobs });
    expect(seen).toEqual([0, 1, 2]);
    const [row] = await stack.sql<{ minutes: number }>(
      'SELECT extract(epoch FROM next_enqueue_at - now())::float8 / 60 AS minutes FROM access_packages WHERE id = $1',
      [id],
    );
    expect(row?.minutes).toBeGreaterThan(9);
  });

  it('is done once, however many do it, and by none of an older run', async () => {
    const me = someone();
    const number = citizen();
    await deliverMemo(stack, from(number));
    const id = await create(me, number);
    const old = await jobOf(id);
    const job = await jobOf(id);
    const handle = createMakePackageHandler(parts, SEALING);
    await handle(old, { attempt: 1, signal });
    expect((await read(me, id)).status).toBe('waiting');
    await Promise.all([1, 2, 3].map(() => handle(job, { attempt: 1, signal })));
    await handle(job, { attempt: 1, signal });
    const [made] = await stack.sql<{ count: number; blob_name: string }>(
      `SELECT count(*)::int FROM audit_events WHERE action = 'package-made' AND details->>'packageId' = $1`,
      [id],
    );
    expect(made?.count).toBe(1);
    expect(await unnamedBlobs()).toEqual([]);
  });

  it('is asked for again, as another run, when its job was lost', async () => {
    const id = await create(someone(), citizen());
    const idle = { ...parts.queues, add: async () => true };
    const at = (minutes: number) =>
      sweepDuePackages({ store: parts.store, queues: idle }, new Date(Date.now() + minutes * 60_000));
    const runOf = async () => {
      const [row] = await stack.sql<{ run: number }>('SELECT run FROM access_packages WHERE id = $1', [id]);
      return row?.run ?? 0;
    };
    await stack.sql('UPDATE access_packages SET next_enqueue_at = now(), run = 7 WHERE id = $1', [id]);
    await Promise.all([at(1), at(1)]);
    expect(await runOf()).toBe(8);
    await at(10);
    expect(await runOf()).toBe(8);
    await at(12);
    expect(await runOf()).toBe(9);
  });

  it('ends at shutdown, and leaves nothing behind', async () => {
    const number = citizen();
    await deliverMemo(stack, from(number));
    const id = await create(someone(), number);
    const stopping = AbortSignal.abort(new Error('shutdown'));
    const made = createMakePackageHandler(parts, SEALING)(await jobOf(id), { attempt: 1, signal: stopping });
    await expect(made).rejects.toThrow('shutdown');
    expect(await unnamedBlobs()).toEqual([]);
  });

  it('is not begun when it would take the room of letters that come meanwhile', async () => {
    const me = someone();
    const number = citizen();
    const content = noise(300_000, 31);
    const documents = [{ files: [{ name: 'lyd.mp3', type: 'audio/mpeg', content }] }];
    await deliverMemo(stack, { ...from(number), documents });
    const id = await create(me, number);
    const free = async () => 1024 * 2 ** 20 + content.length - 1;
    const blobs = alteredStore(parts.blobs, { free, create: () => expect.unreachable() });
    await expect(make(id, { ...parts, blobs })).rejects.toMatchObject({ code: 'ENOSPC' });
    await make(id);
    expect((await read(me, id)).status).toBe('made');
  });

  it('is given up at the last attempt when a content is damaged, and the caller is told', async () => {
    const me = someone();
    const number = citizen();
    const letter = await deliverMemo(stack, from(number));
    await damage(letter);
    const id = await create(me, number);
    const job = await jobOf(id);
    const handle = createMakePackageHandler(parts, SEALING);
    await expect(handle(job, { attempt: MAKE_PACKAGE.attempts - 1, signal })).rejects.toMatchObject({
      code: 'content-damaged',
    });
    expect((await read(me, id)).status).toBe('waiting');
    await expect(handle(job, { attempt: MAKE_PACKAGE.attempts, signal })).rejects.toMatchObject({
      code: 'content-damaged',
    });
    expect((await read(me, id)).status).toBe('failed');
    await expectProblem(await download(me, id), 409, 'package-not-made');
  });

  it.each([
    [0, false],
    [262_144, true],
  ])('stores a package of at most SMALL_CONTENT_BYTES, here %i, in the database: %s', async (bytes, isInDatabase) => {
    const me = someone();
    const id = await create(me, citizen());
    await createMakePackageHandler(parts, { SMALL_CONTENT_BYTES: bytes })(await jobOf(id), { attempt: 1, signal });
    expect([...(await contentOf(me, id)).keys()]).toEqual(['Indhold.xlsx', 'Udskrift af log.pdf']);
    expect(await stack.sql('SELECT blob_name IS NULL AS small FROM access_packages WHERE id = $1', [id])).toEqual([
      { small: isInDatabase },
    ]);
  });

  it('puts a very long log into several sheets', async () => {
    const number = citizen();
    await deliverMemo(stack, from(number));
    await packageOf(number); // four rows more
    const zip: Buffer[] = [];
    const wanted = {
      municipality: ODENSKOV,
      citizen: number,
      letters: [],
      closed: new Set(''),
      at: new Date(),
      onLetter: async () => {},
    };
    for await (const bytes of writePackage(parts, { ...wanted, sheetRows: 2 })) zip.push(bytes);
    const names = [...unzip(Buffer.concat(zip)).keys()];
    expect(names).toEqual(['Indhold.xlsx', 'Udskrift af log.pdf', 'Udskrift af log 2.pdf', 'Udskrift af log 3.pdf']);
  });

  it('tells operators ids and counts only: neither jobs nor the log of who did what have the number', async () => {
    const me = someone();
    const number = citizen();
    await deliverMemo(stack, from(number));
    const id = await create(me, number, { reference: 'Hemmelig Testesen' });
    await sweepDuePackages(parts, new Date());
    await parts.queues.flush();
    await askUntil(
      () => read(me, id),
      ({ status }) => status === 'made',
    );
    const tables = await stack.sql<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = 'bullmq' OR tablename = 'audit_events'`,
    );
    let text = '';
    for (const { name } of tables) {
      const rows = await stack.sql<{ text: string }>(`SELECT t::text AS text FROM ${name} t`);
      text += rows.map((row) => row.text).join('\n');
    }
    expect(text).toContain(id);
    for (const secret of [number, 'Hemmelig', 'Testesen']) expect(text).not.toContain(secret);
  });
});

/** Blobs that no row has, and that nobody is to remove. */
async function unnamedBlobs(): Promise<string[]> {
  const rows = await stack.sql<{ name: string }>(
    `SELECT blob_name AS name FROM messages UNION SELECT blob_name FROM access_packages UNION SELECT blob_name FROM content_removals`,
  );
  const named = new Set(rows.map(({ name }) => name));
  const names: string[] = [];
  for await (const { name } of parts.blobs.list()) if (!named.has(name)) names.push(name);
  return names;
}

describe('nothing deleted comes back', () => {
  async function blobOf(id: string): Promise<string> {
    const [row] = await stack.sql<{ name: string }>('SELECT blob_name AS name FROM access_packages WHERE id = $1', [
      id,
    ]);
    return row?.name as string;
  }
  const isToBeRemoved = async (blob: string) =>
    (await stack.sql('SELECT FROM content_removals WHERE blob_name = $1', [blob])).length === 1;

  it('a package with a letter that is deleted for good is removed with its key, and the others stay', async () => {
    const me = someone();
    const [number, another] = [citizen(), citizen()];
    const gone = await rejected(from(number));
    await deliverMemo(stack, from(another));
    const ids = [await create(me, number), await create(me, another)] as const;
    for (const id of ids) await make(id);
    const blob = await blobOf(ids[0]);
    await deleteForGood(gone);
    await expectProblem(await download(me, ids[0]), 404, 'not-found');
    expect((await contentOf(me, ids[1])).size).toBeGreaterThan(2);
    expect(await stack.sql('SELECT FROM access_package_messages WHERE message_id = $1', [gone])).toEqual([]);
    expect(await isToBeRemoved(blob)).toBe(true);
  });

  it('a letter whose deletion delay runs is a line that says until when, a package that had it is removed', {
    tags: 'long',
  }, async () => {
    const setDelay = (days: number) => stack.sql('UPDATE municipalities SET deletion_delay_days = $1', [days]);
    const me = someone();
    const number = citizen();
    const leaving = await rejected(from(number));
    const stays = await deliverMemo(stack, from(number));
    const before = await create(me, number);
    await make(before);
    const blob = await blobOf(before);
    await setDelay(3);
    await deleteForGood(leaving);
    await expectProblem(await download(me, before), 404, 'not-found');
    expect(await isToBeRemoved(blob)).toBe(true);
    const files = await packageOf(number, me);
    expect(await linesOf(files)).toMatchObject([
      {
        Id: leaving,
        Mappe: '',
        Status: 'Afvist',
        Slettes: expect.stringMatching(/\d/),
        Emne: '',
        Afsender: '',
        Filer: '',
      },
      { Id: stays, Status: 'Afventer', Slettes: '' },
    ]);
    expect([...files.keys()].filter((name) => name.startsWith('0002'))).toEqual([]);
    await change(stack, 'DELETE', `${leaving}/deletion`, { version: 3 });
    expect((await idsIn(await packageOf(number, me))).toSorted()).toEqual([leaving, stays].toSorted());
    await setDelay(0);
  });

  it('a letter that is deleted while the package is made is a line in it and nothing more', async () => {
    const me = someone();
    const number = citizen();
    const gone = await rejected(from(number));
    const id = await create(me, number);
    // The last thing before the package is stored: its content is written.
    let isDeleted = false;
    const store: Parts['store'] = {
      ...parts.store,
      async withTenantConnection(municipality, work) {
        if (!isDeleted) await deleteForGood(gone);
        isDeleted = true;
        return parts.store.withTenantConnection(municipality, work);
      },
    };
    await expect(make(id, { ...parts, store })).rejects.toThrow();
    expect((await read(me, id)).status).toBe('waiting');
    await make(id); // as the queue does
    const files = await contentOf(me, id);
    expect([...files.keys()]).toEqual(['Indhold.xlsx', 'Udskrift af log.pdf']);
    expect(await linesOf(files)).toMatchObject([{ Id: gone, Status: 'Slettet', Emne: '' }]);
    expect(await unnamedBlobs()).toEqual([]);
  });

  it('a package is not stored while a letter of it is being deleted', async () => {
    const number = citizen();
    const gone = await rejected(from(number));
    const id = await create(someone(), number);
    let making: Promise<void> = Promise.resolve();
    await parts.store.withTenantConnection(ODENSKOV, async (connection) => {
      await connection.query(`UPDATE messages SET status = 'deleted', status_before = NULL WHERE id = $1`, [gone]);
      await lockMadeFiles(connection, ODENSKOV, 'shared');
      making = make(id);
      making.catch(() => {});
      const waiting = () =>
        stack.sql(
          `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
        );
      expect(await askUntil(waiting, (locks) => locks.length > 0)).not.toHaveLength(0);
    });
    await expect(making).rejects.toThrow();
    expect(await stack.sql('SELECT FROM access_package_messages WHERE message_id = $1', [gone])).toEqual([]);
  });

  it('a package is deleted by its caller, and removed from the store', async () => {
    const me = someone();
    const id = await create(me, citizen());
    await make(id);
    const blob = await blobOf(id);
    expect((await stack.call('DELETE', `/access-packages/${id}`, { as: me })).status).toBe(204);
    await expectProblem(await stack.call('GET', `/access-packages/${id}`, { as: me }), 404, 'not-found');
    expect(await stack.sql('SELECT FROM access_packages WHERE id = $1', [id])).toEqual([]);
    expect(await isToBeRemoved(blob)).toBe(true);
  });

  it('a package that is deleted while it is made is not stored', async () => {
    const me = someone();
    const number = citizen();
    await deliverMemo(stack, from(number));
    const id = await create(me, number);
    const blobs: Parts['blobs'] = {
      ...parts.blobs,
      async open(...open) {
        await stack.call('DELETE', `/access-packages/${id}`, { as: me });
        return parts.blobs.open(...open);
      },
    };
    await make(id, { ...parts, blobs });
    expect(await unnamedBlobs()).toEqual([]);
    expect(
      await stack.sql(`SELECT FROM audit_events WHERE action = 'package-made' AND details->>'packageId' = $1`, [id]),
    ).toEqual([]);
  });

  it('a package that has expired, made or not, is not there, and is swept', async () => {
    const me = someone();
    const ids = [await create(me, citizen()), await create(me, citizen())] as const;
    await make(ids[0]);
    const blob = await blobOf(ids[0]);
    await sweepExpiredPackages(parts, new Date(Date.now() + 7 * DAY - 60_000));
    expect((await read(me, ids[0])).status).toBe('made');
    await stack.sql(`UPDATE access_packages SET expires_at = now() - interval '1 second' WHERE id = ANY ($1)`, [ids]);
    for (const id of ids) {
      await expectProblem(await download(me, id), 404, 'not-found');
      await expectProblem(await stack.call('GET', `/access-packages/${id}`, { as: me }), 404, 'not-found');
    }
    await make(ids[1]); // does nothing
    await sweepExpiredPackages(parts, new Date());
    expect(await stack.sql('SELECT FROM access_packages WHERE id = ANY ($1)', [ids])).toEqual([]);
    expect(await isToBeRemoved(blob)).toBe(true);
  });
});

describe('asking for a package', () => {
  it('with an Idempotency-Key makes one, however often', async () => {
    const me = someone();
    const call = { as: me, body: { citizen: '4101019999' }, headers: { 'idempotency-key': randomUUID() } };
    const answers = await Promise.all([1, 2, 3].map(() => stack.call('POST', '/access-packages', call)));
    const ids = await Promise.all(answers.map(async (answer) => ((await answer.json()) as { id: string }).id));
    expect(new Set(ids).size).toBe(1);
  });

  it('takes the number in any spelling', async () => {
    const number = citizen();
    const letter = await deliverMemo(stack, from(number));
    expect(await idsIn(await packageOf(`${number.slice(0, 6)}-${number.slice(6)}`))).toEqual([letter]);
  });

  it('is refused when the caller has fifty', async () => {
    const me = someone();
    const first = await create(me, '4101019999');
    await stack.sql(
      `INSERT INTO access_packages SELECT (jsonb_populate_record(p, jsonb_build_object('id', gen_random_uuid(), 'next_enqueue_at', 'infinity'))).*
       FROM access_packages p, generate_series(1, 49) WHERE id = $1`,
      [first],
    );
    const body = { citizen: '4101019999' };
    await expectProblem(await stack.call('POST', '/access-packages', { as: me, body }), 400, 'bad-request');
    await stack.sql('DELETE FROM access_packages WHERE owner = $1', [me.user]);
  });
});

it('a zip that is written as its files become known is the same, byte for byte', async () => {
  const at = new Date('2026-11-02T08:12:00Z');
  const files = ['a.txt', 'mappe/æøå.txt', 'tom'].map((name, n) =>
    inMemory(name, Buffer.from('x'.repeat(n * 1_000)), at),
  );
  const streamed: Buffer[] = [];
  for await (const bytes of writeZip(each(files))) streamed.push(bytes);
  const whole: Buffer[] = [];
  for await (const bytes of new Zip(files).open()) whole.push(bytes);
  expect(Buffer.concat(streamed)).toEqual(Buffer.concat(whole));

  async function* each(list: readonly ZipFile[]) {
    yield* list;
  }
});
