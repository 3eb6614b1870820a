import { randomUUID } from 'node:crypto';
import { readConfig } from '@indbakke/shared/config';
import { createLog } from '@indbakke/shared/log';
import { serve } from '@indbakke/shared/service';
import { openStore } from '@indbakke/shared/store';
import { writeXlsx } from 'hucre';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { registerMunicipality } from '../../../infra/src/local/register-municipality.js';
import { allServices, StackConfig } from '../../../infra/src/local/services.js';
import { deliver } from '../../../infra/src/testkit/deliver.js';
import {
  CONTACT_POINT,
  ODENSKOV,
  startTestStack,
  type TestStack,
  VESTERSUND,
} from '../../../infra/src/testkit/stack.js';
import { writeMemo } from '../../../infra/src/testkit/write-memo.js';
import {
  auditOf,
  deliverMemo,
  expectProblem,
  list,
  read,
  SETUP,
  upsertCase,
} from '../../../shared/test/inbox/support.js';
import { escalateHeldMessages } from '../src/set-up/escalate.js';
import { releaseHeldMessages } from '../src/set-up/release-held.js';

// What a municipality decides by itself, what is held by that, and when it is released.

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack.close());

const call = (method: string, path: string, options: Parameters<TestStack['call']>[2] = {}) =>
  stack.call(method, path, { as: SETUP, ...options });

interface Settings {
  version: number;
  heldRules: object[];
  [setting: string]: unknown;
}

const settings = async () => (await (await call('GET', '/municipality')).json()) as Settings;

/** Changes settings; the others stay. */
async function change(changes: object): Promise<Response> {
  const { cvr: _, version, warnings: __, isTraining: ___, ...present } = await settings();
  return call('PUT', '/municipality', { version, body: { ...present, ...changes } });
}

const rule = (cause: string, rest: object = {}) => ({
  cause,
  action: 'hold',
  contact: null,
  escalateAfterHours: null,
  escalateTo: null,
  ...rest,
});

async function pointOf(id: string) {
  return (await (await call('GET', `/contact-points/${id}`)).json()) as { version: number; [field: string]: unknown };
}

async function changePoint(id: string, changes: object): Promise<Response> {
  const { id: _, version, ...present } = await pointOf(id);
  return call('PUT', `/contact-points/${id}`, { version, body: { ...present, ...changes } });
}

const released = (id: string) =>
  expect.poll(async () => (await read(stack, id, SETUP)).status, { timeout: 15_000 }).toBe('pending');
const causeOf = async (id: string) => (await read(stack, id, SETUP)).heldCause;

beforeEach(async () => {
  const defaults = { isLive: true, takesReplies: true, takesEnquiries: true, heldRules: [] };
  expect((await change(defaults)).status).toBe(200);
});

