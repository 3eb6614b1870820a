import { randomUUID } from 'node:crypto';
import { CommonConfig, readConfig } from '@indbakke/shared/config';
import { lockMadeFiles } from '@indbakke/shared/inbox';
import { openParts, type Parts } from '@indbakke/shared/service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askUntil, DELETION } from '../../../infra/src/testkit/inbox-client.js';
import {
  CONTACT_POINT,
  ODENSKOV,
  startTestStack,
  type TestStack,
  type TokenOptions,
  VESTERSUND,
} from '../../../infra/src/testkit/stack.js';
import { EXCEL, ExtractAnswer, ExtractCreated, ExtractList } from '../../../shared/src/api/index.js';
import {
  auditOf,
  change,
  deliverMemo,
  deliverReply,
  expectProblem,
  registerSentMessage,
  upsertCase,
} from '../../../shared/test/inbox/support.js';
import { createMakeExtractHandler } from '../src/extracts/make-extract.js';
import { sweepDueExtracts, sweepExpiredExtractFiles } from '../src/extracts/sweeps.js';
import { readWithPython } from './support/spreadsheets.js';

let stack: TestStack;
let parts: Parts;
let makeExtract: ReturnType<typeof createMakeExtractHandler>;

beforeAll(async () => {
  stack = await startTestStack();
  parts = await openParts(readConfig(CommonConfig, stack.env), 'by-hand');
  makeExtract = createMakeExtractHandler(parts, SEALING);
});

afterAll(async () => {
  await parts.queues.close();
  await parts.store.close();
  await stack.close();
});

const DAY = 86_400_000;
const SEALING = { SMALL_CONTENT_BYTES: 65_536 };
const SEES_ALL = ['IndkomneDokumenter.Læs', 'IndkomneDokumenter.SeAlle'];
const signal = new AbortController().signal;

/** A caller of its own, so that tests do not share extracts. */
const someone = (options: TokenOptions = {}): TokenOptions => ({ user: randomUUID(), roles: SEES_ALL, ...options });

const BODY = { name: 'Børnesager', filter: {}, schedule: { every: 'day', at: '07:30' } };

async function create(as: TokenOptions, body: object = {}): Promise<string> {
  const response = await stack.call('POST', '/extracts', { as, body: { ...BODY, ...body } });
  expect(response.status, await response.clone().text()).toBe(200);
  return ExtractCreated.parse(await response.json()).id;
}

async function read(as: TokenOptions, id: string): Promise<ExtractAnswer> {
  const response = await stack.call('GET', `/extracts/${id}`, { as });
  expect(response.status, await response.clone().text()).toBe(200);
  return ExtractAnswer.parse(await response.json());
}

/** Due now, but not for the sweep of the stack. */
async function makeDue(id: string, dueAt = new Date(Date.now() - 60_000)): Promise<Date> {
  await stack.sql(`UPDATE extracts SET next_run_at = $2, next_enqueue_at = now() + interval '1 day' WHERE id = $1`, [
    id,
    dueAt,
  ]);
  return dueAt;
}

async function jobOf(id: string) {
  const [row] = await stack.sql<{ municipality: string; run: number }>(
    'SELECT municipality, run FROM extracts WHERE id = $1',
    [id],
  );
  return { extractId: id, municipality: row?.municipality ?? '', run: row?.run ?? 0 };
}

/** Makes the file of an extract, and returns its id. */
async function make(as: TokenOptions, id: string): Promise<string> {
  await makeDue(id);
  await makeExtract(await jobOf(id), { signal });
  return (await read(as, id)).files[0]?.id ?? '';
}

const download = (as: TokenOptions, id: string, file: string, headers = {}) =>
  stack.call('GET', `/extracts/${id}/files/${file}`, { as, headers });

