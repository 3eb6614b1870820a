import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { exportJWK, generateKeyPair } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LOCAL_ISSUER } from '../../../infra/src/local/issuer.js';
import { CASEWORKER_ROLES, ODENSKOV, startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { type Claims, type Signing, signToken } from '../access/sign.js';
import { deliverReply, expectProblem } from '../inbox/support.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});

afterAll(() => stack.close());

const DRIFT = { roles: ['Indbakke.Drift'] };
const OPERATOR = { sub: 'operator-1', ...DRIFT };
const OPERATIONS = { audience: 'indbakke-operations' };

const get = (path = '', authorization?: string, method = 'GET') =>
  fetch(`${stack.url}/ops/queues${path}`, {
    method,
    ...(authorization !== undefined && { headers: { authorization } }),
  });

const bearer = async () => `Bearer ${await stack.operatorsToken()}`;
const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

describe('/ops/queues', () => {
  it.each([
    ['nothing', undefined],
    ['a password that is not a token', basic('operator', 'secret')],
    ['an incomplete Basic header', 'Basic'],
    ['an invalid token', 'Bearer x.y.z'],
  ])('asks a browser to sign in that sends %s', async (_name, authorization) => {
    const response = await get('', authorization);
    await expectProblem(response, 401, 'not-signed-in');
    expect(response.headers.get('www-authenticate')).toMatch(/^Basic realm="[^"]+", charset="UTF-8"$/);
  });

  it('counts calls without a valid token', async () => {
    const count = async () => {
      const metrics = await (await fetch(`${stack.url}/metrics`)).text();
      return Number(/^indbakke_not_signed_in_total (\d+)/m.exec(metrics)?.[1]);
    };
    const before = await count();
    await get('', basic('operator', 'secret'));
    await get('', await bearer());
    expect(await count()).toBe(before + 1);
  });

  it('is closed to every token of a municipality, also with the role Indbakke.Drift, and says what is needed', async () => {
    const both = { audience: ['indbakke', 'indbakke-operations'] };
    const tokens = [
      await stack.token(DRIFT),
      await stack.token({ roles: ['Indbakke.System'], system: true }),
      await signToken(stack.env, { ...OPERATOR, municipality: ODENSKOV }, OPERATIONS),
      await signToken(stack.env, { ...OPERATOR, municipality: Number(ODENSKOV) }, both),
    ];
    for (const token of tokens) {
      for (const authorization of [`Bearer ${token}`, basic('x', token)]) {
        for (const path of ['', '/api/queues', '/static/favicon.ico']) {
          const { detail } = await expectProblem(await get(path, authorization), 403, 'role-missing');
          expect(detail).toMatch(/token for operations.*Indbakke\.Drift.*no municipality/);
        }
      }
    }
  });

  it('that are refused to somebody of a municipality are in its audit log', async () => {
    const user = randomUUID();
    await get('', basic('x', await stack.token({ user, ...DRIFT })));
    expect(
      await stack.sql('SELECT municipality, action, result, origin, details FROM audit_events WHERE actor = $1', [
        user,
      ]),
    ).toEqual([
      {
        municipality: ODENSKOV,
        action: 'refused',
        result: 'role-missing',
        origin: '127.0.0.1',
        details: { call: 'get /ops/queues' },
      },
    ]);
  });

  it.each([undefined, [], ['Indbakke.System', 'IndkomneDokumenter.Læs']])(
    'is closed to a token for operations with the roles %j',
    async (roles) => {
      const token = await signToken(stack.env, { ...OPERATOR, roles }, OPERATIONS);
      await expectProblem(await get('', `Bearer ${token}`), 403, 'role-missing');
    },
  );

  it.each<[string, Claims, Signing]>([
    ['another audience', OPERATOR, { audience: 'dubu' }],
    ['the audience of the inbox API, but no municipality', OPERATOR, {}],
    ['another issuer', OPERATOR, { ...OPERATIONS, issuer: 'https://login.example' }],
    ['an expiry that has passed', OPERATOR, { ...OPERATIONS, expires: '-1h' }],
    ['a subject with a NUL', { ...OPERATOR, sub: 'a\u0000' }, OPERATIONS],
  ])('asks to sign in with a token that has %s', async (_name, claims, signing) => {
    await expectProblem(await get('', `Bearer ${await signToken(stack.env, claims, signing)}`), 401, 'not-signed-in');
  });

  it('guards everything below it, even what does not exist', async () => {
    for (const path of ['/', '/api/queues', '/static/main.js', '/nonsense', '/api/queues/suggest-case/1/retry']) {
      expect((await get(path)).status).toBe(401);
    }
  });

  it('opens to an operator with a bearer token, or with it as the password of any user', async () => {
    const token = await stack.operatorsToken();
    const passwords = [basic('anyone', token), basic('', token), basic('x', `${token}\n`)];
    for (const authorization of [`Bearer ${token}`, `bearer ${token}`, ...passwords]) {
      const response = await get('', authorization);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toMatch(/^text\/html/);
      expect(response.headers.get('cache-control')).toBe('no-store');
    }
  });

  it('is where the browser finds it when a proxy takes a prefix away', async () => {
    const baseAt = async (prefix: string) => {
      const headers = { authorization: await bearer(), 'x-forwarded-prefix': prefix };
      const page = await (await fetch(`${stack.url}/ops/queues`, { headers })).text();
      return /<base href="([^"]*)"/.exec(page)?.[1];
    };
    expect([await baseAt(''), await baseAt('/indbakke/')]).toEqual(['/ops/queues/', '/indbakke/ops/queues/']);
  });

  it('shows the queue and its jobs, by id only', async () => {
    const id = await deliverReply(stack, [{ messageUUID: randomUUID(), replyUUID: randomUUID() }]);
    const queues = await expect
      .poll(async () => {
        const response = await get('/api/queues?activeQueue=suggest-case&status=completed', await bearer());
        return response.text();
      })
      .toContain(`${id}-1`)
      .then(async () => (await get('/api/queues?activeQueue=suggest-case&status=completed', await bearer())).text());
    expect(queues).toContain('"readOnlyMode":true');
    expect(queues).not.toMatch(/4101019999|Testesen/);
  });

  it('is read-only: nothing can be retried, removed or emptied', async () => {
    const id = await deliverReply(stack, [{ messageUUID: randomUUID(), replyUUID: randomUUID() }]);
    const job = `${id}-1`;
    const calls: [string, string][] = [
      ['PUT', `/api/queues/suggest-case/${job}/retry`],
      ['PUT', `/api/queues/suggest-case/${job}/clean`],
      ['PUT', `/api/queues/suggest-case/clean/completed`],
      ['PUT', '/api/queues/suggest-case/pause'],
      ['PUT', '/api/queues/suggest-case/empty'],
      ['PUT', '/api/queues/suggest-case/obliterate'],
      ['POST', '/api/queues/suggest-case/add'],
    ];
    for (const [method, path] of calls) {
      const { status } = await get(path, await bearer(), method);
      expect([404, 405]).toContain(status);
    }
    const rows = await stack.sql('SELECT FROM bullmq.job WHERE id = $1', [job]);
    expect(rows).toHaveLength(1);
  });
});

