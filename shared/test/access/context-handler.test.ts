import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  CONTACT_POINT,
  ODENSKOV,
  startTestStack,
  type TestStack,
  type TokenOptions,
  VESTERSUND,
} from '../../../infra/src/testkit/stack.js';
import { deliverMemo, expectProblem } from '../inbox/support.js';
import { type BppGroup, bpp, constraintUri, roleUri } from './bpp.js';
import { signToken } from './sign.js';

// Users with tokens of Context Handler 2, and the core, whose own tokens are of another issuer, for them: over HTTP.

const ISSUER = 'https://context-handler.example.dk';
const CORES_ISSUER = 'https://core.example.dk';
const NSIS = 'https://data.gov.dk/concept/core/nsis';
const [READ, ALL, REJECT] = ['indkomnedokumenter_laes', 'indkomnedokumenter_sealle', 'indkomnedokumenter_afvis'].map(
  roleUri,
) as [string, string, string];
const LÆS = 'IndkomneDokumenter.Læs';
const SEALLE = 'IndkomneDokumenter.SeAlle';
const SETTING_UP = ['Indbakke.Opsætning'];
const USER = 'C = DK, O = 22222222, CN = Test, serialNumber = UI:DK-O:G:1';

const pair = generateKeyPair('PS256');
let folder: string;
let stack: TestStack;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'indbakke-ch2-'));
  const key = { ...(await exportJWK((await pair).publicKey)), kid: 'ch', alg: 'PS256' };
  await writeFile(join(folder, 'jwks.json'), JSON.stringify({ keys: [key] }));
  stack = await startTestStack(async ({ env }) => ({
    TOKEN_CLAIMS: 'context-handler-2',
    TOKEN_ISSUER: ISSUER,
    TOKEN_JWKS: pathToFileURL(join(folder, 'jwks.json')).href,
    TOKEN_SYSTEM: 'indbakke.example.dk',
    TOKEN_ROLE_URIS: 'DigitalPost.Slet=http://dubu.example.dk/roles/usersystemrole/slet/1',
    SYSTEM_TOKEN_ISSUER: CORES_ISSUER,
    SYSTEM_TOKEN_JWKS: env.TOKEN_JWKS,
  }));
});

afterAll(async () => {
  await stack.close();
  await rm(folder, { recursive: true });
});

beforeEach(() => stack.sql('DELETE FROM audit_events'));

interface User {
  readonly sub?: string;
  readonly home?: string | null;
  readonly groups?: readonly BppGroup[];
  readonly claims?: Record<string, unknown>;
}

const inOdenskov: BppGroup = { scope: ODENSKOV, privileges: [READ, ALL] };

async function tokenOf({
  sub = USER,
  home = ODENSKOV,
  groups = [inOdenskov],
  claims = {},
}: User = {}): Promise<string> {
  const payload = {
    'https://data.gov.dk/model/core/eid/professional/cvr': home,
    'https://data.gov.dk/model/core/eid/privilegesIntermediate': bpp(groups),
    [`${NSIS}/loa`]: 'Substantial',
    amr: ['pwd', 'mfa'],
    ...claims,
  };
  const token = new SignJWT(payload).setSubject(sub).setIssuer(ISSUER).setAudience('indbakke').setExpirationTime('1h');
  return token.setProtectedHeader({ alg: 'PS256', kid: 'ch' }).sign((await pair).privateKey);
}

/** A token of the core’s own issuer, by our own claim names. */
const systemToken = ({ user, roles, constraints }: TokenOptions) =>
  signToken(
    { TOKEN_JWKS: stack.env.SYSTEM_TOKEN_JWKS },
    { sub: user, system: true, municipality: ODENSKOV, roles, ...constraints },
    { issuer: CORES_ISSUER },
  );

