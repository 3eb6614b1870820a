import { createHmac, createPrivateKey, sign } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { LOCAL_AUDIENCE } from '../../../infra/src/local/issuer.js';
import { ODENSKOV, startTestStack, type TestStack, VESTERSUND } from '../../../infra/src/testkit/stack.js';
import {
  createOperatorVerifier,
  createTokenVerifier,
  LOCAL_RULES,
  parseRole,
  principalIn,
  type Role,
  type TokenIssuer,
  type TokenVerifier,
} from '../../src/access/index.js';
import type { Actor } from '../../src/audit/index.js';
import { LOCAL_ISSUER } from '../../src/config/index.js';
import { Problem } from '../../src/errors/index.js';
import { auditOf, deliverMemo, expectProblem, list, SYSTEM, upsertCase } from '../inbox/support.js';
import { type Claims, signToken } from './sign.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});

afterAll(() => stack.close());

const CLAIMS = { sub: 'caseworker-1', municipality: ODENSKOV, roles: ['IndkomneDokumenter.Læs'] };

const ALL = { ...CLAIMS, roles: ['IndkomneDokumenter.Læs', 'IndkomneDokumenter.SeAlle'] };

const listWith = (authorization?: string) =>
  fetch(`${stack.url}/api/v1/incoming-documents`, authorization === undefined ? {} : { headers: { authorization } });

/** Nothing is revoked. */
const NEVER = async () => false;

const bearer = async (token: string | Promise<string>) => `Bearer ${await token}`;

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

const inAnHour = () => Math.floor(Date.now() / 1_000) + 3_600;

describe('a valid token', () => {
  it.each([
    ['as the local issuer writes it', CLAIMS],
    ['with roles in other case', { ...CLAIMS, roles: ['indkomnedokumenter.LÆS'] }],
    [
      'with roles in which Læs is written with two code points',
      { ...CLAIMS, roles: ['IndkomneDokumenter.Læs'.normalize('NFD')] },
    ],
    ['with unknown roles and a known one', { ...CLAIMS, roles: ['Andet.System', 'Indbakke.Drift'] }],
    ['on behalf of another', { ...CLAIMS, on_behalf_of: 'caseworker-2' }],
  ])('%s lets the caller in', async (_name, claims) => {
    expect((await listWith(await bearer(signToken(stack.env, claims)))).status).toBe(200);
  });

  it.each(['Bearer', 'bearer', 'BEARER'])('may come under the scheme %s', async (scheme) => {
    expect((await listWith(`${scheme} ${await signToken(stack.env, CLAIMS)}`)).status).toBe(200);
  });

  it('is accepted for half a minute after it expired, since clocks differ', async () => {
    expect((await listWith(await bearer(signToken(stack.env, CLAIMS, { expires: '-10s' })))).status).toBe(200);
  });
});

describe('a remembered token', () => {
  const issuers = () => [
    { issuer: LOCAL_ISSUER, audience: LOCAL_AUDIENCE, jwks: stack.env.TOKEN_JWKS as string, rules: LOCAL_RULES },
  ];

  it('is refused once it has expired, clocks that differ allowed for', async () => {
    let time = Date.now();
    const { verify } = await createTokenVerifier(issuers(), NEVER, () => time);
    const token = await signToken(stack.env, CLAIMS, { expires: '-20s' });
    await expect(verify(token)).resolves.toMatchObject({ actor: { id: 'caseworker-1' } });
    time += 11_000;
    await expect(verify(token)).rejects.toMatchObject({ code: 'not-signed-in' });
  });
});