describe('settings', () => {
  it('are changed as a whole, by the version that was read, and who did it is told', async () => {
    const { version } = await settings();
    const changed = await change({ replyDays: 21, closedCaseTeam: 'team-lukket' });
    expect(await changed.json()).toEqual({ version: version + 1 });
    expect(changed.headers.get('etag')).toBe(`"${version + 1}"`);
    expect(await settings()).toMatchObject({ version: version + 1, replyDays: 21, closedCaseTeam: 'team-lukket' });
    const { items } = (await (await call('GET', '/municipality/changes')).json()) as { items: object[] };
    expect(items[0]).toMatchObject({
      by: 'setup-1',
      action: 'municipality-changed',
      after: { replyDays: 21, closedCaseTeam: 'team-lukket' },
    });
  });

  it('are not changed by who has read an older version; a lost answer is given again', async () => {
    const { cvr: _, version, warnings: __, isTraining: ___, ...present } = await settings();
    const first = { version, body: { ...present, lateAfterDays: 5 + (version % 9) } };
    expect((await call('PUT', '/municipality', first)).status).toBe(200);
    expect(await (await call('PUT', '/municipality', first)).json()).toEqual({ version: version + 1 });
    await expectProblem(await call('PUT', '/municipality', { version, body: present }), 412, 'version-changed');
  });

  it.each([
    [{ replyDays: 0 }, 'body.replyDays'],
    [{ heldRules: [rule('conflict'), rule('conflict')] }, 'body.heldRules'],
    [{ heldRules: [rule('conflict', { escalateAfterHours: 2 })] }, 'body.heldRules.0.escalateTo'],
    [
      { heldRules: [rule('not-live', { action: 'refuse', contact: { kind: 'user', id: 'a' } })] },
      'body.heldRules.0.contact',
    ],
  ])('with %j are refused, naming the field, and nothing is changed', async (wrong, path) => {
    const before = await settings();
    const problem = await expectProblem(await change({ ...wrong, name: 'Andet navn' }), 400, 'bad-request');
    expect(problem.path).toBe(path);
    expect(await settings()).toEqual(before);
  });

  it('that let somebody wait unseen are told', async () => {
    const named = { contact: { kind: 'user', id: 'superbruger-1' } };
    await change({ heldRules: [rule('conflict', named)] });
    const { warnings } = (await settings()) as unknown as { warnings: { code: string; cause: string }[] };
    const unnamed = warnings.filter(({ code }) => code === 'nobody-named').map(({ cause }) => cause);
    expect(unnamed).toContain('unknown-contact-point');
    expect(unnamed).not.toContain('conflict');
  });

  it('of a municipality that is not set up are not found', async () => {
    const as = { ...SETUP, municipality: '99999999' };
    await expectProblem(await call('GET', '/municipality', { as }), 404, 'not-found');
    const body = { id: randomUUID(), name: 'Nyt' };
    await expectProblem(await call('POST', '/contact-points', { as, body }), 404, 'not-found');
  });
});

