import { randomUUID } from 'node:crypto';
import type { AuditEvent } from '@indbakke/shared/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DELETION } from '../../../infra/src/testkit/inbox-client.js';
import { HAS_PDFTOTEXT, textOfPdf } from '../../../infra/src/testkit/pdf-text.js';
import {
  ODENSKOV,
  startTestStack,
  type TestStack,
  type TokenOptions,
  VESTERSUND,
} from '../../../infra/src/testkit/stack.js';
import {
  change,
  deliverMemo,
  deliverReply,
  expectProblem,
  read,
  registerSentMessage,
  upsertCase,
} from '../../../shared/test/inbox/support.js';
import { readWithPython } from './support/spreadsheets.js';

const AUDITOR: TokenOptions = { user: 'revisor-1', roles: ['Revisionslog.Læs'] };
const CITIZEN = '4101015555';
const CHILD = '4101016666';
const PARTY = '4101017777';

let stack: TestStack;
let letter: string;
let deleted: string;
let filed: string;

beforeAll(async () => {
  stack = await startTestStack();
  letter = await deliverMemo(stack, {
    sender: { id: CITIZEN, name: 'Test Testesen' },
    subject: 'Meget personligt emne',
    concerning: { cpr: CHILD, name: 'Test Testesen' },
  });
  await read(stack, letter);
  deleted = await deliverMemo(stack, { sender: { id: CITIZEN, name: 'Test Testesen' } });
  await change(stack, 'POST', `${deleted}/rejection`, { version: 1, body: { reason: 'other', explanation: 'Andet' } });
  await change(stack, 'POST', `${deleted}/deletion`, { version: 2, body: DELETION });
  await upsertCase(stack, 'K-77', { status: 'open', parties: [PARTY] });
  filed = await deliverMemo(stack, { subject: 'Andet' });
  await change(stack, 'POST', `${filed}/journalization`, { version: 1, body: { caseIds: ['K-77'] } });
  await deliverMemo(stack, { recipient: { id: VESTERSUND }, sender: { id: CITIZEN, name: 'Test Testesen' } });
});

afterAll(() => stack.close());

interface Page {
  items: AuditEvent[];
  nextCursor: string | null;
}

async function search(body: object, as: TokenOptions = AUDITOR): Promise<Page> {
  const response = await stack.call('POST', '/audit-events/search', { as, body });
  const answer = await response.json();
  expect(response.status, JSON.stringify(answer)).toBe(200);
  return answer as Page;
}

/** Without the searches of this test, which the log has as well. */
const deeds = ({ items }: Page) =>
  items.filter(({ action }) => action !== 'log-searched').map(({ action, messageId }) => [action, messageId]);

