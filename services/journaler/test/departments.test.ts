import { randomUUID } from 'node:crypto';
import { writeXlsx } from 'hucre';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestStack, type TestStack, VESTERSUND } from '../../../infra/src/testkit/stack.js';
import { auditOf, expectProblem, SETUP } from '../../../shared/test/inbox/support.js';

// The address book of a municipality.

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack.close());

const call = (method: string, path: string, options: Parameters<TestStack['call']>[2] = {}) =>
  stack.call(method, path, { as: SETUP, ...options });

interface Department {
  readonly id: string;
  readonly version: number;
  readonly [field: string]: unknown;
}

async function departments(as = SETUP): Promise<Department[]> {
  return ((await (await call('GET', '/departments', { as })).json()) as { items: Department[] }).items;
}

const departmentOf = async (id: string) => (await departments()).find((each) => each.id === id);

/** Adds one. @returns its id */
async function add(fields: object = {}): Promise<string> {
  const id = randomUUID();
  const added = await call('POST', '/departments', { body: { id, name: 'Børn og Skole', ...fields } });
  expect(await added.json()).toEqual({ id, version: 1 });
  expect(added.headers.get('etag')).toBe('"1"');
  return id;
}

const TELLS_NOTHING = { email: null, phone: null, address: null, note: null, isActive: true };

describe('a department', () => {
  it('is listed by name, with what is told of it', async () => {
    const told = { email: 'teknik@kommune.example', phone: '12 34 56 78', address: 'Rådhusvej 1', note: 'Også veje' };
    const [last, first] = [await add({ name: 'Ørsted', ...told }), await add({ name: 'Aktiv fritid' })];
    expect(await departmentOf(last)).toEqual({ id: last, name: 'Ørsted', ...told, isActive: true, version: 1 });
    expect(await departmentOf(first)).toEqual({ id: first, name: 'Aktiv fritid', ...TELLS_NOTHING, version: 1 });
    const ids = (await departments()).map(({ id }) => id);
    expect(ids.indexOf(first)).toBeLessThan(ids.indexOf(last));
  });

  it.each([
    [['IndkomneDokumenter.Læs'], 200],
    [['IndkomneDokumenter.Afvis'], 200],
    [['Indbakke.Opsætning'], 200],
    [['Indbakke.Drift'], 200],
    [['DigitalPost.Slet'], 403],
    [['Revisionslog.Læs'], 403],
  ])('is seen by who reads the inbox or rejects: with %j it is %d', async (roles, status) => {
    expect((await call('GET', '/departments', { as: { user: 'reader', roles } })).status).toBe(status);
  });

  it.each([
    ['POST', '/departments', { id: 'x', name: 'x' }],
    ['PUT', '/departments/x', { name: 'x' }],
    ['DELETE', '/departments/x', undefined],
    ['POST', '/departments/import', { departments: [{ id: 'x', name: 'x' }] }],
  ])('is changed by Indbakke.Opsætning only: %s %s', async (method, path, body) => {
    const roles = ['IndkomneDokumenter.Læs', 'IndkomneDokumenter.Afvis', 'Indbakke.Drift'];
    const response = await call(method, path, { as: { user: 'reader', roles }, version: 1, ...(body && { body }) });
    await expectProblem(response, 403, 'role-missing');
  });

  it('is changed as a whole by the version that was read; a lost answer is given again', async () => {
    const id = await add({ phone: '12 34 56 78' });
    const change = { version: 1, body: { name: 'Skole', note: 'Kun skoler' } };
    const changed = await call('PUT', `/departments/${id}`, change);
    expect(await changed.json()).toEqual({ version: 2 });
    expect(await departmentOf(id)).toEqual({ id, name: 'Skole', ...TELLS_NOTHING, note: 'Kun skoler', version: 2 });
    expect(await (await call('PUT', `/departments/${id}`, change)).json()).toEqual({ version: 2 });
    const stale = { version: 1, body: { name: 'Andet' } };
    await expectProblem(await call('PUT', `/departments/${id}`, stale), 412, 'version-changed');
    await expectProblem(await call('DELETE', `/departments/${id}`, { version: 1 }), 412, 'version-changed');
    await expectProblem(await call('PUT', `/departments/${id}`, { body: { name: 'x' } }), 428, 'version-needed');
  });

  it('is in no list once it is removed, and may be added again', async () => {
    const id = await add();
    expect(await (await call('DELETE', `/departments/${id}`, { version: 1 })).json()).toEqual({ version: 2 });
    expect(await (await call('DELETE', `/departments/${id}`, { version: 1 })).json()).toEqual({ version: 2 });
    expect(await departmentOf(id)).toBeUndefined();
    const body = { name: 'Igen' };
    await expectProblem(await call('PUT', `/departments/${id}`, { version: 2, body }), 404, 'not-found');
    const again = await call('POST', '/departments', { body: { id, ...body } });
    expect(await again.json()).toEqual({ id, version: 3 });
    expect(await departmentOf(id)).toEqual({ id, name: 'Igen', ...TELLS_NOTHING, version: 3 });
  });

  it('has an id in any case, once in the municipality, and another one’s elsewhere', async () => {
    const id = await add();
    const body = { id: id.toUpperCase(), name: 'Samme' };
    const problem = await expectProblem(await call('POST', '/departments', { body }), 409, 'department-exists');
    expect(problem.path).toBe('body.id');
    expect((await call('PUT', `/departments/${id.toUpperCase()}`, { version: 1, body: { name: 'Nyt' } })).status).toBe(
      200,
    );
    const there = { ...SETUP, municipality: VESTERSUND };
    expect((await call('POST', '/departments', { as: there, body })).status).toBe(200);
    expect((await departmentOf(id))?.name).toBe('Nyt');
    expect((await departments(there)).map(({ name }) => name)).toEqual(['Samme']);
  });

  it.each([
    [{ id: 'x y' }, 'body.id'],
    [{ id: 'x'.repeat(65) }, 'body.id'],
    [{ id: '' }, 'body.id'],
    [{ name: ' ' }, 'body.name'],
    [{ email: 'teknik' }, 'body.email'],
    [{ note: 'x'.repeat(1_001) }, 'body.note'],
    [{ isActive: 'ja' }, 'body.isActive'],
    [{ fax: '12 34 56 78' }, 'body.fax'],
  ])('with %j is refused', async (wrong, path) => {
    const body = { id: 'forkert', name: 'Forkert', ...wrong };
    expect((await expectProblem(await call('POST', '/departments', { body }), 400, 'bad-request')).path).toBe(path);
    expect(await departmentOf('forkert')).toBeUndefined();
  });

  it('shows who changed what and when', async () => {
    const id = await add();
    await call('PUT', `/departments/${id}`, { version: 1, body: { name: 'Skole' } });
    await call('DELETE', `/departments/${id}`, { version: 2 });
    const { items } = (await (await call('GET', '/municipality/changes')).json()) as { items: Department[] };
    const own = items.filter(({ department }) => department === id);
    expect(own).toMatchObject([
      { action: 'department-removed', by: SETUP.user, contactPoint: null, before: { name: 'Skole' } },
      { action: 'department-changed', before: { name: 'Børn og Skole' }, after: { name: 'Skole' } },
      { action: 'department-added', after: { name: 'Børn og Skole', ...TELLS_NOTHING } },
    ]);
    const rows = await auditOf(stack, { action: 'department-removed' });
    expect(rows.at(-1)).toMatchObject({ actor: SETUP.user, details: { department: id } });
  });
});