describe('not signed in:', () => {
  const otherKey = generateKeyPair('EdDSA', { extractable: true });

  const BAD: [string, () => Promise<string>][] = [
    ['an expired token', () => signToken(stack.env, CLAIMS, { expires: '-1h' })],
    ['a token that never expires', () => signToken(stack.env, CLAIMS, { expires: null })],
    ['a token that is not valid yet', () => signToken(stack.env, { ...CLAIMS, nbf: inAnHour() })],
    ['a token of another issuer', () => signToken(stack.env, CLAIMS, { issuer: 'https://login.example' })],
    ['a token for another audience', () => signToken(stack.env, CLAIMS, { audience: 'dubu' })],
    ['a token signed with another key', async () => signToken(stack.env, CLAIMS, { key: (await otherKey).privateKey })],
    [
      'a token that contains its own key',
      async () => {
        const { privateKey, publicKey } = await otherKey;
        const header = { alg: 'EdDSA', jwk: await exportJWK(publicKey) };
        return signToken(stack.env, CLAIMS, { key: privateKey, header });
      },
    ],
    ['a token that names an unknown key', () => signToken(stack.env, CLAIMS, { header: { alg: 'EdDSA', kid: 'x' } })],
    [
      'a token with algorithm none',
      async () => {
        const claims = { ...CLAIMS, iss: 'urn:indbakke:local', aud: 'indbakke', exp: inAnHour() };
        return `${base64({ alg: 'none' })}.${base64(claims)}.`;
      },
    ],
    [
      'a token with HS256, signed with the public key',
      async () => {
        const file = fileURLToPath(stack.env.TOKEN_JWKS as string);
        const { keys } = JSON.parse(await readFile(file, 'utf8')) as { keys: { x: string }[] };
        const claims = { ...CLAIMS, iss: 'urn:indbakke:local', aud: 'indbakke', exp: inAnHour() };
        const signed = `${base64({ alg: 'HS256', kid: 'local' })}.${base64(claims)}`;
        const secret = Buffer.from(keys[0]?.x as string, 'base64url');
        return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
      },
    ],
    [
      'a token whose claims were changed',
      async () => {
        const [header, , signature] = (await signToken(stack.env, CLAIMS)).split('.');
        const claims = {
          ...CLAIMS,
          iss: 'urn:indbakke:local',
          aud: 'indbakke',
          exp: inAnHour(),
          municipality: VESTERSUND,
        };
        return `${header}.${base64(claims)}.${signature}`;
      },
    ],
    ['a token without a subject', () => signToken(stack.env, { ...CLAIMS, sub: undefined })],
    ['a token with an empty subject', () => signToken(stack.env, { ...CLAIMS, sub: '' })],
    ['a token without a municipality', () => signToken(stack.env, { ...CLAIMS, municipality: undefined })],
    [
      'a token for a municipality that is not a CVR number',
      () => signToken(stack.env, { ...CLAIMS, municipality: '%' }),
    ],
    ['a token for two municipalities', () => signToken(stack.env, { ...CLAIMS, municipality: [ODENSKOV, VESTERSUND] })],
    [
      'a token that expires in a year in which it is forgotten',
      () => signToken(stack.env, CLAIMS, { expires: '400d' }),
    ],
    [
      'a token whose expiry is in milliseconds',
      () => signToken(stack.env, { ...CLAIMS, exp: Date.now() + 3_600_000 }, { expires: null }),
    ],
    [
      'a token whose expiry is a text',
      () => signToken(stack.env, { ...CLAIMS, exp: String(inAnHour()) }, { expires: null }),
    ],
    ['a token whose expiry is null', () => signToken(stack.env, { ...CLAIMS, exp: null }, { expires: null })],
    [
      'a token for a list of other audiences',
      () => signToken(stack.env, CLAIMS, { audience: ['dubu', 'indbakke-operations'] }),
    ],
    [
      'a token with a critical header that is not known',
      async () => {
        const claims = { ...CLAIMS, iss: 'urn:indbakke:local', aud: 'indbakke', exp: inAnHour() };
        const signed = `${base64({ alg: 'EdDSA', kid: 'local', crit: ['x'], x: 1 })}.${base64(claims)}`;
        const file = fileURLToPath(stack.env.TOKEN_JWKS as string).replace('.jwks.json', '.private.json');
        const key = createPrivateKey({ key: JSON.parse(await readFile(file, 'utf8')), format: 'jwk' });
        return `${signed}.${sign(null, Buffer.from(signed), key).toString('base64url')}`;
      },
    ],
    ['something that is not a token', async () => 'x.y.z'],
    ['nothing after the scheme', async () => ''],
  ];

  it.each(BAD)('%s', async (_name, make) => {
    const response = await listWith(await bearer(make()));
    const problem = await expectProblem(response, 401, 'not-signed-in');
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(problem.detail).not.toMatch(/signature|alg|JW[ST]/i); // does not say which check failed
  });

  it.each([undefined, 'Basic dXNlcjpwYXNz', 'Bearer', 'Token x'])('an Authorization of %j', async (header) => {
    await expectProblem(await listWith(header), 401, 'not-signed-in');
  });

  it('is counted, not audited', async () => {
    const before = await stack.sql('SELECT FROM audit_events');
    await listWith();
    expect(await stack.sql('SELECT FROM audit_events')).toHaveLength(before.length);
    const metrics = await (await fetch(`${stack.url}/metrics`)).text();
    expect(Number(/^indbakke_not_signed_in_total{fault="refused"} (\d+)/m.exec(metrics)?.[1])).toBeGreaterThan(
      BAD.length - 2,
    );
  });
});

