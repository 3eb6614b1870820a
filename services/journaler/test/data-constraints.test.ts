import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  CASEWORKER_ROLES,
  CONTACT_POINT,
  startTestStack,
  type TestStack,
  type TokenOptions,
} from '../../../infra/src/testkit/stack.js';
import { parseConstraints } from '../../../shared/src/access/index.js';
import { deliverMemo, expectProblem, list, listAll, read, SETUP } from '../../../shared/test/inbox/support.js';

// What a token limits its holder to, held against what the contact points of the messages are set up with.

let stack: TestStack;

const [BORN, VEJ, UKENDT] = [CONTACT_POINT, randomUUID(), randomUUID()];
const UNIT = 'f3a9c1d2-5b64-4c8e-9a0f-1d2e3c4b5a69';
const SYSTEM_ID = '7c2b1f0e-9d84-4a63-b5c7-2e1f0a9b8c7d';
const ids = {} as Record<'born' | 'vej' | 'bare' | 'none', string>;

beforeAll(async () => {
  stack = await startTestStack();
  const set = async (id: string, body: object, version?: number) => {
    const [method, path] = version === undefined ? ['POST', ''] : ['PUT', `/${id}`];
    const call = {
      as: SETUP,
      ...(version !== undefined && { version }),
      body: version === undefined ? { id, ...body } : body,
    };
    expect((await stack.call(method, `/contact-points${path}`, call)).status).toBe(200);
  };
  const orgUnit = `{${UNIT.toUpperCase()}}`;
  const itSystem = `urn:uuid:${SYSTEM_ID}`;
  await set(BORN, { name: 'Børn', kle: '27.24.00', orgUnit, sensitivity: 'FOELSOMME_PERSONOPLYSNINGER', itSystem }, 1);
  await set(VEJ, { name: 'Vej', kle: '05.01.00', orgUnit: randomUUID() });
  await set(UKENDT, { name: 'Uden oplysninger' });
  ids.born = await deliverMemo(stack, { contactPointId: BORN, subject: 'Fællesord om børn' });
  ids.vej = await deliverMemo(stack, { contactPointId: VEJ, subject: 'Fællesord om vej' });
  ids.bare = await deliverMemo(stack, { contactPointId: UKENDT, subject: 'Fællesord' });
  ids.none = await deliverMemo(stack, { subject: 'Fællesord' });
});

afterAll(() => stack.close());

const limitedTo = (constraints: TokenOptions['constraints'], more: TokenOptions = {}): TokenOptions => ({
  user: 'begrænset-1',
  roles: CASEWORKER_ROLES,
  ...more,
  ...(constraints && { constraints }),
});
const seenBy = async (as: TokenOptions, query = 'limit=50') => {
  const items = await listAll(stack, query, as);
  return Object.entries(ids).flatMap(([name, id]) => (items.some((item) => item.id === id) ? [name] : []));
};

const ALL = ['born', 'vej', 'bare', 'none'];
const SEEN: [TokenOptions['constraints'], string[]][] = [
  [undefined, ALL],
  [{ kle: [], org_unit: [], sensitivity: [] }, ALL],
  [{ kle: ['27.24.00'] }, ['born']],
  [{ kle: ['27'] }, ['born']],
  [{ kle: ['27.*'] }, ['born']],
  [{ kle: ['27.24.*', '05'] }, ['born', 'vej']],
  [{ kle: ['27.24.00, 05.01'] }, ['born', 'vej']],
  [{ kle: ['05', '*'] }, ALL],
  [{ kle: ['72', '27.42'] }, []],
  [{ kle: ['27.24.00 G01'] }, []],
  [{ org_unit: [UNIT] }, ['born']],
  [{ org_unit: [UNIT.toUpperCase().replaceAll('-', '')] }, ['born']],
  [{ sensitivity: ['foelsomme_personoplysninger', 'andet'] }, ['born']],
  [{ it_system: [SYSTEM_ID.toUpperCase()] }, ['born']],
  [{ it_system: [randomUUID(), UNIT] }, []],
  [{ it_system: [SYSTEM_ID], kle: ['05'] }, []],
  [{ kle: ['27'], sensitivity: ['andet'] }, []],
  [{ kle: ['05'], org_unit: [UNIT] }, []],
];