/** The subjects in a downloaded file. */
async function subjectsIn(response: Response): Promise<string[]> {
  expect(response.status).toBe(200);
  const { rows } = await readWithPython(Buffer.from(await response.arrayBuffer()));
  const at = rows[0]?.findIndex(({ text }) => text === 'Emne') ?? -1;
  return rows
    .slice(1)
    .map((row) => row[at]?.text ?? '')
    .toSorted();
}

describe('an extract', () => {
  it('is what its owner saved, and is due when its schedule next is', async () => {
    const me = someone();
    const filter = { q: 'børn', sender: '41 01 01-9999', status: 'journalized,pending' };
    const schedule = { every: 'week', weekday: 'monday', at: '06:15' };
    const id = await create(me, { filter, schedule, sort: '-receivedAt', keepDays: 3 });
    const extract = await read(me, id);
    expect(extract).toMatchObject({ id, name: 'Børnesager', sort: '-receivedAt', schedule, keepDays: 3, files: [] });
    expect(extract.filter).toMatchObject({ q: 'børn', status: ['journalized', 'pending'] });
    expect(new Date(extract.nextRunAt).getUTCDay()).toBe(1);
    expect(Date.parse(extract.nextRunAt)).toBeGreaterThan(Date.now());
    expect(Date.parse(extract.lapsesAt) - Date.now()).toBeGreaterThan(13 * DAY);
    const response = await stack.call('GET', '/extracts', { as: me });
    expect(ExtractList.parse(await response.json()).items).toEqual([extract]);
  });

  it('is nobody else’s: not of a colleague with every role, a system of the same id, or another municipality', async () => {
    const me = someone();
    const id = await create(me);
    const file = await make(me, id);
    const others = [someone(), { ...me, system: true }, { ...me, municipality: VESTERSUND }];
    for (const as of others) {
      for (const [method, path] of [
        ['GET', ''],
        ['DELETE', ''],
        ['GET', `/files/${file}`],
      ] as const) {
        await expectProblem(await stack.call(method, `/extracts/${id}${path}`, { as }), 404, 'not-found');
      }
      const list = await stack.call('GET', '/extracts', { as });
      expect(await list.json()).toEqual({ items: [] });
    }
    expect((await read(me, id)).files).toHaveLength(1);
  });

  it('holds name and filter sealed: nothing personal is in a column or the audit log', async () => {
    const me = someone();
    const id = await create(me, { name: 'Om Test Testesen', filter: { sender: '4101019999', q: 'Testesen' } });
    const rows = await stack.sql(
      `SELECT e::text, encode(e.container, 'escape') AS sealed FROM extracts e WHERE id = $1`,
      [id],
    );
    const audit = await stack.sql(`SELECT details::text FROM audit_events WHERE details->>'extractId' = $1`, [id]);
    expect(audit).toHaveLength(1);
    for (const personal of ['Testesen', '4101019999']) expect(JSON.stringify([rows, audit])).not.toContain(personal);
  });

  it.each([
    [{ schedule: { every: 'week', at: '07:30' } }, 'body.schedule.weekday'],
    [{ schedule: { every: 'day', weekday: 'monday', at: '07:30' } }, 'body.schedule.weekday'],
    [{ schedule: { every: 'day', at: '24:00' } }, 'body.schedule.at'],
    [{ schedule: { every: 'day', at: '7:30' } }, 'body.schedule.at'],
    [{ filter: { unknown: 1 } }, 'body.filter.unknown'],
    [{ filter: { status: 'journalized' }, sort: 'replyBy' }, 'body.sort'],
    [{ keepDays: 0 }, 'body.keepDays'],
    [{ name: ' ' }, 'body.name'],
    [{ owner: 'me' }, 'body.owner'],
  ])('%j is refused', async (body, path) => {
    const response = await stack.call('POST', '/extracts', { as: someone(), body: { ...BODY, ...body } });
    expect(await expectProblem(response, 400, 'bad-request')).toMatchObject({ path });
  });

  it('may have as many colleagues as a search, with ids as long as they may be', async () => {
    const colleagues = Array.from({ length: 200 }, (_, at) => `${at}`.padEnd(256, '€'));
    const me = someone();
    const id = await create(me, { filter: { view: 'absent', colleagues } });
    expect((await read(me, id)).filter).toMatchObject({ colleagues });
    const body = {
      ...BODY,
      filter: { view: 'absent', colleagues: colleagues.map((user) => user.replaceAll('€', '\u0001')) },
    };
    const problem = await expectProblem(await stack.call('POST', '/extracts', { as: me, body }), 400, 'bad-request');
    expect(problem.path).toBe('body.filter.colleagues.0');
  });

  it('requires a role to read', async () => {
    const response = await stack.call('GET', '/extracts', { as: { roles: ['IndkomneDokumenter.Tildel'] } });
    await expectProblem(response, 403, 'role-missing');
  });

  it('is one of at most 50 of its owner', async () => {
    const me = someone();
    await create(me);
    await stack.sql(
      `INSERT INTO extracts SELECT (jsonb_populate_record(e, jsonb_build_object('id', gen_random_uuid()))).*
       FROM extracts e, generate_series(1, 49) WHERE owner = $1`,
      [me.user],
    );
    await expectProblem(await stack.call('POST', '/extracts', { as: me, body: BODY }), 400, 'bad-request');
  });

  it('is created and deleted once for an Idempotency-Key', async () => {
    const me = someone();
    const repeated = async (method: string, path: string, options: object) => {
      const headers = { 'idempotency-key': randomUUID() };
      const call = () => stack.call(method, path, { as: me, headers, ...options });
      return [await call(), await call()] as const;
    };
    const created = await repeated('POST', '/extracts', { body: BODY });
    const [id, again] = await Promise.all(
      created.map(async (response) => ((await response.json()) as { id: string }).id),
    );
    expect(again).toBe(id);
    const deleted = await repeated('DELETE', `/extracts/${id}`, {});
    expect(deleted.map(({ status }) => status)).toEqual([204, 204]);
    expect(deleted[1].headers.get('idempotency-replayed')).toBe('true');
  });
});

