// @module-tag long

import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTraining, requestReset } from '@indbakke/archiver';
import { exportMunicipality } from '@indbakke/journaler';
import { CommonConfig, readConfig } from '@indbakke/shared/config';
import { openParts, type Parts } from '@indbakke/shared/service';
import type { Connection } from '@indbakke/shared/store';
import { readXlsx } from 'hucre';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { escalateHeldMessages } from '../../services/journaler/src/set-up/escalate.js';
import { list, listAll, SYSTEM } from '../../shared/test/inbox/support.js';
import { repository } from '../../tools/local-state.mjs';
import { asOwner, registerMunicipality } from '../src/local/register-municipality.js';
import { launchCommand } from '../src/testkit/command.js';
import { HAS_PDFTOTEXT, textOfPdf } from '../src/testkit/pdf-text.js';
import { CASEWORKER_ROLES, ODENSKOV, startTestStack, type TestStack, type TokenOptions } from '../src/testkit/stack.js';
import { unzip } from '../src/testkit/unzip.js';
import { writeMemo } from '../src/testkit/write-memo.js';
import { type Letter, lettersFor } from '../src/training/letters.js';
import { practise } from '../src/training/practise.js';

// The life of a municipality to practise in, by the command of the operator and the calls of its users.

const CVR = '99999999';
const MARK = 'Øvelse – ikke rigtig post';
const LETTERS = 27;
/** Milliseconds: some tests deliver and delete all letters. */
const SLOW = 120_000;
const CASEWORKER: TokenOptions = {
  user: 'sagsbehandler-1',
  municipality: CVR,
  roles: [...CASEWORKER_ROLES, 'Indbakke.Opsætning'],
};

let stack: TestStack;
let parts: Parts;

beforeAll(async () => {
  stack = await startTestStack({ SMALL_CONTENT_BYTES: '0' });
  parts = await openParts(readConfig(CommonConfig, stack.env), 'by-hand');
});
afterAll(async () => {
  await parts.queues.close();
  await parts.store.close();
  await stack.close();
});

/** The command, as its operator runs it. */
async function command(...args: string[]) {
  const CORE_TOKEN = await stack.token({ ...SYSTEM, municipality: CVR });
  const env = { DATABASE_OWNER_URL: stack.ownerUrl, CORE_TOKEN };
  return launchCommand('training', ['fill', ...args, '--url', stack.url], env).ended;
}

const owner = <T>(work: (connection: Connection) => Promise<T>) => asOwner(stack.ownerUrl, 'COMMIT', work);
const target = async () => ({ url: stack.url, token: await stack.token({ ...SYSTEM, municipality: CVR }) });
const practiseIn = async (cvr: string, isReset = false) => practise(owner, { cvr, target: await target(), isReset });

/** The file of the example, with another number and mark. */
async function apply(cvr: string, training: boolean) {
  const example = parse(readFileSync(join(repository, 'infra/municipality.example.yaml'), 'utf8'));
  return registerMunicipality(stack.ownerUrl, { ...example, cvr, training });
}

const call = (method: string, path: string, options: object = {}) =>
  stack.call(method, path, { as: CASEWORKER, ...options });
const json = async <T = Record<string, unknown>>(path: string, options: object = {}) =>
  (await (await call('GET', path, options)).json()) as T;
const all = (status: string) => listAll(stack, `limit=200&status=${status}`, CASEWORKER);
const training = () => owner((connection) => readTraining(connection, CVR));
const letters = async (): Promise<Letter[]> => lettersFor({ cvr: CVR, ...(await training()) });

it('is set up by its file, under a CVR number that nobody can have', async () => {
  await expect(apply('55133018', true)).rejects.toThrow('is one that an authority can have');
  expect(await apply(CVR, true)).toMatchObject({ isNew: true });
  expect(await owner((connection) => exportMunicipality(connection, CVR))).toMatchObject({ cvr: CVR, training: true });
  expect(await json('/municipality')).toMatchObject({ cvr: CVR, isTraining: true });
});