/** A change by a system that has these roles. */
const change = async (path: string, roles: readonly string[], version: number, body: object) =>
  fetch(`${stack.url}/api/v1${path}`, {
    method: 'PUT',
    headers: {
      authorization: `Bearer ${await systemToken({ user: 'set-up', roles })}`,
      'if-match': `"${version}"`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(body),
  });

const call = (path: string, token: string, headers: Record<string, string> = {}) =>
  fetch(`${stack.url}/api/v1${path}`, { headers: { authorization: `Bearer ${token}`, ...headers } });
const listAs = async (user: User, headers?: Record<string, string>) =>
  call('/incoming-documents', await tokenOf(user), headers);
const audits = () =>
  stack.sql<{
    municipality: string;
    actor: string;
    onBehalfOf: string;
    action: string;
    result: string;
    details: object;
  }>(
    `SELECT municipality, actor, on_behalf_of AS "onBehalfOf", action, result, details FROM audit_events ORDER BY at, id`,
  );

describe('a user', () => {
  it('has the roles of the privileges, and is audited by the name in the token', async () => {
    const id = await deliverMemo(stack);
    expect((await listAs({})).status).toBe(200);
    expect((await call(`/incoming-documents/${id}`, await tokenOf())).status).toBe(200);
    const mine = (await audits()).filter(({ actor }) => actor === USER);
    expect(mine).toMatchObject([
      { action: 'list' },
      { municipality: ODENSKOV, actor: USER, action: 'read', details: {} },
    ]);
  });

  it('has a role under a further URI', async () => {
    const path = '/incoming-documents/00000000-0000-4000-8000-000000000000/deletion';
    const cancel = async (privileges: readonly string[]) => {
      const groups = [{ scope: ODENSKOV, privileges }];
      const headers = { authorization: `Bearer ${await tokenOf({ groups })}`, 'if-match': '"1"' };
      return fetch(`${stack.url}/api/v1${path}`, { method: 'DELETE', headers });
    };
    await expectProblem(await cancel(['http://dubu.example.dk/roles/usersystemrole/slet/1']), 404, 'not-found');
    await expectProblem(await cancel(['http://dubu.example.dk/roles/usersystemrole/slet/2']), 403, 'role-missing');
  });

  it.each<[string, User, RegExp]>([
    ['no privileges at all', { groups: [] }, /^The call requires the role .*Indbakke\.Drift\.$/],
    [
      'those of another system',
      { groups: [{ scope: ODENSKOV, privileges: ['http://sapa.kombit.dk/roles/usersystemrole/laes/1'] }] },
      /Indbakke\.Drift\.$/,
    ],
    [
      'a constraint that is not known',
      { groups: [{ ...inOdenskov, constraints: [[constraintUri('distrikt'), '1']] }] },
      /Indbakke\.Drift\. Rights of the token do not count: a group of them has a constraint that is not known here\.$/,
    ],
  ])('with %s is refused, and it is audited', async (_name, user, detail) => {
    const problem = await expectProblem(await listAs(user), 403, 'role-missing');
    expect(problem.detail).toMatch(detail);
    const refused = (await audits()).find(({ action }) => action === 'refused');
    expect(refused).toMatchObject({ municipality: ODENSKOV, actor: USER, result: 'role-missing' });
  });

  it('whose rights count in part is told of in the audit log, once', async () => {
    const user = {
      sub: 'part',
      groups: [inOdenskov, { scope: ODENSKOV, privileges: [REJECT], constraints: [['x', 'y']] as const }],
    };
    for (let times = 0; times < 3; times += 1) expect((await listAs(user)).status).toBe(200);
    const rows = (await audits()).filter(({ action }) => action === 'rights-void');
    expect(rows).toMatchObject([{ actor: 'part', details: { reasons: 'unknown-constraint' } }]);
  });

  it.each<[string, Record<string, unknown>, number, string]>([
    ['level High', { [`${NSIS}/loa`]: 'High' }, 200, ''],
    ['a level as it is requested', { [`${NSIS}/loa`]: `${NSIS}/loa/Substantial` }, 200, ''],
    ['a means of two factors', { amr: null, [`${NSIS}/aal`]: 'Substantial' }, 200, ''],
    ['level Low', { [`${NSIS}/loa`]: 'Low' }, 403, 'assurance-too-low'],
    ['a level that is none', { [`${NSIS}/loa`]: 'Substantial2' }, 403, 'assurance-too-low'],
    ['no level', { [`${NSIS}/loa`]: null }, 403, 'assurance-too-low'],
    ['a password alone', { amr: ['pwd'] }, 403, 'second-factor-missing'],
    ['a means of one factor', { amr: [], [`${NSIS}/aal`]: 'Low' }, 403, 'second-factor-missing'],
    ['no word of how', { amr: null }, 403, 'second-factor-missing'],
  ])('signed in with %s', async (_name, claims, status, code) => {
    const answer = await listAs({ claims });
    if (status === 200) return expect(answer.status).toBe(200);
    await expectProblem(answer, status, code);
    expect((await audits()).at(-1)).toMatchObject({
      municipality: ODENSKOV,
      actor: USER,
      action: 'refused',
      result: code,
    });
  });

  it.each<[string, User]>([
    ['without a municipality of its own', { home: null }],
    ['with privileges that are none', { claims: { 'https://data.gov.dk/model/core/eid/privilegesIntermediate': 'x' } }],
  ])('%s is not signed in', async (_name, user) => {
    await expectProblem(await listAs(user), 401, 'not-signed-in');
  });

  it('has no right by our own claim names', async () => {
    const claims = {
      roles: [LÆS, SEALLE],
      municipality: VESTERSUND,
      system: true,
      on_behalf_of: 'x',
      act: { sub: 'y' },
    };
    await expectProblem(await listAs({ groups: [], claims }), 403, 'role-missing');
    expect(await audits()).toMatchObject([{ municipality: ODENSKOV, actor: USER, onBehalfOf: null }]);
  });
});

describe('rights in several municipalities', () => {
  const both = { groups: [inOdenskov, { ...inOdenskov, scope: VESTERSUND }] };
  const inVestersund = { 'indbakke-municipality': VESTERSUND };

  it('need one to be named, and the answer tells which there are', async () => {
    const problem = await expectProblem(await listAs(both), 400, 'municipality-required');
    expect(problem).toMatchObject({ choices: [ODENSKOV, VESTERSUND] });
    expect(problem.detail).toContain('Indbakke-Municipality');
    expect((await listAs(both, { 'indbakke-municipality': ODENSKOV })).status).toBe(200);
  });

  it.each(['2222222', 'x', '', '22222222,33333333'])('are not chosen by %j', async (municipality) => {
    await expectProblem(await listAs(both, { 'indbakke-municipality': municipality }), 400, 'bad-request');
  });

  it('are none in a municipality of which the token knows nothing', async () => {
    const problem = await expectProblem(await listAs({}, inVestersund), 403, 'role-missing');
    expect(problem.detail).toContain('Indbakke-Municipality');
    expect(await audits()).toMatchObject([{ municipality: ODENSKOV, action: 'refused' }]);
  });

  it('are those of the one that is named', async () => {
    const groups = [
      { ...inOdenskov, privileges: [REJECT] },
      { ...inOdenskov, scope: VESTERSUND },
    ];
    await stack.sql('UPDATE municipalities SET accepts_delegation = true');
    expect((await listAs({ groups }, inVestersund)).status).toBe(200);
    await expectProblem(await listAs({ groups }, { 'indbakke-municipality': ODENSKOV }), 403, 'role-missing');
    await stack.sql('UPDATE municipalities SET accepts_delegation = false');
  });
});

describe('a user of another authority', () => {
  it('is let in only where the municipality says so, and is audited with the own authority', async () => {
    const guest = { home: VESTERSUND };
    const problem = await expectProblem(await listAs(guest), 403, 'delegation-not-accepted');
    expect(problem.detail).toContain('acceptsDelegation');
    const accept = async (isOn: boolean) => {
      const {
        version,
        cvr: _,
        isTraining: __,
        warnings: ___,
        ...settings
      } = (await (await call('/municipality', await systemToken({ user: 'set-up', roles: SETTING_UP }))).json()) as {
        version: number;
        cvr: string;
        isTraining: boolean;
        warnings: unknown;
      };
      const body = { ...settings, acceptsDelegation: isOn };
      expect((await change('/municipality', SETTING_UP, version, body)).status).toBe(200);
    };
    await accept(true);
    const id = await deliverMemo(stack);
    expect((await call(`/incoming-documents/${id}`, await tokenOf(guest))).status).toBe(200);
    await accept(false);
    await expectProblem(await listAs(guest), 403, 'delegation-not-accepted');
    const mine = (await audits()).filter(({ actor }) => actor === USER);
    expect(mine).toMatchObject([
      {
        municipality: ODENSKOV,
        action: 'refused',
        result: 'delegation-not-accepted',
        details: { homeMunicipality: VESTERSUND },
      },
      { municipality: ODENSKOV, action: 'read', details: { homeMunicipality: VESTERSUND } },
      { action: 'refused', details: { homeMunicipality: VESTERSUND } },
    ]);
  });
});

describe('the issuer of systems', () => {
  const usersToken = (claims: object) =>
    signToken(
      { TOKEN_JWKS: stack.env.SYSTEM_TOKEN_JWKS },
      { sub: USER, municipality: ODENSKOV, roles: [LÆS], ...claims },
      { issuer: CORES_ISSUER },
    );

  it('vouches for no user, for whom nothing says how that one signed in', async () => {
    const token = await usersToken({});
    await expectProblem(await call('/incoming-documents', token), 401, 'not-signed-in');
    const headers = { 'indbakke-on-behalf-of': token };
    const system = await systemToken({ user: 'dubu-core', system: true, roles: [LÆS] });
    await expectProblem(await call('/incoming-documents', system, headers), 401, 'not-signed-in');
  });

  it('signs nothing that counts as of the other issuer, nor the other way round', async () => {
    const claims = { sub: 'dubu-core', system: true, municipality: ODENSKOV, roles: [LÆS] };
    const env = { TOKEN_JWKS: stack.env.SYSTEM_TOKEN_JWKS };
    await expectProblem(
      await call('/incoming-documents', await signToken(env, claims, { issuer: ISSUER })),
      401,
      'not-signed-in',
    );
    const { privateKey: key } = await pair;
    for (const header of [
      { alg: 'PS256', kid: 'ch' },
      { alg: 'PS256', kid: 'local' },
    ]) {
      const token = await signToken(env, claims, { issuer: CORES_ISSUER, key, header });
      await expectProblem(await call('/incoming-documents', token), 401, 'not-signed-in');
    }
  });
});

describe('the core for a user', () => {
  const CORE: TokenOptions = { user: 'dubu-core', system: true, roles: [LÆS, SEALLE, 'Indbakke.System'] };
  const withCore = async (user: User, core: TokenOptions = CORE, path = '/incoming-documents') =>
    call(path, await systemToken(core), { 'indbakke-on-behalf-of': await tokenOf(user) });
  const own = { groups: [{ scope: ODENSKOV, privileges: [READ] }] };

  it('sees what the user sees, and both are audited', async () => {
    const [mine, other] = [await deliverMemo(stack), await deliverMemo(stack)];
    const assigning = [LÆS, SEALLE, 'IndkomneDokumenter.Tildel'];
    const assignee = { kind: 'user', id: USER };
    expect((await change(`/incoming-documents/${mine}/assignment`, assigning, 1, { assignee })).status).toBe(200);
    expect((await withCore(own, CORE, `/incoming-documents/${mine}`)).status).toBe(200);
    await expectProblem(await withCore(own, CORE, `/incoming-documents/${other}`), 404, 'not-found');
    expect((await withCore({}, CORE, `/incoming-documents/${other}`)).status).toBe(200);
    const rows = (await audits()).filter(({ action }) => action === 'read' || action === 'refused');
    expect(rows).toMatchObject(
      ['read', 'refused', 'read'].map((action) => ({ action, actor: 'dubu-core', onBehalfOf: USER })),
    );
  });

  it('has no role that one of the two lacks', async () => {
    await expectProblem(await withCore({}, { ...CORE, roles: [SEALLE] }), 403, 'role-missing');
    await expectProblem(await withCore({ groups: [{ ...inOdenskov, privileges: [REJECT] }] }), 403, 'role-missing');
    await expectProblem(await withCore({}, CORE, '/webhooks'), 403, 'role-missing'); // the system’s own role
  });

  it('is limited by the data constraints of both', async () => {
    const id = await deliverMemo(stack, { contactPointId: CONTACT_POINT });
    await stack.sql(`UPDATE contact_points SET kle = '27.24.00', sensitivity = 'alm'`);
    const limited = (kle: string) => ({
      groups: [{ ...inOdenskov, constraints: [[constraintUri('KLE'), kle] as const] }],
    });
    const read = (user: User, core: TokenOptions) => withCore(user, core, `/incoming-documents/${id}`);
    const coreWith = (constraints: TokenOptions['constraints']) => ({ ...CORE, ...(constraints && { constraints }) });
    expect((await read(limited('27'), CORE)).status).toBe(200);
    expect((await read(limited('27'), coreWith({ kle: ['27.24'] }))).status).toBe(200);
    expect((await read(limited('27'), coreWith({ sensitivity: ['alm'] }))).status).toBe(200);
    expect((await read(limited('05'), CORE)).status).toBe(404);
    expect((await read({}, coreWith({ kle: ['05'] }))).status).toBe(404);
    expect((await read(limited('27'), coreWith({ kle: ['05'] }))).status).toBe(403); // nothing meets both
  });

  it('needs the level of assurance and the consent that the user needs', async () => {
    await expectProblem(await withCore({ claims: { amr: ['pwd'] } }), 403, 'second-factor-missing');
    await expectProblem(await withCore({ home: VESTERSUND }), 403, 'delegation-not-accepted');
  });

  it.each<[string, () => Promise<Response>, number, string]>([
    [
      'a user for another',
      async () => call('/incoming-documents', await tokenOf(), { 'indbakke-on-behalf-of': await tokenOf() }),
      400,
      'bad-request',
    ],
    [
      'a system for a system',
      async () =>
        call('/incoming-documents', await systemToken(CORE), {
          'indbakke-on-behalf-of': await systemToken({ ...CORE, user: 'other' }),
        }),
      400,
      'bad-request',
    ],
    [
      'a system for a made-up user',
      async () => call('/incoming-documents', await systemToken(CORE), { 'indbakke-on-behalf-of': 'x.y.z' }),
      401,
      'not-signed-in',
    ],
    [
      'a system for nobody',
      async () => call('/incoming-documents', await systemToken(CORE), { 'indbakke-on-behalf-of': '' }),
      401,
      'not-signed-in',
    ],
    [
      'a system for a user of another municipality',
      async () => withCore({ home: VESTERSUND, groups: [{ ...inOdenskov, scope: VESTERSUND }] }),
      403,
      'role-missing',
    ],
  ])('%s is refused', async (_name, make, status, code) => {
    await expectProblem(await make(), status, code);
  });
});