describe('its file', () => {
  it('has the messages that its owner sees then, and is sealed', async () => {
    const subject = `Fil ${randomUUID()}`;
    const me = someone({ roles: ['IndkomneDokumenter.Læs'] });
    const mine = await deliverMemo(stack, { subject });
    await deliverMemo(stack, { subject: `${subject} af en anden` });
    await stack.sql(`UPDATE messages SET assignee_kind = 'user', assignee_id = $2 WHERE id = $1`, [mine, me.user]);
    const id = await create(me, { filter: { status: ['pending', 'journalized'] } });
    const file = await make(me, id);
    const response = await download(me, id, file);
    expect(response.headers.get('content-type')).toBe(EXCEL);
    expect(response.headers.get('content-disposition')).toMatch(
      /^attachment; filename=indkomne-dokumenter-[\d-]{10}\.xlsx$/,
    );
    expect(await subjectsIn(response)).toEqual([subject]);
    const [row] = await stack.sql<{ container: Buffer }>('SELECT container FROM extract_files WHERE id = $1', [file]);
    expect(row?.container.subarray(0, 8).toString()).toBe('INDBAKKE');
    expect(row?.container.includes('xl/worksheets')).toBe(false); // a zip names its entries in plain text
  });

  it('is described to its owner, and its making and reading are audited', async () => {
    const me = someone();
    const id = await create(me, { keepDays: 2 });
    const fileId = await make(me, id);
    await (await download(me, id, fileId)).arrayBuffer();
    const { files } = await read(me, id);
    const [made] = files;
    expect(files).toHaveLength(1);
    expect(made).toMatchObject({ id: fileId, isTruncated: false });
    expect(Date.parse(made?.expiresAt ?? '') - Date.parse(made?.madeAt ?? '')).toBe(2 * DAY);
    const ofFile = async (action: string) =>
      (await auditOf(stack, { action })).filter(({ details }) => details.fileId === fileId);
    expect(await ofFile('extract-made')).toMatchObject([
      { actor: 'indbakke', details: { extractId: id, rows: made?.rows } },
    ]);
    expect(await ofFile('read-extract')).toMatchObject([{ actor: me.user, details: { extractId: id } }]);
  });

  it('is sent in ranges, and not again to who has it', async () => {
    const me = someone();
    const id = await create(me);
    const file = await make(me, id);
    const whole = await download(me, id, file);
    const bytes = Buffer.from(await whole.arrayBuffer());
    const part = await download(me, id, file, { range: 'bytes=10-19' });
    expect([part.status, Buffer.from(await part.arrayBuffer())]).toEqual([206, bytes.subarray(10, 20)]);
    const again = await download(me, id, file, { 'if-none-match': whole.headers.get('etag') ?? '' });
    expect(again.status).toBe(304);
  });

  it('has nothing of a case that is restricted to others, and is not handed out once one of its cases is', async () => {
    const [caseId, letter, subject] = [`K-${randomUUID()}`, randomUUID(), `Emne ${randomUUID()}`];
    const restrict = (restrictedTo: string[] | null) => upsertCase(stack, caseId, { restrictedTo });
    await registerSentMessage(stack, letter, { caseId });
    await deliverReply(stack, [{ messageUUID: randomUUID(), replyUUID: letter }], { subject });
    const me = someone();
    const id = await create(me, { filter: { case: caseId } });
    const before = await make(me, id);
    expect(await subjectsIn(await download(me, id, before))).toEqual([subject]);
    await restrict(['somebody']);
    await expectProblem(await download(me, id, before), 403, 'role-missing');
    const after = await make(me, id);
    expect(await subjectsIn(await download(me, id, after))).toEqual([]);
    await restrict([me.user as string]);
    expect(await subjectsIn(await download(me, id, before))).toEqual([subject]);
  });

  it('is handed out only to a token with the rights that it was made with', async () => {
    const me = someone({ teams: ['team-1', 'team-2'] });
    const id = await create(me);
    const file = await make(me, id);
    const less = { ...me, roles: ['IndkomneDokumenter.Læs'] };
    await expectProblem(await download(less, id, file), 403, 'role-missing');
    expect((await download({ ...me, teams: [] }, id, file)).status).toBe(200); // who sees all needs no team
    await read(less, id);
    const other = await make(less, id);
    await expectProblem(await download({ ...less, teams: ['team-1'] }, id, other), 403, 'role-missing');
    expect((await download(less, id, other)).status).toBe(200);
  });

  it('has what its owner’s data constraints show, and is handed out with the same or none only', async () => {
    const me = someone({ constraints: { kle: ['27'] } });
    const subject = `Om ${randomUUID()}`;
    await deliverMemo(stack, { subject, contactPointId: CONTACT_POINT });
    await deliverMemo(stack, { subject });
    const id = await create(me, { filter: { q: subject.slice(3) } });
    expect(await subjectsIn(await download(me, id, await make(me, id)))).toEqual([]);
    await stack.sql(`UPDATE contact_points SET kle = '27.24.00' WHERE contact_point_id = $1`, [CONTACT_POINT]);
    const file = await make(me, id);
    expect(await subjectsIn(await download(me, id, file))).toEqual([subject]);
    const unlimited = { ...me, constraints: {} };
    expect((await download(unlimited, id, file)).status).toBe(200);
    await expectProblem(await download({ ...me, constraints: { kle: ['05'] } }, id, file), 403, 'role-missing');
    await read(unlimited, id);
    const whole = await make(unlimited, id);
    expect(await subjectsIn(await download(unlimited, id, whole))).toEqual([subject, subject]);
    await expectProblem(await download(me, id, whole), 403, 'role-missing');
  });

  it('has no more than its share of messages, and says so; a large one is in the content store', {
    tags: 'long',
  }, async () => {
    const me = someone({ municipality: VESTERSUND });
    await deliverMemo(stack, { recipient: { id: VESTERSUND } });
    await stack.sql(
      `WITH copies AS (
         INSERT INTO messages SELECT (jsonb_populate_record(m, jsonb_build_object('id', gen_random_uuid(),
           'external_id', n::text))).* FROM messages m, generate_series(1, 300) AS n WHERE municipality = $1
         RETURNING id)
       INSERT INTO message_details SELECT (jsonb_populate_record(d, jsonb_build_object('message_id', copies.id,
           'subject', (SELECT string_agg(md5(copies.id::text || n), '') FROM generate_series(1, 100) AS n)))).*
       FROM message_details d, copies WHERE municipality = $1`,
      [VESTERSUND],
    );
    const id = await create(me);
    await makeDue(id);
    await createMakeExtractHandler(parts, SEALING, 300)(await jobOf(id), { signal });
    const [file] = (await read(me, id)).files;
    expect(file).toMatchObject({ rows: 300, isTruncated: true });
    expect(await subjectsIn(await download(me, id, file?.id ?? ''))).toHaveLength(300);
    const [row] = await stack.sql<{ blob_name: string | null }>('SELECT blob_name FROM extract_files WHERE id = $1', [
      file?.id,
    ]);
    const names: string[] = [];
    for await (const blob of parts.blobs.list()) names.push(blob.name);
    expect(names).toEqual([row?.blob_name]);
  });

  it.each([
    [0, false],
    [65_536, true],
  ])('is in the database when it has at most SMALL_CONTENT_BYTES, here %i: %s', async (bytes, isInDatabase) => {
    const me = someone();
    const id = await create(me);
    await makeDue(id);
    await createMakeExtractHandler(parts, { SMALL_CONTENT_BYTES: bytes })(await jobOf(id), { signal });
    const [file] = (await read(me, id)).files;
    expect((await download(me, id, file?.id ?? '')).status).toBe(200);
    expect(await stack.sql('SELECT blob_name IS NULL AS small FROM extract_files WHERE id = $1', [file?.id])).toEqual([
      { small: isInDatabase },
    ]);
  });
});

