import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
// @ts-expect-error: it has no types
import { Provider } from 'oidc-provider';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type BppGroup, bpp, constraintUri, roleUri } from '../../shared/test/access/bpp.js';
import { ODENSKOV, startTestStack, type TestStack, VESTERSUND } from '../src/testkit/stack.js';
import { Visitor } from './support/visitor.js';
import { wayOverIssuer } from './support/way-over-issuer.js';

// Who signs in to /inbox at an issuer with the claims of Context Handler 2.

const CVR = 'https://data.gov.dk/model/core/eid/professional/cvr';
const PRIVILEGES = 'https://data.gov.dk/model/core/eid/privilegesIntermediate';
const LOA = 'https://data.gov.dk/concept/core/nsis/loa';
const AAL = 'https://data.gov.dk/concept/core/nsis/aal';
const READ = roleUri('indkomnedokumenter_laes');

const inMunicipality = (scope: string, constraints: BppGroup['constraints'] = []): BppGroup => ({
  scope,
  privileges: [READ],
  constraints,
});
const person = (groups: readonly BppGroup[], more: Record<string, unknown> = {}) => ({
  [CVR]: ODENSKOV,
  [PRIVILEGES]: bpp(groups),
  [LOA]: 'Substantial',
  [AAL]: 'Substantial',
  ...more,
});
const PEOPLE: Record<string, Record<string, unknown>> = {
  one: person([inMunicipality(ODENSKOV)]),
  several: person([inMunicipality(ODENSKOV), inMunicipality(VESTERSUND)]),
  guest: person([inMunicipality(VESTERSUND)]),
  weak: person([inMunicipality(ODENSKOV)], { [LOA]: 'Low' }),
  'one-factor': person([inMunicipality(ODENSKOV)], { [AAL]: 'Low' }),
  nothing: person([]),
  limited: person([inMunicipality(ODENSKOV, [[constraintUri('distrikt'), '1']])]),
};

let server: Server;
let stack: TestStack;

beforeAll(async () => {
  server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  stack = await startTestStack({
    INBOX_PAGE: 'on',
    INBOX_OIDC_ISSUER: issuer,
    INBOX_OIDC_CLIENT_ID: 'indbakke',
    INBOX_OIDC_CLIENT_SECRET: 'a-secret-of-the-test',
    TOKEN_CLAIMS: 'context-handler-2',
    TOKEN_SYSTEM: 'indbakke.example.dk',
  });
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'indbakke',
        client_secret: 'a-secret-of-the-test',
        redirect_uris: [`${stack.url}/inbox/sign-in/callback`],
      },
    ],
    claims: { openid: ['sub', CVR, PRIVILEGES, LOA, AAL] },
    acrValues: ['https://data.gov.dk/concept/core/nsis/loa/Substantial'],
    conformIdTokenClaims: false,
    cookies: { keys: [randomUUID()] },
    findAccount: (_: unknown, id: string) => ({ accountId: id, claims: async () => ({ sub: id, ...PEOPLE[id] }) }),
  });
  server.on('request', provider.callback());
});

afterAll(async () => {
  await stack.close();
  server.close();
});

async function signIn(login: string, visitor: Visitor, query = ''): Promise<Response> {
  const start = `${stack.url}/inbox/sign-in/start?to=/inbox${query}`;
  return visitor.go(await wayOverIssuer(visitor, start, `${stack.url}/inbox/sign-in/callback`, login));
}
const sessionOf = async (visitor: Visitor) => {
  const page = await (await visitor.go(`${stack.url}/inbox`)).text();
  const [, session = 'null'] = /data-session="([^"]*)"/.exec(page) ?? [];
  return JSON.parse(session.replaceAll('&quot;', '"')) as { municipality: string; roles: string[] } | null;
};

it('asks the issuer for the level of assurance', async () => {
  const start = await new Visitor().go(`${stack.url}/inbox/sign-in/start`);
  const asked = new URL(start.headers.get('location') ?? '').searchParams;
  expect(asked.get('acr_values')).toBe('https://data.gov.dk/concept/core/nsis/loa/Substantial');
});

it('signs in with the roles of the privileges', async () => {
  const visitor = new Visitor();
  expect((await signIn('one', visitor)).status).toBe(200);
  expect(await sessionOf(visitor)).toMatchObject({ municipality: ODENSKOV, roles: ['IndkomneDokumenter.Læs'] });
});

it('lets who has roles in several municipalities choose one', async () => {
  const visitor = new Visitor();
  const answer = await signIn('several', visitor);
  expect(answer.status).toBe(400);
  const page = await answer.text();
  expect(page).toContain('Du har roller i flere kommuner');
  expect(await sessionOf(visitor)).toBeNull();
  const choices = [...page.matchAll(/href="\/inbox\/sign-in\/start\?to=[^"&]*(?:&amp;|&)municipality=(\d{8})"/g)].map(
    ([, cvr]) => cvr,
  );
  expect(choices).toEqual([ODENSKOV, VESTERSUND]);
  expect((await signIn('several', visitor, `&municipality=${ODENSKOV}`)).status).toBe(200);
  expect(await sessionOf(visitor)).toMatchObject({ municipality: ODENSKOV });
});

it.each<[string, string, string, number]>([
  ['guest', 'medarbejdere fra andre myndigheder', 'delegation-not-accepted', 403],
  ['weak', 'med to faktorer', 'assurance-too-low', 403],
  ['one-factor', 'med to faktorer', 'second-factor-missing', 403],
  ['nothing', 'du har ingen roller', 'role-missing', 403],
  ['limited', 'du har ingen roller', 'role-missing', 403],
])('tells %s why not, in Danish, and the audit log too', async (login, words, code, status) => {
  const visitor = new Visitor();
  const answer = await signIn(login, visitor);
  expect(answer.status).toBe(status);
  expect(await answer.text()).toContain(words);
  expect(await sessionOf(visitor)).toBeNull();
  const rows = await stack.sql('SELECT result FROM audit_events WHERE actor = $1 AND action = $2', [login, 'refused']);
  expect(rows).toEqual([{ result: code }]);
});

it('ends what a guest may do when the municipality takes it back', async () => {
  const visitor = new Visitor();
  await stack.sql('UPDATE municipalities SET accepts_delegation = true WHERE cvr = $1', [VESTERSUND]);
  await signIn('guest', visitor);
  const list = () => visitor.go(`${stack.url}/api/v1/incoming-documents`);
  expect((await list()).status).toBe(200);
  await stack.sql('UPDATE municipalities SET accepts_delegation = false');
  expect((await list()).status).toBe(403);
});