describe('many departments', () => {
  const EXCEL = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
  const importThem = async (body: Buffer | string, type: string, query = '') =>
    fetch(`${stack.url}/api/v1/departments/import${query}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await stack.token(SETUP)}`, 'content-type': type },
      body,
    });
  const [first, second] = [randomUUID(), randomUUID()];
  const CSV = `\uFEFFid;name;email;isActive\r\n${first};Ældre;aeldre@kommune.example;ja\r\n${second};Havn;;nej\r\n`;

  it('are imported from CSV: first to see what would happen, then all', async () => {
    const dry = await importThem(CSV, 'text/csv', '?dryRun=true');
    expect(await dry.json()).toEqual({ added: 2, changed: 0, unchanged: 0 });
    expect(await departmentOf(first)).toBeUndefined();
    expect(await (await importThem(CSV, 'text/csv')).json()).toEqual({ added: 2, changed: 0, unchanged: 0 });
    expect(await departmentOf(first)).toMatchObject({ name: 'Ældre', email: 'aeldre@kommune.example', isActive: true });
    expect(await departmentOf(second)).toMatchObject({ name: 'Havn', email: null, isActive: false });
    const again = CSV.replace('Havn;', 'Havne;');
    expect(await (await importThem(again, 'text/csv')).json()).toEqual({ added: 0, changed: 1, unchanged: 1 });
  });

  it('are imported from Excel', async () => {
    const id = randomUUID();
    const rows = [
      ['id', 'name', 'phone', 'isActive'],
      [id, 'Ærø Ungeråd', '12 34 56 78', true],
    ];
    const file = Buffer.from(await writeXlsx({ sheets: [{ name: 'Ark1', rows }] }));
    expect(await (await importThem(file, EXCEL)).json()).toMatchObject({ added: 1 });
    expect(await departmentOf(id)).toMatchObject({ name: 'Ærø Ungeråd', phone: '12 34 56 78' });
  });

  it('are imported from JSON, 2000 at once', async () => {
    const body = {
      departments: Array.from({ length: 2_000 }, (_, n) => ({ id: `afdeling-${n}`, name: `Afdeling ${n}` })),
    };
    const added = await call('POST', '/departments/import', { body });
    expect(await added.json()).toEqual({ added: 2_000, changed: 0, unchanged: 0 });
    expect(await (await call('POST', '/departments/import', { body })).json()).toMatchObject({ unchanged: 2_000 });
  });

  it('are not imported at all when one is wrong, and its line is told', async () => {
    const fresh = [randomUUID(), randomUUID()];
    const wrong = `id,name,email\n${fresh[0]},Ny,\n${fresh[1]},Forkert,uden snabel`;
    const problem = await expectProblem(await importThem(wrong, 'text/csv'), 400, 'bad-request');
    expect(problem.path).toBe('line 3.email');
    expect(await departmentOf(fresh[0] as string)).toBeUndefined();
    const twice = {
      departments: [
        { id: 'To', name: 'x' },
        { id: 'to', name: 'y' },
      ],
    };
    const again = await call('POST', '/departments/import', { body: twice });
    expect((await expectProblem(again, 400, 'bad-request')).path).toBe('body.departments');
  });
});