describe('claims as issuers write them:', () => {
  const verify = async (claims: Claims) => {
    const { TOKEN_ISSUER: issuer, TOKEN_AUDIENCE: audience, TOKEN_JWKS: jwks } = stack.env as Record<string, string>;
    const { verify } = await createTokenVerifier(
      [{ issuer, audience, jwks, rules: LOCAL_RULES } as TokenIssuer],
      NEVER,
    );
    return principalIn(await verify(await signToken(stack.env, { ...CLAIMS, ...claims })));
  };

  const LÆS = 'IndkomneDokumenter.Læs';
  const roles = (...names: Role[]) => ({ roles: new Set(names) });
  const actor = (changes: Partial<Actor>) => ({ actor: expect.objectContaining({ id: 'caseworker-1', ...changes }) });
  const LONG = 'å'.repeat(256);

  it.each<[string, Claims, object]>([
    ['a role as one text', { roles: LÆS }, roles(LÆS)],
    ['a role between spaces', { roles: ` ${LÆS} ` }, roles(LÆS)],
    ['the same role twice', { roles: [LÆS, LÆS.toLowerCase()] }, roles(LÆS)],
    ['roles of others, however they are written', { roles: ['', null, 'a\u0000', 'http://x/1', LÆS] }, roles(LÆS)],
    ['several roles in one text, which is none of ours', { roles: `${LÆS} DigitalPost.Slet` }, roles()],
    ['no roles: null', { roles: null }, roles()],
    ['no roles: an empty text', { roles: '' }, roles()],
    ['a team as one text', { teams: 'team 1' }, { teams: ['team 1'] }],
    ['no team: null', { teams: null }, { teams: [] }],
    ['no team: empty texts', { teams: ['', ' ', null] }, { teams: [] }],
    ['500 teams of 256 letters', { teams: Array(500).fill(LONG) }, { teams: Array(500).fill(LONG) }],
    ['on behalf of nobody: null', { on_behalf_of: null }, actor({ onBehalfOf: undefined })],
    ['on behalf of nobody: an empty text', { on_behalf_of: '' }, actor({ onBehalfOf: undefined })],
    ['no system: null', { system: null }, actor({ kind: 'user' })],
    ['no system: a text', { system: 'False' }, actor({ kind: 'user' })],
    ['a system: a text', { system: 'true' }, actor({ kind: 'system' })],
    ['a municipality as a number', { municipality: Number(ODENSKOV) }, { municipality: ODENSKOV }],
    ['a municipality as a list of one', { municipality: [ODENSKOV] }, { municipality: ODENSKOV }],
    ['a municipality with its country', { municipality: `DK${ODENSKOV}` }, { municipality: ODENSKOV }],
    ['a municipality in groups of two', { municipality: ' dk 22 22 22 22' }, { municipality: ODENSKOV }],
    ['a subject of 256 letters', { sub: LONG }, actor({ id: LONG })],
    ['a subject between spaces', { sub: ' caseworker-1 ' }, actor({})],
    ['a subject with any printed characters', { sub: `C=DK,O="x"; 'æ' 😀` }, actor({ id: `C=DK,O="x"; 'æ' 😀` })],
    ['no data constraints: null and empty', { kle: null, org_unit: '', sensitivity: [] }, { limits: {} }],
    ['a data constraint as one text', { kle: '27.24' }, { limits: { 'IndkomneDokumenter.Læs': [{ kle: ['27.24'] }] } }],
    ['a list of audiences', { aud: ['dubu', 'indbakke'] }, {}],
    ['issued in the future', { iat: inAnHour() }, {}],
    [
      'of a system that exchanged the user’s',
      { act: { sub: 'dubu' } },
      { actor: { kind: 'system', id: 'dubu', onBehalfOf: 'caseworker-1' } },
    ],
    ['claims of others', { ['__proto__']: 1, toString: 1, name: '\u0000' }, {}],
  ])('%s', async (_name, claims, principal) => {
    expect(await verify(claims)).toMatchObject(principal);
  });

  const UNFIT = [
    'a\u0000b',
    'a\nb',
    'a\u007f',
    'a\u0085',
    '\ud800',
    'a\udc00',
    'a\ufffd',
    'å'.repeat(257),
    1,
    true,
    {},
    [['a']],
  ];

  it.each<[claim: string, value: unknown]>([
    ...UNFIT.flatMap((value): [string, unknown][] => [
      ['sub', value],
      ['on_behalf_of', value],
      ['teams', ['a', value]],
    ]),
    ['sub', null],
    ['sub', ' '],
    ['sub', ['caseworker-1']],
    ...['kle', 'org_unit', 'sensitivity', 'it_system'].flatMap((claim): [string, unknown][] => [
      [claim, ['']],
      [claim, ['27', null]],
      [claim, { '27': true }],
      [claim, 27],
    ]),
    ['teams', { a: 'b' }],
    ['teams', Array(501).fill('a')],
    ['roles', 1],
    ['roles', { 'IndkomneDokumenter.Læs': true }],
    ['roles', [[['IndkomneDokumenter.Læs']]]],
    ['system', 1],
    ['system', 'yes'],
    ['system', [true]],
    ['municipality', null],
    ['municipality', 2_222_222],
    ['municipality', 22_222_222.5],
    ['municipality', `SE${ODENSKOV}`],
    ['municipality', `${ODENSKOV}\u0000`],
    ['municipality', { toString: ODENSKOV }],
    ['municipality', [[ODENSKOV]]],
    ['municipality', [ODENSKOV, ODENSKOV]],
    ['municipality', '２２２２２２２２'],
  ])('refused by name: %s: %j', async (claim, value) => {
    const response = await listWith(await bearer(signToken(stack.env, { ...CLAIMS, [claim]: value })));
    const { detail } = await expectProblem(response, 401, 'not-signed-in');
    expect(detail).toMatch(new RegExp(`^The token’s claim ${claim} must be [^\\p{Cc}]+\\.$`, 'u'));
  });

  it.each(['indbakke', 'serviceplatformen', 'municipality-apply'])('a system of the name %s is refused', async (id) => {
    for (const claims of [{ sub: id, system: true }, { act: { sub: id } }]) {
      const response = await listWith(await bearer(signToken(stack.env, { ...CLAIMS, ...claims })));
      const { detail } = await expectProblem(response, 401, 'not-signed-in');
      expect(detail).toContain('a system of ours');
    }
  });

  it('an odd subject that is accepted can read a message and stands in the audit log', async () => {
    const id = await deliverMemo(stack);
    const sub = `O'Hara "æøå" 😀 ${'x'.repeat(200)}`;
    const roles = ['IndkomneDokumenter.Læs', 'IndkomneDokumenter.SeAlle'];
    const authorization = await bearer(signToken(stack.env, { ...CLAIMS, sub, roles }));
    expect((await fetch(`${stack.url}/api/v1/incoming-documents/${id}`, { headers: { authorization } })).status).toBe(
      200,
    );
    expect((await auditOf(stack, { messageId: id })).at(-1)).toMatchObject({ actor: sub, action: 'read' });
  });
});

