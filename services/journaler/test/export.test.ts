import { once } from 'node:events';
import type { Principal } from '@indbakke/shared/access';
import { EXCEL, ExportBody } from '@indbakke/shared/api';
import { type KeyRing, loadKeyRing } from '@indbakke/shared/keys';
import { openStore, type Store } from '@indbakke/shared/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askUntil } from '../../../infra/src/testkit/inbox-client.js';
import {
  CASEWORKER_ROLES,
  CONTACT_POINT,
  startTestStack,
  type TestStack,
  VESTERSUND,
} from '../../../infra/src/testkit/stack.js';
import { auditOf, change, deliverMemo, expectProblem } from '../../../shared/test/inbox/support.js';
import { openExport } from '../src/export/export-documents.js';
import { HAS_LIBREOFFICE, readWithPython, type Sheet, showInLibreOffice } from './support/spreadsheets.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});

afterAll(() => stack.close());

async function exported(body: object = {}, as = {}): Promise<Buffer> {
  const response = await stack.call('POST', '/incoming-documents/export', { as, body });
  expect(response.status, response.headers.get('content-type') ?? '').toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

/** The cells of a column, below its heading. */
function column({ rows: [headings = [], ...rows] }: Sheet, heading: string) {
  const at = headings.findIndex(({ text }) => text === heading);
  expect(at, heading).toBeGreaterThanOrEqual(0);
  return rows.map((row) => row[at]);
}

describe('an exported list', () => {
  const FORMULAS = ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1'];
  let file: Buffer;
  let sheet: Sheet;

  beforeAll(async () => {
    const early = { createdDateTime: '2026-07-01T22:30:00Z', contactPointId: CONTACT_POINT, subject: 'Børn & <unge>' };
    const concerning = { cpr: '0041019999', name: 'Test Ærøskøbing' };
    const first = await deliverMemo(stack, { ...early, concerning });
    for (const subject of FORMULAS) {
      const id = await deliverMemo(stack);
      await stack.sql('UPDATE message_details SET subject = $2 WHERE message_id = $1', [id, subject]);
    }
    const rejected = await deliverMemo(stack, { subject: 'Afvist' });
    await change(stack, 'POST', `${rejected}/rejection`, {
      version: 1,
      body: { reason: 'other', explanation: 'Kommer igen\u0001 i morgen _x0041_', outcome: { nothingToDo: true } },
    });
    await stack.sql(`UPDATE messages SET received_at = '2026-12-24T23:30:00Z' WHERE id = $1`, [first]);
    file = await exported({ status: ['pending', 'rejected'], sort: 'letterAt' });
    sheet = await readWithPython(file);
  });

  it('has Danish headings, which stay in view, and a width for each column', () => {
    const headings = sheet.rows[0]?.map(({ text }) => text);
    expect(headings?.slice(0, 8)).toEqual([
      'Modtaget',
      'Brevdato',
      'Status',
      'Type',
      'Kanal',
      'Kontaktpunkt',
      'Emne',
      'Afsender',
    ]);
    expect(headings).toContain('Svar ønskes senest');
    expect(new Set(headings).size).toBe(headings?.length);
    expect(sheet.frozenRows).toBe('1');
    expect(sheet.widths).toHaveLength(headings?.length ?? 0);
  });

  it('has times as dates of Excel, in Danish time', () => {
    const [received] = column(sheet, 'Modtaget');
    const [letter] = column(sheet, 'Brevdato');
    // 25 December 2026, 00:30, and 2 July 2026, 00:30: days since 30 December 1899.
    const days = (time: string) => (Date.parse(time) - Date.UTC(1899, 11, 30)) / 86_400_000;
    expect(Number(received?.text)).toBeCloseTo(days('2026-12-25T00:30:00Z'), 6);
    expect(Number(letter?.text)).toBeCloseTo(days('2026-07-02T00:30:00Z'), 6);
    expect(received?.type).toBe('n');
    expect(sheet.formats[Number(received?.style)]).toBe('dd-mm-yyyy hh:mm');
  });

  it('has numbers of people as text, with every zero', () => {
    const [concerning] = column(sheet, 'Vedrører, CPR-nummer');
    expect(concerning).toMatchObject({ type: 'inlineStr', text: '0041019999' });
    expect(sheet.formats[Number(concerning?.style)]).toMatch(/^(@|49)$/);
  });

  it('has no formula, whatever a text begins with', () => {
    expect(sheet.elements).not.toContain('f');
    const subjects = column(sheet, 'Emne');
    expect(subjects.every((cell) => cell?.type === 'inlineStr')).toBe(true);
    const texts = subjects.map((cell) => cell?.text.replace('_x000D_', '\r'));
    expect(texts.toSorted()).toEqual(['Børn & <unge>', 'Afvist', ...FORMULAS].toSorted());
  });

  it.runIf(HAS_LIBREOFFICE)('is shown by LibreOffice as people expect it', { tags: 'long' }, async () => {
    const [headings = [], ...rows] = await showInLibreOffice(file);
    const shown = rows.map((row) => Object.fromEntries(headings.map((heading, at) => [heading, row[at]])));
    expect(shown).toHaveLength(8);
    expect(shown[0]).toMatchObject({
      Modtaget: '25-12-2026 00:30',
      Brevdato: '02-07-2026 00:30',
      Status: 'Afventer',
      Type: 'Henvendelse',
      Kanal: 'Digital Post',
      Kontaktpunkt: 'Børn og familie',
      Emne: 'Børn & <unge>',
      Afsender: 'Test Testesen',
      'Afsenders nummer': '4101019999',
      Vedrører: 'Test Ærøskøbing',
      'Vedrører, CPR-nummer': '0041019999',
    });
    expect(shown.map(({ Emne }) => Emne)).toEqual(expect.arrayContaining(['=1+1', '+1', '-1', '@SUM(A1)']));
    expect(shown.find(({ Emne }) => Emne === 'Afvist')).toMatchObject({
      Status: 'Afvist',
      'Afvist – årsag': 'Andet',
      'Afvist – begrundelse': expect.stringContaining('i morgen _x0041_'),
      'Afvist – udfald': 'Intet at gøre',
      'Afvist – afsender underrettet': 'Nej',
    });
  });

  it('has a file name with the Danish day, and says that it is Excel', async () => {
    const response = await stack.call('POST', '/incoming-documents/export', { body: {} });
    await response.arrayBuffer();
    expect(response.headers.get('content-disposition')).toMatch(
      /^attachment; filename=indkomne-dokumenter-\d{4}-\d\d-\d\d\.xlsx$/,
    );
    expect(response.headers.get('content-type')).toBe(EXCEL);
  });

  it('has what its filters let through, and nothing of others', async () => {
    await deliverMemo(stack, { subject: 'Vestersunds', recipient: { id: VESTERSUND } });
    expect(column(await readWithPython(await exported({ status: ['rejected'] })), 'Emne')).toHaveLength(1);
    const found = await readWithPython(await exported({ q: 'børn', status: ['pending', 'rejected'] }));
    expect(column(found, 'Emne').map((cell) => cell?.text)).toEqual(['Børn & <unge>']);
    const own = { user: 'caseworker-9', roles: ['IndkomneDokumenter.Læs'] };
    expect((await readWithPython(await exported({}, own))).rows).toHaveLength(1);
    const theirs = await readWithPython(await exported({}, { municipality: VESTERSUND }));
    expect(column(theirs, 'Emne').map((cell) => cell?.text)).toEqual(['Vestersunds']);
  });

  it('is refused without a role to read, with an unknown filter, and with a page', async () => {
    const refused = (body: object, as = {}) => stack.call('POST', '/incoming-documents/export', { as, body });
    await expectProblem(await refused({}, { roles: ['IndkomneDokumenter.Tildel'] }), 403, 'role-missing');
    for (const field of ['cursor', 'limit', 'unknown']) {
      expect(await expectProblem(await refused({ [field]: '1' }), 400, 'bad-request')).toMatchObject({
        path: `body.${field}`,
      });
    }
  });
});

describe('the audit log', () => {
  it('has who exported how many rows by which filters, and no value of one that may be personal', async () => {
    const as = { user: 'caseworker-5', roles: CASEWORKER_ROLES };
    await exported({ status: ['rejected'], sender: '4101019999' }, as);
    const entries = await auditOf(stack, { action: 'exported' });
    expect(entries.filter(({ actor }) => actor === 'caseworker-5')).toEqual([
      {
        action: 'exported',
        actor: 'caseworker-5',
        actor_kind: 'user',
        result: 'done',
        details: { status: 'rejected', filters: 'sender', rows: 1, isWhole: true },
      },
    ]);
  });
});

describe('many messages', () => {
  const ROWS = 5_000;
  const principal: Principal = {
    municipality: VESTERSUND,
    actor: { kind: 'user', id: 'caseworker-7' },
    roles: new Set(['IndkomneDokumenter.Læs', 'IndkomneDokumenter.SeAlle']),
    teams: [],
  };
  const everything = ExportBody.parse({});
  let store: Store;
  let keys: KeyRing;

  beforeAll(async () => {
    keys = await loadKeyRing(stack.env.KEY_FILE as string);
    store = openStore({ url: stack.serviceUrl, connections: 2, name: 'test' });
    await stack.sql(
      `WITH copies AS (
         INSERT INTO messages SELECT (jsonb_populate_record(m, jsonb_build_object('id', gen_random_uuid(),
           'external_id', n::text))).* FROM messages m, generate_series(1, $2::int) AS n WHERE municipality = $1
         RETURNING id)
       INSERT INTO message_details SELECT (jsonb_populate_record(d, jsonb_build_object('message_id', copies.id,
           'subject', md5(copies.id::text)))).*
       FROM message_details d, copies WHERE municipality = $1`,
      [VESTERSUND, ROWS],
    );
  });

  afterAll(() => store.close());

  const entriesOf = async () =>
    (await auditOf(stack, { action: 'exported' })).filter(({ actor }) => actor === principal.actor.id);

  it('are all in the file, each once', { tags: 'long' }, async () => {
    const as = { municipality: VESTERSUND };
    const ids = column(await readWithPython(await exported({}, as)), 'Id').map((cell) => cell?.text);
    expect(new Set(ids).size).toBe(ROWS + 1);
    expect(ids).toHaveLength(ROWS + 1);
  });

  it('are read no further than the file is, and no more when it is broken off', async () => {
    const file = await openExport({ store, keys }, principal, everything);
    await once(file, 'readable');
    file.destroy();
    const [entry] = await askUntil(entriesOf, (entries) => entries.length > 0);
    expect(entry?.details).toMatchObject({ isWhole: false });
    expect(entry?.details.rows).toBeLessThan(ROWS / 2);
  });

  it('are a file without an end when the database fails on the way', async () => {
    const away = openStore({ url: stack.serviceUrl, connections: 2, name: 'test' });
    const file = await openExport({ store: away, keys }, principal, everything);
    await away.close();
    await expect(file.toArray()).rejects.toThrow();
  });
});