describe('a due time', () => {
  const filesOf = (id: string) =>
    stack.sql<{ due_at: Date }>('SELECT due_at FROM extract_files WHERE extract_id = $1', [id]);

  it('has one file, however many make it, and the extract moves on to the next', async () => {
    const me = someone();
    const id = await create(me);
    const dueAt = await makeDue(id);
    const job = await jobOf(id);
    await Promise.all([1, 2, 3].map(() => makeExtract(job, { signal })));
    await makeExtract(job, { signal });
    expect(await filesOf(id)).toEqual([{ due_at: dueAt }]);
    expect(Date.parse((await read(me, id)).nextRunAt)).toBeGreaterThan(Date.now());
  });

  it('that passed while nothing ran is made up for by one file', async () => {
    const me = someone();
    const id = await create(me);
    const dueAt = await makeDue(id, new Date(Date.now() - 5 * DAY));
    await makeExtract(await jobOf(id), { signal });
    expect(await filesOf(id)).toEqual([{ due_at: dueAt }]);
    expect(Date.parse((await read(me, id)).nextRunAt)).toBeGreaterThan(Date.now());
  });

  it('is not made before it is due, nor for a job of another run', async () => {
    const me = someone();
    const id = await create(me);
    await makeExtract(await jobOf(id), { signal });
    await makeDue(id);
    await makeExtract({ ...(await jobOf(id)), run: 99 }, { signal });
    expect(await filesOf(id)).toEqual([]);
  });

  it('is enqueued by the sweep and made by a worker', async () => {
    const me = someone();
    const id = await create(me);
    const dueAt = new Date(Date.now() - 1_000);
    await stack.sql('UPDATE extracts SET next_run_at = $2, next_enqueue_at = $2 WHERE id = $1', [id, dueAt]);
    await sweepDueExtracts(parts, new Date());
    await parts.queues.flush();
    const { files } = await askUntil(
      () => read(me, id),
      (extract) => extract.files.length > 0,
    );
    expect(files).toMatchObject([{ dueAt: dueAt.toISOString() }]);
  });

  it('is enqueued again, as another run, when its job was lost', async () => {
    const id = await create(someone());
    await makeDue(id);
    const at = (minutes: number) =>
      sweepDueExtracts(
        { store: parts.store, queues: { ...parts.queues, add: async () => true } },
        new Date(Date.now() + minutes * 60_000),
      );
    const runOf = async () => (await jobOf(id)).run;
    await stack.sql('UPDATE extracts SET next_enqueue_at = now() WHERE id = $1', [id]);
    const before = await runOf();
    await Promise.all([at(1), at(1)]);
    expect(await runOf()).toBe(before + 1);
    await at(10);
    expect(await runOf()).toBe(before + 1);
    await at(12);
    expect(await runOf()).toBe(before + 2);
    await makeDue(id);
  });

  it('lapses, without a file, when the owner has not been seen for 14 days, until the owner is seen', async () => {
    const me = someone();
    const id = await create(me);
    await stack.sql(`UPDATE extract_owners SET seen_at = now() - interval '14 days 1 minute' WHERE owner = $1`, [
      me.user,
    ]);
    await makeDue(id);
    await makeExtract(await jobOf(id), { signal });
    expect(await filesOf(id)).toEqual([]);
    await read(me, id);
    expect(await make(me, id)).not.toBe('');
  });

  it('is made with the rights that the owner was last seen with', async () => {
    const subject = `Rettighed ${randomUUID()}`;
    await deliverMemo(stack, { subject });
    const me = someone();
    const id = await create(me);
    const less = { ...me, roles: ['IndkomneDokumenter.Læs'] };
    await read(less, id);
    await makeDue(id);
    await makeExtract(await jobOf(id), { signal });
    const [file] = (await read(less, id)).files;
    expect(file?.rows).toBe(0);
  });
});