describe('signed with', () => {
  let folder: string;
  let verifier: TokenVerifier;
  const rsa = generateKeyPair('RS256', { extractable: true });
  const ec = {
    ES256: generateKeyPair('ES256', { extractable: true }),
    ES384: generateKeyPair('ES384', { extractable: true }),
  };
  const ed = generateKeyPair('Ed25519', { extractable: true });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'indbakke-keys-'));
    const pairs = Object.entries({ rsa: await rsa, ES256: await ec.ES256, ES384: await ec.ES384, ed: await ed });
    const keys = await Promise.all(
      pairs.map(async ([kid, { publicKey }]) => ({ ...(await exportJWK(publicKey)), kid })),
    );
    const file = join(folder, 'jwks.json');
    await writeFile(file, JSON.stringify({ keys }));
    verifier = await createTokenVerifier(
      [{ issuer: 'https://idp', audience: 'a', jwks: pathToFileURL(file).href, rules: LOCAL_RULES }],
      NEVER,
    );
  });

  afterAll(() => rm(folder, { recursive: true }));

  const verify = async (alg: string, kid: string, pair: ReturnType<typeof generateKeyPair>, typ = 'JWT') => {
    const key = await importJWK(await exportJWK((await pair).privateKey), alg);
    const token = new SignJWT(CLAIMS).setProtectedHeader({ alg, kid, typ }).setIssuer('https://idp').setAudience('a');
    return verifier.verify(await token.setExpirationTime('1h').sign(key));
  };

  it.each(['PS256', 'PS384', 'PS512', 'RS256'])('%s: accepted', async (alg) => {
    expect(await verify(alg, 'rsa', rsa)).toMatchObject({ actor: { id: CLAIMS.sub } });
  });

  it.each(['EdDSA', 'Ed25519'])('%s: accepted', async (alg) => {
    expect(await verify(alg, 'ed', ed)).toMatchObject({ actor: { id: CLAIMS.sub } });
  });

  it('ES256: accepted, also as an access token by its type (RFC 9068)', async () => {
    expect(await verify('ES256', 'ES256', ec.ES256, 'at+jwt')).toMatchObject({ actor: { id: CLAIMS.sub } });
  });

  it.each<[string, string, ReturnType<typeof generateKeyPair>]>([
    ['RS384', 'rsa', rsa],
    ['RS512', 'rsa', rsa],
    ['ES384', 'ES384', ec.ES384],
  ])('%s: refused', async (alg, kid, pair) => {
    await expect(verify(alg, kid, pair)).rejects.toMatchObject({ code: 'not-signed-in' });
  });
});