describe('the log', () => {
  it('is found by message, newest first', async () => {
    expect(deeds(await search({ message: letter }))).toEqual([
      ['read', letter],
      ['accepted', letter],
    ]);
  });

  it('is found by a citizen: letters from and about that person, deleted ones too', async () => {
    const bySender = await search({ citizen: `${CITIZEN.slice(0, 6)}-${CITIZEN.slice(6)}` });
    expect(deeds(bySender).toReversed()).toEqual([
      ['accepted', letter],
      ['read', letter],
      ['accepted', deleted],
      ['rejected', deleted],
      ['deleted', deleted],
    ]);
    expect(deeds(await search({ citizen: CHILD }))).toEqual([
      ['read', letter],
      ['accepted', letter],
    ]);
  });

  it('is found by a party of the case that a letter is on', async () => {
    expect(deeds(await search({ citizen: PARTY }))).toEqual([
      ['journalized', filed],
      ['accepted', filed],
    ]);
  });

  it('is found by case', async () => {
    expect(deeds(await search({ case: 'K-77' }))).toEqual(deeds(await search({ message: filed })));
  });

  it('has who searched for the citizen', async () => {
    const citizen = '4101018888';
    await search({ citizen });
    await stack.call('POST', '/incoming-documents/search', { as: { user: 'nysgerrig' }, body: { sender: citizen } });
    const { items } = await search({ citizen });
    expect(items.map(({ action, actor }) => [action, actor.id])).toEqual([
      ['search', 'nysgerrig'],
      ['log-searched', 'revisor-1'],
    ]);
  });

  it('is found by user, action, result and time, alone and together', async () => {
    const as = { user: 'bruger-9', roles: ['IndkomneDokumenter.Læs'] } as const;
    const since = new Date().toISOString();
    await stack.call('GET', '/incoming-documents', { as });
    await expectProblem(await stack.call('GET', `/incoming-documents/${letter}`, { as }), 404, 'not-found');
    expect(deeds(await search({ user: 'bruger-9' }))).toEqual([
      ['refused', letter],
      ['list', null],
    ]);
    expect(deeds(await search({ user: 'bruger-9', action: 'list' }))).toEqual([['list', null]]);
    expect(deeds(await search({ user: 'bruger-9', result: 'not-found' }))).toEqual([['refused', letter]]);
    expect(deeds(await search({ user: 'bruger-9', result: 'done' }))).toEqual([['list', null]]);
    expect(deeds(await search({ result: 'not-found', from: since }))).toEqual([['refused', letter]]);
    expect(deeds(await search({ action: 'refused', message: letter }))).toEqual([['refused', letter]]);
    expect((await search({ user: 'bruger-9', to: since })).items).toEqual([]);
    expect((await search({ action: 'accepted', from: since })).items).toEqual([]);
    expect((await search({ action: 'accepted', message: letter })).items).toHaveLength(1);
  });

  it('is not asked for a period that ends before it begins: that nothing was done then would be no answer', async () => {
    const [from, to] = ['2026-11-02T08:00:00+01:00', '2026-11-02T07:00:00Z'];
    const calls: [string, object][] = [
      ['search', { from, to }],
      ['export', { from, to }],
      ['sheet', { citizen: CITIZEN, from, to }],
    ];
    const answers = calls.map(([path, body]) => stack.call('POST', `/audit-events/${path}`, { as: AUDITOR, body }));
    answers.push(stack.call('GET', `/audit-events?from=2026-11-02T08:00:00Z&to=${to}`, { as: AUDITOR }));
    for (const answer of await Promise.all(answers)) {
      const { detail } = await expectProblem(answer, 400, 'bad-request');
      expect(detail).toMatch(/to: must be later than from\.$/);
    }
  });

  it('has who acted for another under both', async () => {
    await stack.sql(
      `INSERT INTO audit_events (id, at, municipality, actor_kind, actor, on_behalf_of, action, details)
       VALUES (gen_random_uuid(), now(), $1, 'user', 'stedfortræder', 'chefen', 'list', '{}')`,
      [ODENSKOV],
    );
    expect((await search({ user: 'stedfortræder' })).items).toHaveLength(1);
    expect((await search({ user: 'chefen' })).items).toHaveLength(1);
  });

  it('comes in pages that have each row once, also while rows are written', async () => {
    const to = new Date().toISOString();
    const whole = await search({ to, limit: 200 });
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await search({ to, limit: 3, cursor });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor ?? undefined;
    } while (cursor);
    expect(seen).toEqual(whole.items.map(({ id }) => id));
    const searches = await search({ action: 'log-searched', from: to, limit: 200 });
    const shown = searches.items.map(({ details }) => Number(details.shown)).toReversed();
    expect(shown.reduce((sum, count) => sum + count)).toBe(whole.items.length + seen.length);
  });

  it('of another municipality is not shown', async () => {
    const { items } = await search({ citizen: CITIZEN }, { ...AUDITOR, municipality: VESTERSUND });
    expect(items.map(({ action }) => action)).toEqual(['accepted']);
    expect((await search({ message: letter }, { ...AUDITOR, municipality: VESTERSUND })).items).toEqual([]);
  });

  it('is for its own role only', async () => {
    const response = await stack.call('GET', '/audit-events', { as: { user: 'sagsbehandler-1' } });
    await expectProblem(response, 403, 'role-missing');
  });
});