describe('nothing deleted comes back', () => {
  async function rejected(subject: string): Promise<string> {
    const id = await deliverMemo(stack, { subject });
    await change(stack, 'POST', `${id}/rejection`, {
      version: 1,
      body: { reason: 'unwanted', explanation: 'Ikke til os' },
    });
    return id;
  }
  const deleteForGood = (id: string) => change(stack, 'POST', `${id}/deletion`, { version: 2, body: DELETION });

  it('a file with a message that is deleted for good is removed with its key, and the others stay', async () => {
    const me = someone();
    const gone = await rejected('Skal slettes');
    const withIt = await create(me, { filter: { status: ['rejected'] } });
    const without = await create(me, { filter: { status: ['journalized'] } });
    const files = [await make(me, withIt), await make(me, without)];
    await deleteForGood(gone);
    await expectProblem(await download(me, withIt, files[0] ?? ''), 404, 'not-found');
    expect((await download(me, without, files[1] ?? '')).status).toBe(200);
    expect((await read(me, withIt)).files).toEqual([]);
    expect(await stack.sql('SELECT FROM extract_file_messages WHERE message_id = $1', [gone])).toEqual([]);
  });

  it('a file with a message whose deletion delay begins is removed, and none has it while the delay runs', async () => {
    const setDelay = (days: number) => stack.sql('UPDATE municipalities SET deletion_delay_days = $1', [days]);
    const me = someone();
    const leaving = await rejected('Skal slettes senere');
    const id = await create(me, { filter: { status: ['rejected'] } });
    const first = await make(me, id);
    const hasIt = () => stack.sql('SELECT FROM extract_file_messages WHERE message_id = $1', [leaving]);
    expect(await hasIt()).toHaveLength(1);
    await setDelay(3);
    await deleteForGood(leaving);
    await expectProblem(await download(me, id, first), 404, 'not-found');
    await make(me, id);
    expect(await hasIt()).toEqual([]);
    await change(stack, 'DELETE', `${leaving}/deletion`, { version: 3 });
    await make(me, id);
    expect(await hasIt()).toHaveLength(1);
    await setDelay(0);
  });

  it('a message that is deleted while a file is made is not in the file', async () => {
    const me = someone();
    const gone = await rejected('Slettes undervejs');
    const id = await create(me, { filter: { status: ['rejected'] } });
    await makeDue(id);
    // The last thing before the file is stored: its content is written.
    let isDeleted = false;
    const store: Parts['store'] = {
      ...parts.store,
      async withTenantConnection(municipality, work) {
        if (!isDeleted) await deleteForGood(gone);
        isDeleted = true;
        return parts.store.withTenantConnection(municipality, work);
      },
    };
    const job = await jobOf(id);
    await expect(createMakeExtractHandler({ ...parts, store }, SEALING)(job, { signal })).rejects.toThrow();
    expect((await read(me, id)).files).toEqual([]);
    await makeExtract(job, { signal }); // as the queue does
    expect((await read(me, id)).files).toHaveLength(1);
    expect(await stack.sql('SELECT FROM extract_file_messages WHERE message_id = $1', [gone])).toEqual([]);
  });

  it('a file is not stored while a message of it is being deleted', async () => {
    const me = someone();
    const gone = await rejected('Slettes samtidig');
    const id = await create(me, { filter: { status: ['rejected'] } });
    await makeDue(id);
    const job = await jobOf(id);
    let making: Promise<void> = Promise.resolve();
    await parts.store.withTenantConnection(ODENSKOV, async (connection) => {
      await connection.query(`UPDATE messages SET status = 'deleted', status_before = NULL WHERE id = $1`, [gone]);
      await lockMadeFiles(connection, ODENSKOV, 'shared');
      making = makeExtract(job, { signal });
      making.catch(() => {});
      const waiting = () =>
        stack.sql(
          `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
        );
      expect(await askUntil(waiting, (locks) => locks.length > 0)).not.toHaveLength(0);
    });
    await expect(making).rejects.toThrow();
    await makeExtract(job, { signal });
    expect(await stack.sql('SELECT FROM extract_file_messages WHERE message_id = $1', [gone])).toEqual([]);
  });

  it('an extract is deleted with its files, also one in the content store', async () => {
    const me = someone();
    const id = await create(me);
    const file = await make(me, id);
    const blob = randomUUID();
    await stack.sql('UPDATE extract_files SET blob_name = $2, container = NULL WHERE id = $1', [file, blob]);
    const deleted = await stack.call('DELETE', `/extracts/${id}`, { as: me });
    expect(deleted.status).toBe(204);
    await expectProblem(await stack.call('GET', `/extracts/${id}`, { as: me }), 404, 'not-found');
    expect(await stack.sql('SELECT FROM extract_files WHERE id = $1', [file])).toEqual([]);
    expect(await stack.sql('SELECT FROM content_removals WHERE blob_name = $1', [blob])).toHaveLength(1);
  });

  it('a file that has expired is not handed out, and is swept', async () => {
    const me = someone();
    const id = await create(me, { keepDays: 1 });
    const file = await make(me, id);
    const blob = randomUUID();
    await stack.sql('UPDATE extract_files SET blob_name = $2, container = NULL WHERE id = $1', [file, blob]);
    await sweepExpiredExtractFiles(parts, new Date(Date.now() + DAY - 60_000));
    expect((await read(me, id)).files).toHaveLength(1);
    await stack.sql(`UPDATE extract_files SET expires_at = now() - interval '1 second' WHERE id = $1`, [file]);
    await expectProblem(await download(me, id, file), 404, 'not-found');
    expect((await read(me, id)).files).toEqual([]);
    await sweepExpiredExtractFiles(parts, new Date());
    expect(await stack.sql('SELECT FROM extract_files WHERE id = $1', [file])).toEqual([]);
    expect(await stack.sql('SELECT FROM content_removals WHERE blob_name = $1', [blob])).toHaveLength(1);
  });
});