describe('the header Authorization', () => {
  /** Without fetch, which joins headers and removes white space. */
  const statusWith = (authorization: string | string[]) =>
    new Promise<number | undefined>((resolve, reject) => {
      request(`${stack.url}/api/v1/incoming-documents`, { headers: { authorization } as never }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });

  it.each([
    ['with a tab between', (token: string) => `Bearer\t${token}`, 200],
    ['with spaces around', (token: string) => ` Bearer   ${token}  `, 200],
    ['with two tokens', (token: string) => `Bearer ${token} ${token}`, 401],
    ['with a list of tokens', (token: string) => `Bearer ${token}, Bearer ${token}`, 401],
    ['without a space', (token: string) => `Bearer${token}`, 401],
    ['twice, even if the same', (token: string) => [`Bearer ${token}`, `Bearer ${token}`], 401],
    ['twice, the first of another scheme', (token: string) => ['Basic eDp5', `Bearer ${token}`], 401],
  ])('%s', async (_name, header, status) => {
    expect(await statusWith(header(await signToken(stack.env, CLAIMS)))).toBe(status);
  });
});

describe('a token for one municipality', () => {
  it('finds nothing of another: 404, never 403', async () => {
    const id = await deliverMemo(stack);
    const as = { municipality: VESTERSUND };
    const calls: [string, string, object?][] = [
      ['GET', ''],
      ['GET', '/zip'],
      ['GET', `/files/${id}`],
      ['POST', '/journalization', { caseIds: ['K-1'] }],
      ['POST', '/rejection', { reason: 'unwanted', explanation: 'Ikke til os' }],
      ['POST', '/deletion', { sentOn: false, senderInformed: false }],
    ];
    for (const [method, path, body] of calls) {
      const options = { as, version: 1, ...(body && { body }) };
      await expectProblem(await stack.call(method, `/incoming-documents/${id}${path}`, options), 404, 'not-found');
    }
    expect((await list(stack, '', as)).items).toEqual([]);
  });

  it('is never taken for one of another, though both are remembered', async () => {
    await deliverMemo(stack);
    const tokens = [ODENSKOV, VESTERSUND].map((municipality) => signToken(stack.env, { ...ALL, municipality }));
    for (let round = 0; round < 2; round += 1) {
      const counts = await Promise.all(
        tokens.map(async (token) => {
          const { items } = (await (await listWith(await bearer(token))).json()) as { items: object[] };
          return items.length > 0;
        }),
      );
      expect(counts).toEqual([true, false]);
    }
  });

  it('of an unknown municipality sees nothing', async () => {
    expect((await list(stack, '', { municipality: '99999999' })).items).toEqual([]);
  });
});

describe('a token without roles', () => {
  it.each([[[]], [['Andet.System']], [undefined]])('%j may do nothing', async (roles) => {
    const authorization = await bearer(signToken(stack.env, { ...CLAIMS, roles }));
    await expectProblem(await listWith(authorization), 403, 'role-missing');
  });
});

describe('a system’s token', () => {
  it('may register, but not read the inbox', async () => {
    await upsertCase(stack, 'K-system');
    await expectProblem(await stack.call('GET', '/incoming-documents', { as: SYSTEM }), 403, 'role-missing');
  });

  it('is recorded in the audit log as a system', async () => {
    const id = await deliverMemo(stack);
    const roles = ['IndkomneDokumenter.Læs', 'IndkomneDokumenter.SeAlle'];
    await stack.call('GET', `/incoming-documents/${id}`, { as: { user: 'robot', system: true, roles } });
    expect((await auditOf(stack, { messageId: id })).at(-1)).toMatchObject({ actor: 'robot', actor_kind: 'system' });
  });

  it('on behalf of a caseworker is recorded with both', async () => {
    const id = await deliverMemo(stack);
    const roles = ['IndkomneDokumenter.Læs', 'IndkomneDokumenter.SeAlle'];
    const claims = { ...CLAIMS, sub: 'dubu-core', system: true, on_behalf_of: 'caseworker-9', roles };
    const authorization = await bearer(signToken(stack.env, claims));
    await fetch(`${stack.url}/api/v1/incoming-documents/${id}`, { headers: { authorization } });
    const rows = await stack.sql(
      `SELECT actor, on_behalf_of FROM audit_events WHERE message_id = $1 AND action = 'read'`,
      [id],
    );
    expect(rows).toEqual([{ actor: 'dubu-core', on_behalf_of: 'caseworker-9' }]);
  });
});

describe('an operator', () => {
  const sign = (claims: Claims) =>
    signToken(
      stack.env,
      { sub: 'operator-1', roles: ['Indbakke.Drift'], ...claims },
      { audience: 'indbakke-operations' },
    );
  const verify = async (claims: Claims, issuerOfUsers = LOCAL_ISSUER) => {
    const options = { issuer: LOCAL_ISSUER, audience: 'indbakke-operations', jwks: stack.env.TOKEN_JWKS as string };
    const users = { issuer: issuerOfUsers, rules: { names: { ...LOCAL_RULES.names, municipality: 'cvr' } } };
    return (await createOperatorVerifier(options, users)).verify(await sign(claims));
  };

  it('is nobody whose token is for a municipality, whatever its issuer calls that', async () => {
    await expect(verify({})).resolves.toMatchObject({ actor: { id: 'operator-1' } });
    await expect(verify({ municipality: ODENSKOV })).rejects.toMatchObject({ code: 'role-missing' });
    await expect(verify({ cvr: ODENSKOV })).rejects.toMatchObject({ code: 'role-missing' });
  });

  it('may be of a company, with an issuer of its own', async () => {
    await expect(verify({ cvr: ODENSKOV }, 'https://login.example')).resolves.toMatchObject({
      actor: { id: 'operator-1' },
    });
  });
});

describe('the key set of an issuer', () => {
  let server: Server;
  let jwks: string;
  let fetches = 0;
  let body = '';

  beforeAll(async () => {
    server = createServer((_req, res) => {
      fetches += 1;
      if (body === '') res.writeHead(503).end();
      else res.setHeader('content-type', 'application/json').end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    jwks = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
  });

  afterAll(() => server.close());

  const verifier = () =>
    createTokenVerifier([{ issuer: 'urn:indbakke:local', audience: 'indbakke', jwks, rules: LOCAL_RULES }], NEVER);

  it('can be fetched over HTTP', async () => {
    body = await readFile(fileURLToPath(stack.env.TOKEN_JWKS as string), 'utf8');
    const { verify } = await verifier();
    await expect(verify(await signToken(stack.env, CLAIMS))).resolves.toMatchObject({ actor: { id: CLAIMS.sub } });
  });

  it.each([
    ['returns an error', () => ''],
    ['returns nonsense', () => '<html>'],
  ])('that %s makes the call fail temporarily', async (_name, answer) => {
    body = answer();
    const { verify } = await verifier();
    const token = await signToken(stack.env, CLAIMS);
    await expect(verify(token)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('is remembered for ten minutes, and needed after that', async () => {
    body = await readFile(fileURLToPath(stack.env.TOKEN_JWKS as string), 'utf8');
    const { verify } = await verifier();
    const verifyFor = async (sub: string) => verify(await signToken(stack.env, { ...CLAIMS, sub }));
    await verifyFor('caseworker-1');
    body = '';
    await expect(verifyFor('caseworker-2')).resolves.toMatchObject({ actor: { id: 'caseworker-2' } });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 600_001 });
    try {
      await expect(verifyFor('caseworker-3')).rejects.toMatchObject({ code: 'unavailable' });
    } finally {
      vi.useRealTimers();
    }
  });

  it('is fetched anew for a key that is not known, once in half a minute', async () => {
    const pairs = await Promise.all(['old', 'new'].map(async (kid) => ({ kid, ...(await generateKeyPair('ES256')) })));
    const setOf = async (kids: readonly string[]) => {
      const keys = pairs.filter(({ kid }) => kids.includes(kid));
      const jwks = keys.map(async ({ kid, publicKey }) => ({ ...(await exportJWK(publicKey)), kid }));
      return JSON.stringify({ keys: await Promise.all(jwks) });
    };
    const signedWith = (kid: string, sub: string = kid) => {
      const pair = pairs.find((each) => each.kid === kid) ?? pairs[0];
      const header = { alg: 'ES256', kid };
      return signToken(stack.env, { ...CLAIMS, sub }, { ...(pair && { key: pair.privateKey }), header });
    };
    body = await setOf(['old']);
    fetches = 0;
    const { verify } = await verifier();
    const asked = async (kid: string, sub?: string) =>
      verify(await signedWith(kid, sub)).then(
        () => 'taken',
        () => 'refused',
      );
    expect([await asked('old'), fetches]).toEqual(['taken', 1]);
    body = await setOf(['old', 'new']);
    for (const kid of ['new', 'made-up-1', 'made-up-2']) expect(await asked(kid)).toBe('refused');
    expect(fetches).toBe(1);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 30_001 });
    try {
      expect([await asked('new'), fetches]).toEqual(['taken', 2]);
      expect([await asked('made-up-3'), fetches]).toEqual(['refused', 2]);
      body = await setOf(['new']); // the old one is withdrawn, which is seen when the keys are fetched again
      vi.setSystemTime(Date.now() + 600_001);
      expect([await asked('new', 'another'), await asked('old', 'another')]).toEqual(['taken', 'refused']);
    } finally {
      vi.useRealTimers();
    }
  });

  it('that is unreachable makes the call fail temporarily', async () => {
    const away = await createTokenVerifier(
      [{ issuer: LOCAL_ISSUER, audience: 'x', jwks: 'http://127.0.0.1:1/jwks', rules: LOCAL_RULES }],
      NEVER,
    );
    const failure = await away.verify(await signToken(stack.env, CLAIMS)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Problem);
    expect((failure as Problem).code).toBe('unavailable');
  });
});

it('a role is found by its name, whatever the case', () => {
  expect(parseRole('DigitalPost.slet')).toBe('DigitalPost.Slet');
  expect(parseRole('digitalpost.SLET')).toBe('DigitalPost.Slet');
  expect(parseRole('DigitalPost.Slette')).toBeUndefined();
  expect(parseRole('constructor')).toBeUndefined();
});
