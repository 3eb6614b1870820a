import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { exportJWK, generateKeyPair } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ODENSKOV, startTestStack, type TestStack, VESTERSUND } from '../../../infra/src/testkit/stack.js';
import { createTokenVerifier, parseRole } from '../../src/access/index.js';
import { Problem } from '../../src/errors/index.js';
import { auditOf, deliverMemo, expectProblem, list, SYSTEM, upsertCase } from '../inbox/support.js';
import { signToken } from './sign.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});

afterAll(() => stack.close());

const CLAIMS = { sub: 'caseworker-1', municipality: ODENSKOV, roles: ['IndkomneDokumenter.Læs'] };

const listWith = (authorization?: string) =>
  fetch(`${stack.url}/api/v1/incoming-documents`, authorization === undefined ? {} : { headers: { authorization } });

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
    ['a token with roles in one string', () => signToken(stack.env, { ...CLAIMS, roles: 'IndkomneDokumenter.Læs' })],
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
    expect(Number(/^indbakke_not_signed_in_total (\d+)/m.exec(metrics)?.[1])).toBeGreaterThan(BAD.length);
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
      ['POST', '/rejection', { reason: 'unwanted' }],
      ['POST', '/deletion'],
    ];
    for (const [method, path, body] of calls) {
      const options = { as, version: 1, ...(body && { body }) };
      await expectProblem(await stack.call(method, `/incoming-documents/${id}${path}`, options), 404, 'not-found');
    }
    expect((await list(stack, '', as)).items).toEqual([]);
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

describe('the key set of an issuer', () => {
  let server: Server;
  let jwks: string;
  let body = '';

  beforeAll(async () => {
    server = createServer((_req, res) => {
      if (body === '') res.writeHead(503).end();
      else res.setHeader('content-type', 'application/json').end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    jwks = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
  });

  afterAll(() => server.close());

  const verifier = () => createTokenVerifier({ issuer: 'urn:indbakke:local', audience: 'indbakke', jwks });

  it('can be fetched over HTTP', async () => {
    body = await readFile(fileURLToPath(stack.env.TOKEN_JWKS as string), 'utf8');
    const { verify } = await verifier();
    await expect(verify(await signToken(stack.env, CLAIMS))).resolves.toMatchObject({ municipality: ODENSKOV });
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

  it('that is unreachable makes the call fail temporarily', async () => {
    const away = await createTokenVerifier({ issuer: 'x', audience: 'x', jwks: 'http://127.0.0.1:1/jwks' });
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