describe('the sheet for a citizen', () => {
  async function sheet(body: object): Promise<Buffer> {
    const response = await stack.call('POST', '/audit-events/sheet', { as: AUDITOR, body });
    expect(response.status).toBe(200);
    return Buffer.from(await response.arrayBuffer());
  }

  it.runIf(HAS_PDFTOTEXT)('says as a PDF in plain Danish who did what with which letter', async () => {
    const text = textOfPdf(await sheet({ citizen: CITIZEN }));
    expect(text).toContain('Udskrift af log');
    expect(text).toContain('Åbnede brevet');
    expect(text).toContain('Slettede brevet');
    expect(text).toContain('caseworker-1 (medarbejder, ser alle breve)');
    expect(text).toContain('Side 1');
    expect(text.indexOf('Modtog brevet')).toBeLessThan(text.indexOf('Åbnede brevet'));
    for (const personal of ['Meget personligt emne', CITIZEN, CHILD, 'Testesen']) expect(text).not.toContain(personal);
  });

  it.runIf(HAS_PDFTOTEXT)('has all rows of many pages, each page with headings and number', async () => {
    const citizen = '4101014444';
    const many = await deliverMemo(stack, { sender: { id: citizen, name: 'Test Testesen' } });
    await stack.sql(
      `INSERT INTO audit_events (id, at, municipality, actor_kind, actor, role, action, message_id, details)
       SELECT gen_random_uuid(), now() - interval '2 hours' + make_interval(secs => n), $1, 'user', 'bruger-' || n || 'x', 'IndkomneDokumenter.Læs', 'read', $2, '{}'
       FROM generate_series(1, 2500) n`,
      [ODENSKOV, many],
    );
    const text = textOfPdf(await sheet({ citizen }));
    const users = [...text.matchAll(/bruger-(\d+)x/g)].map(([, n]) => Number(n));
    expect(users).toEqual(Array.from({ length: 2500 }, (_, n) => n + 1));
    const pages = text.split('\f').filter((page) => page.trim() !== '');
    expect(pages.length).toBeGreaterThan(50);
    pages.forEach((page, index) => {
      expect(page).toContain('Hvilket brev');
      expect(page).toContain(`Side ${index + 1}`);
    });
  });

  it.runIf(HAS_PDFTOTEXT)('says so when there is nothing', async () => {
    expect(textOfPdf(await sheet({ citizen: '4101011111' }))).toContain('Loggen har ingen hændelser i perioden.');
  });

  it('is the same as an Excel file', async () => {
    const { rows } = await readWithPython(await sheet({ citizen: CITIZEN, as: 'xlsx', to: new Date().toISOString() }));
    expect(rows[0]?.map(({ text }) => text)).toEqual(['Hvornår', 'Hvem', 'Hvad', 'Hvilket brev']);
    const words = rows.slice(1).map(([, , what]) => what?.text);
    expect(words.slice(0, 5)).toEqual([
      'Modtog brevet',
      'Åbnede brevet',
      'Modtog brevet',
      'Afviste brevet',
      'Slettede brevet',
    ]);
    expect(JSON.stringify(rows)).not.toContain('Meget personligt emne');
  });
});

it('an export has the rows of its filter, oldest first', async () => {
  const response = await stack.call('POST', '/audit-events/export', { as: AUDITOR, body: { message: deleted } });
  const { rows } = await readWithPython(Buffer.from(await response.arrayBuffer()));
  const at = rows[0]?.findIndex(({ text }) => text === 'Handlingskode') ?? -1;
  expect(rows.slice(1).map((row) => row[at]?.text)).toEqual(['accepted', 'rejected', 'deleted']);
});

it('a reply is found by the case that it was suggested for, and by its parties', async () => {
  const [messageUUID, party] = [randomUUID(), '4101019191'];
  await upsertCase(stack, 'K-78', { status: 'open' });
  await registerSentMessage(stack, messageUUID, { caseId: 'K-78' });
  const id = await deliverReply(stack, [{ messageUUID, replyUUID: messageUUID, senderID: ODENSKOV }]);
  await upsertCase(stack, 'K-78', { parties: [party] });
  for (const filter of [{ case: 'K-78' }, { citizen: party }]) {
    const { items } = await search({ ...filter, action: 'suggested' });
    expect(items.map(({ messageId }) => messageId)).toEqual([id]);
  }
});