describe.each(SEEN)('a token limited to %j', (constraints, names) => {
  it('lists and reads the messages of the contact points that meet it, and no others', async () => {
    const as = limitedTo(constraints);
    expect(await seenBy(as)).toEqual(names);
    for (const [name, id] of Object.entries(ids)) {
      const { status } = await stack.call('GET', `/incoming-documents/${id}`, { as });
      expect([name, status]).toEqual([name, names.includes(name) ? 200 : 404]);
    }
  });

  it('counts and finds no others, and is not asked for more pages than others', async () => {
    const as = limitedTo(constraints);
    const counts = await stack.call('GET', '/incoming-documents/summary', { as });
    expect(((await counts.json()) as { total: number }).total).toBe(names.length);
    const found = await stack.call('POST', '/incoming-documents/search', { as, body: { q: 'fællesord' } });
    const { items, nextCursor } = (await found.json()) as { items: { id: string }[]; nextCursor: string | null };
    expect(items.map(({ id }) => id).toSorted()).toEqual(names.map((name) => ids[name as 'born']).toSorted());
    expect(nextCursor).toBeNull();
  });
});

it('limits what is the caller’s own, and every change, too', async () => {
  const own = limitedTo({ kle: ['05'] }, { roles: ['IndkomneDokumenter.Læs', 'IndkomneDokumenter.Tildel'] });
  const id = await deliverMemo(stack, { contactPointId: BORN });
  const assignee = { kind: 'user', id: own.user };
  const path = `/incoming-documents/${id}/assignment`;
  expect((await stack.call('PUT', path, { version: 1, body: { assignee } })).status).toBe(200);
  expect((await list(stack, '?assignee=me', own)).items).toEqual([]);
  await expectProblem(await stack.call('DELETE', path, { as: own, version: 2 }), 404, 'not-found');
  const within = { ...own, constraints: { kle: ['27'] } };
  expect((await list(stack, '?assignee=me', within)).items.map((item) => item.id)).toEqual([id]);
});

it('limits messages of a removed contact point as before, and not held ones', async () => {
  const id = randomUUID();
  const body = { id, name: 'Kort tid', kle: '27.00.00' };
  expect((await stack.call('POST', '/contact-points', { as: SETUP, body })).status).toBe(200);
  const message = await deliverMemo(stack, { contactPointId: id });
  expect((await stack.call('DELETE', `/contact-points/${id}`, { as: SETUP, version: 1 })).status).toBe(200);
  expect((await read(stack, message, limitedTo({ kle: ['27'] }))).id).toBe(message);
  const as = limitedTo({ kle: ['05'] });
  await expectProblem(await stack.call('GET', `/incoming-documents/${message}`, { as }), 404, 'not-found');
  const held = await deliverMemo(stack, { contactPointId: id });
  const setsUp = { user: 'opsaetning-1', roles: ['Indbakke.Opsætning'], constraints: { kle: ['05'] } };
  expect((await read(stack, held, setsUp)).heldCause).toBe('unknown-contact-point');
});

it('have a normal form, in which they are compared', () => {
  const values = { kle: ['27.*', '05', '27'], orgUnit: [`{${UNIT.toUpperCase()}}`], sensitivity: ['B', 'a'] };
  expect(parseConstraints(values)).toEqual({ kle: ['05', '27'], orgUnit: [UNIT], sensitivity: ['a', 'b'] });
  expect(parseConstraints({ kle: [], orgUnit: [], sensitivity: ['b', '*'] })).toEqual({});
  expect(parseConstraints({ kle: [' 27.24 ,27.36.00, 27.*.* ', '27.24.00-g01'] })).toEqual({
    kle: ['27', '27.24', '27.24.00.G01', '27.36.00'],
  });
  expect(parseConstraints({ kle: ['27'], itSystem: [`${SYSTEM_ID}, Andet`] })).toEqual({
    kle: ['27'],
    itSystem: [SYSTEM_ID, 'andet'],
  });
});

describe.each(['kle', 'orgUnit', 'sensitivity', 'itSystem'] as const)('a constraint %s', (name) => {
  const UNKNOWN = ['', ' ', ',', '27,', '*,', '2*', '*7', '**', '27\u0000', '27\ufffd'];
  const NO_KLE = ['2', '7.24.00', '27.24.0', '27_24%', '27.24.00 G*', '27.24 G01', '27.24.00.01', '27*', '*.24', '.*'];
  it.each([...UNKNOWN, ...(name === 'kle' ? NO_KLE : [])])('cannot be applied with the value %j', (value) => {
    expect(parseConstraints({ [name]: [value] })).toBeUndefined();
    expect(parseConstraints({ [name]: ['27', value] })).toBeUndefined();
    expect(parseConstraints({ [name]: ['*', value] })).toBeUndefined();
  });
});

it.each<TokenOptions['constraints']>([
  { kle: ['2*7'] },
  { it_system: ['27,,28'] },
  { kle: ['*'], sensitivity: ['x*'] },
])('nobody signs in whose token has what cannot be applied: %j', async (constraints) => {
  const refused = await stack.call('GET', '/incoming-documents', { as: limitedTo(constraints) });
  expect((await expectProblem(refused, 401, 'not-signed-in')).detail).toContain('cannot be applied');
});