describe('a message is held', () => {
  it('when the municipality is not live, and released in the order of receipt when it is', async () => {
    await change({ isLive: false });
    const ids = [await deliverMemo(stack), await deliverMemo(stack), await deliverMemo(stack)];
    expect(await Promise.all(ids.map(causeOf))).toEqual(Array(3).fill('not-live'));
    await change({ isLive: true });
    await released(ids[2] as string);
    const events = await stack.sql<{ message_id: string }>(
      `SELECT message_id FROM audit_events WHERE action = 'released' AND message_id = ANY ($1::uuid[]) ORDER BY at, id`,
      [ids],
    );
    expect(events.map(({ message_id }) => message_id)).toEqual(ids);
  });

  it('for an unknown contact point, until that is set up: then as it would have been', async () => {
    const contactPointId = randomUUID();
    const id = await deliverMemo(stack, { contactPointId });
    expect(await causeOf(id)).toBe('unknown-contact-point');
    const assignee = { kind: 'team', id: 'team-1' };
    const body = { id: contactPointId.toUpperCase(), name: 'Nyt', isConcern: true, assignee };
    expect((await call('POST', '/contact-points', { body })).status).toBe(200);
    await released(id);
    const message = await read(stack, id);
    expect(message).toMatchObject({ assignee, contactPoint: { name: 'Nyt' }, concern: { markedBy: 'indbakke' } });
    expect(message.history.at(-1)).toMatchObject({ action: 'released', by: 'indbakke' });
  });

  it('for a contact point that is off, or for other messages', async () => {
    await changePoint(CONTACT_POINT, { purpose: 'replies' });
    const id = await deliverMemo(stack, { contactPointId: CONTACT_POINT });
    expect(await causeOf(id)).toBe('contact-point-off');
    await changePoint(CONTACT_POINT, { purpose: 'both', isActive: false });
    const second = await deliverMemo(stack, { contactPointId: CONTACT_POINT });
    expect(await causeOf(second)).toBe('contact-point-off');
    await changePoint(CONTACT_POINT, { isActive: true });
    await released(second);
    await released(id);
  });

  it('for another cause, once the first is gone', async () => {
    const contactPointId = randomUUID();
    await change({ takesEnquiries: false });
    const id = await deliverMemo(stack, { contactPointId });
    await call('POST', '/contact-points', { body: { id: contactPointId, name: 'Nyt' } });
    await expect.poll(() => causeOf(id), { timeout: 15_000 }).toBe('enquiries-off');
    await change({ takesEnquiries: true });
    await released(id);
  });

  it('and counted by cause, without anything personal', async () => {
    await deliverMemo(stack, { contactPointId: randomUUID() });
    const metrics = await (await fetch(`${stack.url}/metrics`)).text();
    expect(metrics).toMatch(/^indbakke_held\{what="messages",cause="unknown-contact-point"\} [1-9]/m);
    expect(metrics).toMatch(/^indbakke_held\{what="seconds",cause="unknown-contact-point"\} \d/m);
  });

  it('until the command of operators changes that, too', { tags: 'long' }, async () => {
    const contactPointId = randomUUID();
    await change({ takesEnquiries: false });
    const [off, unknown] = [await deliverMemo(stack), await deliverMemo(stack, { contactPointId })];
    const { version } = await settings();
    const contactPoints = [{ id: contactPointId, name: 'Fra kommandoen' }];
    await registerMunicipality(stack.ownerUrl, { cvr: ODENSKOV, takesEnquiries: true, contactPoints });
    await released(off);
    await released(unknown);
    expect((await settings()).version).toBeGreaterThan(version);
  });

  it('by a conflict until a person decides', async () => {
    const messageUUID = randomUUID();
    await deliverMemo(stack, { messageUUID });
    const id = await deliverMemo(stack, { messageUUID, subject: 'Noget andet' });
    await change({ replyDays: 30 });
    await expect.poll(() => stack.sql('SELECT FROM municipalities WHERE release_due IS NOT NULL')).toEqual([]);
    expect(await causeOf(id)).toBe('conflict');
  });

  it('or refused, or to be sent again, as the municipality has set it up', async () => {
    const memo = { contactPointId: randomUUID(), messageUUID: randomUUID() };
    for (const [action, status, code] of [
      ['refuse', 403, 'not-taken-here'],
      ['send-again', 503, 'not-yet'],
    ] as const) {
      await change({ heldRules: [rule('unknown-contact-point', { action })] });
      const answer = await stack.deliver(writeMemo(memo));
      expect([answer.status, await answer.text()]).toEqual([status, expect.stringContaining(code)]);
      expect(await stack.sql('SELECT FROM messages WHERE external_id = $1', [memo.messageUUID])).toEqual([]);
    }
    await change({ heldRules: [] });
    await deliverMemo(stack, memo);
  });

  it('and whoever is named for the cause is told, and somebody else after the hours', async () => {
    const [contact, escalateTo] = [
      { kind: 'user', id: 'superbruger-1' },
      { kind: 'team', id: 'team-it' },
    ];
    await change({
      heldRules: [rule('unknown-contact-point', { contact, escalateAfterHours: 2, escalateTo })],
    });
    const id = await deliverMemo(stack, { contactPointId: randomUUID() });
    const young = await deliverMemo(stack, { contactPointId: randomUUID() });
    await stack.sql(`UPDATE messages SET received_at = received_at - interval '3 hours' WHERE id = $1`, [id]);
    const store = openStore({ url: stack.serviceUrl, connections: 2, name: 'escalate' });
    const log = createLog('test', 'silent');
    await escalateHeldMessages({ store, log });
    await escalateHeldMessages({ store, log });
    await store.close();
    const history = async (which: string) => (await read(stack, which, SETUP)).history;
    expect(await history(id)).toMatchObject([
      {
        action: 'held',
        details: { heldCause: 'unknown-contact-point', contactKind: 'user', contactId: 'superbruger-1' },
      },
      { action: 'escalated', by: 'indbakke', details: { contactKind: 'team', contactId: 'team-it' } },
    ]);
    expect(await history(young)).toHaveLength(1);
    const { items } = await list(stack, '?status=held', { user: 'drift-1', roles: ['Indbakke.Drift'] });
    expect(items.map((item) => item.id)).toContain(id);
  });
});