describe('a token for operations', () => {
  it.each([
    ['of an operator', OPERATOR, OPERATIONS],
    ['with the roles of a caseworker', { ...OPERATOR, roles: CASEWORKER_ROLES }, OPERATIONS],
    ['for both audiences', OPERATOR, { audience: ['indbakke', 'indbakke-operations'] }],
    ['with a municipality', { ...OPERATOR, municipality: ODENSKOV }, OPERATIONS],
  ])('%s does not open the inbox API', async (_name, claims, signing) => {
    const authorization = `Bearer ${await signToken(stack.env, claims, signing)}`;
    const response = await fetch(`${stack.url}/api/v1/incoming-documents`, { headers: { authorization } });
    await expectProblem(response, 401, 'not-signed-in');
  });
});

describe('with an issuer of their own', () => {
  let own: TestStack;
  let folder: string;
  const key = generateKeyPair('ES256', { extractable: true });
  const ISSUER = 'https://operations.example';

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'indbakke-operators-'));
    const file = join(folder, 'jwks.json');
    await writeFile(file, JSON.stringify({ keys: [await exportJWK((await key).publicKey)] }));
    own = await startTestStack({
      OPERATIONS_TOKEN_ISSUER: ISSUER,
      OPERATIONS_TOKEN_AUDIENCE: 'driften',
      OPERATIONS_TOKEN_JWKS: pathToFileURL(file).href,
    });
  });

  afterAll(async () => {
    await own.close();
    await rm(folder, { recursive: true });
  });

  const statusAt = async (path: string, claims: Claims, signing: Signing) => {
    const authorization = `Bearer ${await signToken(own.env, claims, signing)}`;
    return (await fetch(own.url + path, { headers: { authorization } })).status;
  };
  const signedByThem = async () => ({ issuer: ISSUER, key: (await key).privateKey, header: { alg: 'ES256' } });

  it('only that one lets operators in, and nobody else', async () => {
    const theirs = await signedByThem();
    expect(await statusAt('/ops/queues', OPERATOR, { ...theirs, audience: 'driften' })).toBe(200);
    expect(await statusAt('/ops/queues', OPERATOR, { ...theirs, audience: 'indbakke-operations' })).toBe(401);
    expect(await statusAt('/ops/queues', OPERATOR, { audience: 'driften' })).toBe(401);
    expect(await statusAt('/ops/queues', OPERATOR, { ...theirs, issuer: LOCAL_ISSUER, audience: 'driften' })).toBe(401);
    const caseworker = { sub: 'caseworker-1', municipality: ODENSKOV, roles: CASEWORKER_ROLES };
    expect(await statusAt('/api/v1/incoming-documents', caseworker, theirs)).toBe(401);
    expect(await statusAt('/api/v1/incoming-documents', caseworker, {})).toBe(200);
  });
});