it('is one for ever, and no other can become one', async () => {
  await expect(apply(CVR, false)).rejects.toThrow('is a training municipality, and stays one');
  await expect(apply(ODENSKOV, true)).rejects.toThrow('cannot become one');
  const mark = 'UPDATE municipalities SET is_training = $1, training_since = $2 WHERE cvr = $3';
  await expect(stack.sql(mark, [true, new Date(), ODENSKOV])).rejects.toThrow('from the beginning, or never');
  await expect(stack.sql(mark, [false, null, CVR])).rejects.toThrow('from the beginning, or never');
  await expect(stack.sql(`UPDATE municipalities SET cvr = '55133018' WHERE cvr = $1`, [CVR])).rejects.toThrow('never');
  const due = 'UPDATE municipalities SET reset_due = true WHERE cvr = $1';
  await expect(stack.sql(due, [ODENSKOV])).rejects.toThrow('check constraint');
});

it(
  'is filled with letters of every kind; who is stopped goes on where it ended',
  async () => {
    await stack.sql(`UPDATE municipalities SET training_since = now() - interval '30 days' WHERE cvr = $1`, [CVR]);
    const stopped = practise(owner, {
      cvr: CVR,
      target: await target(),
      isReset: false,
      onProgress(_, done) {
        if (done === 5) throw new Error('stopped');
      },
    });
    await expect(stopped).rejects.toThrow('stopped');
    expect(await practiseIn(CVR)).toBe(
      `${CVR} Eksempel Kommune: ${LETTERS - 5} of ${LETTERS} letters are new. ${LETTERS} messages are there.`,
    );
    expect(await practiseIn(CVR)).toContain(`: 0 of ${LETTERS} letters are new.`);

    await expect
      .poll(async () => (await all('pending')).filter((each) => each.suggestion).length, { timeout: 10_000 })
      .toBe(9);
    const pending = await all('pending');
    const some = (is: (each: (typeof pending)[number]) => unknown) => pending.filter(is).length;
    expect(new Set(pending.map(({ suggestion }) => suggestion?.caseStatus))).toEqual(
      new Set(['open', 'closed', 'moved', undefined]),
    );
    expect(new Set(pending.map(({ kind }) => kind))).toEqual(new Set(['reply', 'enquiry', 'forwarded']));
    expect(some(({ suggestion }) => suggestion?.warning)).toBe(1);
    expect(some(({ late }) => late)).toBe(2);
    expect(some(({ concern }) => concern)).toBe(1);
    expect(some(({ hasMedia }) => hasMedia)).toBe(1);
    expect(some(({ attachmentCount }) => attachmentCount > 0)).toBeGreaterThan(4);
    expect(some(({ replyBy }) => replyBy)).toBe(3);
    expect(pending.flatMap(({ remarks }) => remarks.map(({ code }) => code))).toEqual(['type-differs']);
    expect((await all('held')).map(({ heldCause }) => heldCause).toSorted()).toEqual([
      'conflict',
      'unknown-contact-point',
    ]);
  },
  SLOW,
);