describe('a change of settings', () => {
  it('counts at once in every copy', async () => {
    const config = readConfig(StackConfig, stack.env);
    const copy = await serve(config, 'copy', allServices(config));
    const causeAtCopy = async (memo: object = {}) => {
      const messageUUID = randomUUID();
      expect((await deliver(copy.url, writeMemo({ ...memo, messageUUID }))).status).toBe(200);
      const [row] = await stack.sql<{ held_cause: string }>('SELECT held_cause FROM messages WHERE external_id = $1', [
        messageUUID,
      ]);
      return row?.held_cause;
    };
    try {
      for (const isLive of [false, true, false, true]) {
        await change({ isLive });
        expect(await causeAtCopy()).toBe(isLive ? null : 'not-live');
      }
      const contactPointId = randomUUID();
      expect(await causeAtCopy({ contactPointId })).toBe('unknown-contact-point');
      await call('POST', '/contact-points', { body: { id: contactPointId, name: 'Ny' } });
      expect(await causeAtCopy({ contactPointId })).toBeNull();
      await changePoint(contactPointId, { isActive: false });
      expect(await causeAtCopy({ contactPointId })).toBe('contact-point-off');
    } finally {
      await copy.close();
    }
  });

  it('releases hundreds in the order of their receipt, each once, by two processes at a time', async () => {
    const as = { ...SETUP, municipality: VESTERSUND };
    const first = await deliverMemo(stack, { recipient: { id: VESTERSUND } });
    await stack.sql(
      `WITH copies AS (
         INSERT INTO messages SELECT (jsonb_populate_record(m, jsonb_build_object('id', gen_random_uuid(), 'external_id', n::text,
           'status', 'held', 'held_cause', 'not-live', 'received_at', m.received_at - n * interval '1 second'))).*
         FROM messages m, generate_series(1, 350) AS n WHERE m.id = $1
         RETURNING id)
       INSERT INTO message_details SELECT (jsonb_populate_record(d, jsonb_build_object('message_id', copies.id))).*
       FROM message_details d, copies WHERE d.message_id = $1`,
      [first],
    );
    await stack.sql('UPDATE municipalities SET release_due = gen_random_uuid() WHERE cvr = $1', [VESTERSUND]);
    const stores = [1, 2].map(() => openStore({ url: stack.serviceUrl, connections: 2, name: 'release' }));
    await Promise.all(stores.map((store) => releaseHeldMessages({ store })));
    await Promise.all(stores.map((store) => store.close()));
    const releases = await stack.sql<{ at: Date }>(
      `SELECT a.at FROM messages m JOIN audit_events a ON a.message_id = m.id AND a.action = 'released'
       WHERE m.municipality = $1 AND m.external_id ~ '^[0-9]{1,3}$' AND m.status = 'pending' ORDER BY m.received_at`,
      [VESTERSUND],
    );
    const times = releases.map(({ at }) => at.getTime());
    expect(times).toHaveLength(350);
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    expect((await list(stack, '?status=held', as)).items).toEqual([]);
    expect(await stack.sql('SELECT FROM municipalities WHERE release_due IS NOT NULL')).toEqual([]);
  });

  it('leaves no message held that was being received meanwhile', async () => {
    await change({ isLive: false });
    const messageUUID = randomUUID();
    const client = new pg.Client({ connectionString: stack.ownerUrl });
    await client.connect();
    const id = `${ODENSKOV} sf1606 ${messageUUID}`;
    await client.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [id]);
    const waiting = async () => {
      const [row] = await stack.sql<{ count: number }>(
        `SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      );
      return row?.count;
    };
    const receiving = stack.deliver(writeMemo({ messageUUID }));
    await expect.poll(waiting).toBe(1);
    let isChanged = false;
    const changing = change({ isLive: true }).then(() => {
      isChanged = true;
    });
    await expect.poll(async () => isChanged || (await waiting()) === 2).toBe(true);
    if (isChanged)
      await expect.poll(() => stack.sql('SELECT FROM municipalities WHERE release_due IS NOT NULL')).toEqual([]);
    await client.end();
    await Promise.all([receiving, changing]);
    const [row] = await stack.sql<{ id: string }>('SELECT id FROM messages WHERE external_id = $1', [messageUUID]);
    await released(row?.id as string);
  });
});

describe('a contact point', () => {
  it('that is removed is unknown from then on, and its messages keep its name', async () => {
    const contactPointId = randomUUID();
    await call('POST', '/contact-points', { body: { id: contactPointId, name: 'Midlertidig' } });
    const before = await deliverMemo(stack, { contactPointId });
    expect((await call('DELETE', `/contact-points/${contactPointId}`, { version: 1 })).status).toBe(200);
    await expectProblem(await call('GET', `/contact-points/${contactPointId}`), 404, 'not-found');
    const after = await deliverMemo(stack, { contactPointId });
    expect(await causeOf(after)).toBe('unknown-contact-point');
    expect((await read(stack, before)).contactPoint).toEqual({ id: contactPointId, name: 'Midlertidig' });
    const again = await call('POST', '/contact-points', { body: { id: contactPointId, name: 'Igen' } });
    expect(await again.json()).toEqual({ id: contactPointId, version: 3 });
    await released(after);
  });

  it('that is the last one is unknown too when it is removed; where none ever was set up, none is', async () => {
    const as = { ...SETUP, municipality: VESTERSUND };
    const recipient = { id: VESTERSUND };
    const causeThere = async () => {
      const id = await deliverMemo(stack, { recipient, contactPointId: CONTACT_POINT });
      return (await read(stack, id, as)).heldCause;
    };
    await stack.sql('DELETE FROM contact_points WHERE municipality = $1', [VESTERSUND]);
    expect(await causeThere()).toBeNull();
    const body = { id: randomUUID(), name: 'Den eneste' };
    expect((await call('POST', '/contact-points', { as, body })).status).toBe(200);
    expect(await causeThere()).toBe('unknown-contact-point');
    expect((await call('DELETE', `/contact-points/${body.id}`, { as, version: 1 })).status).toBe(200);
    expect(await causeThere()).toBe('unknown-contact-point');
    const { warnings } = (await (await call('GET', '/municipality', { as })).json()) as {
      warnings: { code: string }[];
    };
    expect(warnings.map(({ code }) => code)).toContain('no-contact-points');
  });

  it('is not changed or removed by who has read an older version', async () => {
    const { id, version, ...present } = await pointOf(CONTACT_POINT);
    expect((await changePoint(CONTACT_POINT, { sensitivity: `grad ${version}` })).status).toBe(200);
    const stale = { version, body: { ...present, sensitivity: 'lav' } };
    await expectProblem(await call('PUT', `/contact-points/${id}`, stale), 412, 'version-changed');
    await expectProblem(await call('DELETE', `/contact-points/${id}`, { version }), 412, 'version-changed');
  });

  it('is not added twice, nor by another municipality’s set-up', async () => {
    const body = { id: CONTACT_POINT, name: 'Samme' };
    await expectProblem(await call('POST', '/contact-points', { body }), 409, 'contact-point-exists');
    const as = { ...SETUP, municipality: VESTERSUND };
    await stack.sql('DELETE FROM contact_points WHERE municipality = $1', [VESTERSUND]);
    expect((await call('POST', '/contact-points', { as, body })).status).toBe(200);
    expect((await pointOf(CONTACT_POINT)).name).toBe('Børn og familie');
  });

  it('says whom its messages are assigned to, and what its fields mean', async () => {
    const contactPointId = randomUUID();
    const assignee = { kind: 'user', id: 'modtager-1' };
    const infoLabels = [
      { label: 'Elevens nummer', meaning: 'child-cpr' },
      { label: 'Skole', meaning: 'school' },
    ];
    await call('POST', '/contact-points', { body: { id: contactPointId, name: 'Skolefravær', assignee, infoLabels } });
    const contactInfo = [
      { label: 'elevens  nummer:', value: '410101-9999' },
      { label: 'Skole', value: 'Solbakkeskolen' },
    ];
    const id = await deliverMemo(stack, { contactPointId, contactInfo });
    expect(await read(stack, id)).toMatchObject({ assignee, concerning: { id: '4101019999', name: null } });
    const unsure = [
      { label: 'Elevens nummer', value: 'ved ikke' },
      { label: 'Barnets CPR-nummer', value: '420202-9999' },
    ];
    const other = await deliverMemo(stack, { contactPointId, contactInfo: unsure });
    expect(await read(stack, other)).toMatchObject({ concerning: { id: '4202029999' } });
    const given = await deliverMemo(stack, {
      contactPointId,
      contactInfo,
      concerning: { cpr: '4303039999', name: 'Test Testesen' },
    });
    expect(await read(stack, given)).toMatchObject({ concerning: { id: '4303039999' } });
    for (const body of [{ concerning: '4101019999' }, { q: 'solbakkeskolen' }]) {
      const found = (await (await call('POST', '/incoming-documents/search', { body })).json()) as { items: object[] };
      expect(found.items).toContainEqual(expect.objectContaining({ id }));
    }
  });
});

describe('many contact points', () => {
  const [first, second] = [randomUUID(), randomUUID()];
  const CSV = `\uFEFFid;name;purpose;isConcern;visibleTo;label1;meaning1\r\n${first};Underretninger;enquiries;ja;CITIZEN COMPANY;Barnets CPR;child-cpr\r\n${second};Svar;replies;nej;CITIZEN;;\r\n`;
  const importThem = async (body: Buffer | string, type: string, query = '') =>
    fetch(`${stack.url}/api/v1/contact-points/import${query}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await stack.token(SETUP)}`, 'content-type': type },
      body,
    });

  it('are imported from CSV: first to see what would happen, then all', async () => {
    const dry = await importThem(CSV, 'text/csv', '?dryRun=true');
    expect(await dry.json()).toEqual({ added: 2, changed: 0, unchanged: 0 });
    await expectProblem(await call('GET', `/contact-points/${first}`), 404, 'not-found');
    expect(await (await importThem(CSV, 'text/csv')).json()).toEqual({ added: 2, changed: 0, unchanged: 0 });
    expect(await pointOf(first)).toMatchObject({
      name: 'Underretninger',
      isConcern: true,
      visibleTo: ['CITIZEN', 'COMPANY'],
      infoLabels: [{ label: 'Barnets CPR', meaning: 'child-cpr' }],
    });
    const again = CSV.replace('Svar;', 'Svar på breve;');
    expect(await (await importThem(again, 'text/csv; charset=utf-8')).json()).toEqual({
      added: 0,
      changed: 1,
      unchanged: 1,
    });
  });

  const EXCEL = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';

  it('are imported from Excel', async () => {
    const rows = [
      ['id', 'name', 'purpose'],
      [randomUUID(), 'Ærø Ungeråd', 'both'],
    ];
    const file = Buffer.from(await writeXlsx({ sheets: [{ name: 'Ark1', rows }] }));
    const type = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
    expect(await (await importThem(file, type)).json()).toMatchObject({ added: 1 });
    await expectProblem(await importThem(file.subarray(0, 100), type), 400, 'bad-request');
    await expectProblem(await importThem(Buffer.alloc(300_000), type), 413, 'too-large');
  });

  it('are imported from Excel with empty rows, columns and cells, as people leave them', async () => {
    const rows = [
      ['id', 'name', 'isActive', null, ''],
      [randomUUID(), ' Tomme felter ', true, null, ' '],
      [null, '', null],
      [null],
    ];
    const file = Buffer.from(await writeXlsx({ sheets: [{ name: 'Ark1', rows }] }));
    const answer = await importThem(file, EXCEL);
    expect([answer.status, await answer.json()]).toEqual([200, { added: 1, changed: 0, unchanged: 0 }]);
    const csv = `id;name;;\r\n${randomUUID()};Tomme linjer;;\r\n;;;\r\n\r\n`;
    expect(await (await importThem(csv, 'text/csv')).json()).toMatchObject({ added: 1 });
    const strayed = await expectProblem(
      await importThem(`id;name;\n${randomUUID()};A;x\n`, 'text/csv'),
      400,
      'bad-request',
    );
    expect(strayed.detail).toBe('line 2: has a cell without a heading.');
  });

  it('are refused from Excel that is small and unpacks to much', async () => {
    const rows = [['id', 'name'], ...Array.from({ length: 300 }, (_, n) => [`${n}${'x'.repeat(32_000)}`, 'A'])];
    const file = Buffer.from(await writeXlsx({ sheets: [{ name: 'Ark1', rows }] }));
    expect(file.length).toBeLessThan(262_144);
    const problem = await expectProblem(await importThem(file, EXCEL), 413, 'too-large');
    expect(problem.detail).toContain('Unpacked');
  });

  it('are all refused for one line that is wrong, which is named', async () => {
    const wrong = `id,name,purpose\n${randomUUID()},A,both\n${randomUUID()},B,alle\n`;
    const problem = await expectProblem(await importThem(wrong, 'text/csv'), 400, 'bad-request');
    expect(problem.detail).toMatch(/^line 3\.purpose: /);
    const { items } = (await (await call('GET', '/contact-points')).json()) as { items: { name: string }[] };
    expect(items.map(({ name }) => name)).not.toContain('A');
  });
});

describe('the check of a contact point', () => {
  interface Check {
    check: { code: string; status: string; arrival: object | null } | null;
    warnings: { code: string; da: string }[];
    steps: { eventNames: string[] }[];
    [field: string]: unknown;
  }
  const check = async (method: 'GET' | 'POST', id: string) =>
    (await (await call(method, `/contact-points/${id}/check`)).json()) as Check;
  const codesIn = ({ warnings }: Check) => warnings.map(({ code }) => code);

  it('waits for a letter with the code, and says when and where it came', async () => {
    const id = randomUUID();
    await call('POST', '/contact-points', { body: { id, name: 'Kontrolleret' } });
    expect(codesIn(await check('GET', id))).toEqual(['never-received']);
    const started = await check('POST', id);
    expect(started.check).toMatchObject({ status: 'waiting', arrival: null });
    expect(started.steps.flatMap(({ eventNames }) => eventNames)).toContain('CONTACT_POINT_CHANGED');
    const { code } = started.check as { code: string };
    const messageId = await deliverMemo(stack, { contactPointId: id, subject: `Prøve: ${code.toUpperCase()}!` });
    expect(await check('GET', id)).toMatchObject({
      check: { status: 'arrived', arrival: { messageId, minutes: 0, status: 'pending', contactPoint: { id } } },
      received: { last24Hours: 1, last7Days: 1, last30Days: 1 },
      held: 0,
      warnings: [],
      steps: [],
    });
  });

  it('says when the letter came elsewhere and is held there', async () => {
    const id = randomUUID();
    await call('POST', '/contact-points', { body: { id, name: 'Rigtig', visibleTo: [] } });
    const { check: started } = await check('POST', id);
    await deliverMemo(stack, { contactPointId: randomUUID(), subject: started?.code as string });
    const found = await check('GET', id);
    expect(found.check).toMatchObject({
      status: 'arrived',
      arrival: { status: 'held', heldCause: 'unknown-contact-point' },
    });
    expect(codesIn(found)).toEqual(['not-visible', 'arrived-elsewhere', 'never-received']);
  });

  it('says where to look when the letter does not come', async () => {
    await check('POST', CONTACT_POINT);
    await stack.sql(`UPDATE contact_point_checks SET started_at = started_at - interval '61 minutes'`);
    const { check: missing, steps } = await check('GET', CONTACT_POINT);
    expect(missing?.status).toBe('missing');
    expect(steps).toHaveLength(5);
  });

  it('tells a silence that is unusual for the weekday and hour', async () => {
    const id = randomUUID();
    await call('POST', '/contact-points', { body: { id, name: 'Stille' } });
    const ids: string[] = [];
    for (let n = 0; n < 13; n += 1) ids.push(await deliverMemo(stack, { contactPointId: id }));
    const age = (from: number, weeks: string) =>
      stack.sql(`UPDATE messages SET received_at = now() - ${weeks} WHERE id = ANY ($1::uuid[])`, [
        ids.slice(from, from + 3),
      ]);
    // The newest is five hours old; in such a time three came in each week before.
    await stack.sql(`UPDATE messages SET received_at = now() - interval '5 hours' WHERE id = $1`, [ids[12]]);
    for (let week = 1; week <= 4; week += 1) await age((week - 1) * 3, `interval '${week} weeks 2 hours'`);
    expect(codesIn(await check('GET', id))).toEqual(['silent']);
    // One less in two of the weeks: too few on average to tell.
    await stack.sql(`UPDATE messages SET received_at = now() - interval '60 days' WHERE id = ANY ($1::uuid[])`, [
      [ids[0], ids[3]],
    ]);
    expect(codesIn(await check('GET', id))).toEqual([]);
    await deliverMemo(stack, { contactPointId: id });
    expect(codesIn(await check('GET', id))).toEqual([]);
  });

  it('warns when many letters can be answered to it, and no reply has come', async () => {
    const id = randomUUID();
    await call('POST', '/contact-points', { body: { id, name: 'Svar', purpose: 'replies' } });
    await deliverMemo(stack, { contactPointId: id }); // held, and no reply
    const send = (count: number, days: number, delivery: string | null) =>
      stack.sql(
        `INSERT INTO sent_messages (municipality, message_uuid, case_id, contact_point_id, set_up_at, delivery)
         SELECT municipality, gen_random_uuid(), case_id, $2, now() - make_interval(days => $3), $4
         FROM cases, generate_series(1, $1) WHERE case_id = 'K-sendt'`,
        [count, id, days, delivery],
      );
    await upsertCase(stack, 'K-sendt');
    await send(19, 8, 'delivered');
    await send(5, 1, null); // too new
    await send(5, 61, null); // too old
    await send(5, 8, 'failed');
    expect(codesIn(await check('GET', id))).toEqual(['held']);
    await send(1, 59, null);
    expect(codesIn(await check('GET', id))).toEqual(['no-replies', 'held']);
    await deliverMemo(stack, {
      contactPointId: id,
      replyData: [{ messageUUID: randomUUID(), replyUUID: randomUUID() }],
    });
    expect(codesIn(await check('GET', id))).toEqual(['held']);
  });
});

it('every change is in the audit log with what it changed', async () => {
  await changePoint(CONTACT_POINT, { kle: '27.24.00' });
  expect((await auditOf(stack, { action: 'contact-point-changed' })).at(-1)).toMatchObject({
    actor: 'setup-1',
    details: { contactPoint: CONTACT_POINT, after: '{"kle":"27.24.00"}' },
  });
});