it('says so in every answer and file', async () => {
  const [first] = await all('pending');
  expect(first?.isTraining).toBe(true);
  expect(await json(`/incoming-documents/${first?.id}`)).toMatchObject({ isTraining: true });
  expect(await json('/incoming-documents/summary')).toMatchObject({ isTraining: true });
  expect(await json('/figures')).toMatchObject({ isTraining: true });
  const zip = await call('GET', `/incoming-documents/${first?.id}/zip?include=cover`);
  expect(decodeURIComponent(zip.headers.get('content-disposition') ?? '')).toContain('øvelse-');
  const sheet = unzip(Buffer.from(await zip.arrayBuffer())).get('følgeseddel.pdf') as Buffer;
  if (HAS_PDFTOTEXT) expect(textOfPdf(sheet)).toContain(MARK.toUpperCase());
  expect(await (await call('GET', '/figures.csv')).text()).toMatch(new RegExp(`^\ufeff?${MARK}\r\nDag;`));
  const sheets = [await call('GET', '/figures.xlsx'), await call('POST', '/incoming-documents/export', { body: {} })];
  for (const sheet of sheets) {
    const workbook = await readXlsx(new Uint8Array(await sheet.arrayBuffer()));
    expect(workbook.sheets.map(({ name }) => name)).toEqual([MARK]);
  }
  // Of the others, nothing does.
  await stack.deliver(writeMemo());
  expect((await list(stack)).items.map(({ isTraining }) => isTraining)).toEqual([false]);
});

it('is counted nowhere, and nobody is told of what it holds', async () => {
  const counted = async () =>
    (await (await fetch(`${stack.url}/metrics`)).text()).match(/^indbakke_(held|intake_total)\{.* [1-9].*$/gm);
  const ofTheOther = ['indbakke_intake_total{endpoint="rest",outcome="accepted"} 1'];
  expect(await counted()).toEqual(ofTheOther);
  const { cvr: _, version, warnings: __, isTraining: ___, ...present } = await json('/municipality');
  const refusing = { ...present, heldRules: [{ cause: 'unknown-contact-point', action: 'refuse' }] };
  expect((await call('PUT', '/municipality', { version, body: refusing })).status).toBe(200);
  const refused = await stack.deliver(writeMemo({ recipient: { id: CVR }, contactPointId: randomUUID() }));
  expect(refused.status).toBe(403);
  expect(await counted()).toEqual(ofTheOther);
  expect((await call('PUT', '/municipality', { version: Number(version) + 1, body: present })).status).toBe(200);

  await stack.sql(`UPDATE messages SET received_at = received_at - interval '2 days' WHERE status = 'held'`);
  await escalateHeldMessages(parts);
  expect(await stack.sql('SELECT FROM messages WHERE escalated_at IS NOT NULL')).toEqual([]);
  const id = randomUUID();
  await call('POST', '/contact-points', { body: { id, name: 'Skole' } });
  expect(await json(`/contact-points/${id}/check`)).toMatchObject({ warnings: [], steps: [] });
  await call('DELETE', `/contact-points/${id}`, { version: 1 });
});

it(
  'is reset: all its mail is deleted for good, and fresh mail is there',
  async () => {
    const before = [...(await all('pending')), ...(await all('held'))];
    const sent = (await letters())[0] as Letter;
    const [journalized, rejected, restricted] = before;
    const onCase = { version: journalized?.version, body: { caseIds: ['ØVELSE-1'] } };
    expect((await call('POST', `/incoming-documents/${journalized?.id}/journalization`, onCase)).status).toBe(200);
    const reason = { version: rejected?.version, body: { reason: 'unwanted', explanation: 'Ikke til os' } };
    expect((await call('POST', `/incoming-documents/${rejected?.id}/rejection`, reason)).status).toBe(200);
    const caseId = encodeURIComponent(restricted?.suggestion?.caseId ?? '');
    const core = { ...SYSTEM, municipality: CVR };
    await call('PUT', `/cases/${caseId}`, { as: core, body: { restrictedTo: ['sagsbehandler-9'] } });

    const reset = await command(CVR, '--reset');
    expect(reset).toMatchObject({
      status: 0,
      output: expect.stringContaining(`${LETTERS} of ${LETTERS} letters are new.`),
    });
    expect(reset.errors).toBe(`removed ${LETTERS} of ${LETTERS}\ndelivered ${LETTERS} of ${LETTERS}\n`);

    const ids = before.map(({ id }) => id);
    const old = 'municipality = $1 AND message_id = ANY ($2::uuid[])';
    const statuses = await stack.sql('SELECT DISTINCT status FROM messages WHERE id = ANY ($1::uuid[])', [ids]);
    expect(statuses).toEqual([{ status: 'deleted' }]);
    for (const table of [
      'message_keys',
      'message_details',
      'files',
      'journalizations',
      'message_parties',
      'message_words',
    ]) {
      expect(await stack.sql(`SELECT FROM ${table} WHERE ${old}`, [CVR, ids]), table).toEqual([]);
    }
    const [told] = await stack.sql(
      `SELECT count(DISTINCT message_id)::int AS events FROM events WHERE type = 'deleted' AND ${old}`,
      [CVR, ids],
    );
    expect(told).toEqual({ events: LETTERS });
    const ofJournalized = await stack.sql<{ action: string; actor: string }>(
      `SELECT action, actor FROM audit_events WHERE message_id = $1 AND actor = 'indbakke' AND action <> 'suggested' ORDER BY at, id`,
      [journalized?.id],
    );
    expect(ofJournalized.map(({ action }) => action)).toEqual(['taken-back', 'rejected', 'deleted']);
    const asked = await stack.sql(
      `SELECT actor FROM audit_events WHERE action = 'training-reset' ORDER BY at DESC LIMIT 1`,
    );
    expect(asked).toEqual([{ actor: 'municipality-apply' }]);

    // On disk is the content of the fresh mail, and of the one message of the other municipality.
    const blobs = () =>
      readdirSync(stack.contentFolder, { recursive: true }).filter((name) => /\w{32}$/.test(String(name)));
    await expect.poll(() => blobs().length, { timeout: 20_000 }).toBe(LETTERS + 1);
    expect(await stack.sql('SELECT FROM content_removals')).toEqual([]);

    // Nothing deleted comes back.
    expect((await stack.deliver(writeMemo(sent))).status).toBe(200);
    expect((await training()).messages).toBe(LETTERS);
  },
  SLOW,
);

it(
  'goes on with a reset that was stopped',
  async () => {
    const { since } = await training();
    // Nothing there is real: no legal hold keeps it, and no delay.
    const [held, leaving] = await stack.sql<{ id: string }>(
      `SELECT id FROM messages WHERE municipality = $1 AND status = 'pending' LIMIT 2`,
      [CVR],
    );
    await stack.sql('UPDATE messages SET legal_hold = true WHERE id = $1', [held?.id]);
    await stack.sql(
      `UPDATE messages SET status = 'rejected', status_before = 'pending', deletion_requested_at = now(),
         deletion_requested_by = 'anna', deletion_due_at = now() + interval '14 days' WHERE id = $1`,
      [leaving?.id],
    );
    await owner((connection) => requestReset(connection, CVR)); // and the command is stopped here
    expect(await practiseIn(CVR)).toContain(`${LETTERS} of ${LETTERS} letters are new.`);
    const after = await training();
    expect(after).toMatchObject({ messages: LETTERS, isResetDue: false });
    expect(after.since.getTime()).toBeGreaterThan(since.getTime());
    const gone = await stack.sql(`SELECT FROM messages WHERE id = ANY ($1::uuid[]) AND status = 'deleted'`, [
      [held?.id, leaving?.id],
    ]);
    expect(gone).toHaveLength(2);
  },
  SLOW,
);

it(
  'no other municipality is filled or reset',
  async () => {
    const { items } = await list(stack);
    const refused = await command(ODENSKOV, '--reset');
    expect(refused).toMatchObject({ status: 1, errors: expect.stringContaining('its mail may be real') });
    await expect(practiseIn(ODENSKOV)).rejects.toThrow('its mail may be real');
    await expect(practiseIn('66666666')).rejects.toThrow('There is no municipality 66666666');
    await expect(owner((connection) => requestReset(connection, ODENSKOV))).rejects.toThrow('may be real');
    expect((await list(stack)).items).toEqual(items);
  },
  SLOW,
);
