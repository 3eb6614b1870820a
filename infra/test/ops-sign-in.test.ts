import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { makeOneTimeSecret } from '@indbakke/shared/sign-in';
// @ts-expect-error: it has no types
import { Provider } from 'oidc-provider';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ODENSKOV, startTestStack, type TestStack } from '../src/testkit/stack.js';
import { Visitor } from './support/visitor.js';
import { wayOverIssuer } from './support/way-over-issuer.js';

// Who gets in to /ops, and how: over HTTP, as a browser does it.

describe('with a token', () => {
  let stack: TestStack;
  const link = makeOneTimeSecret();

  beforeAll(async () => {
    stack = await startTestStack({}, { operations: link });
  });

  afterAll(() => stack.close());

  it('an operator gets in, goes on to where it wanted, and out again', async () => {
    const visitor = new Visitor();
    const asked = await visitor.go(`${stack.url}/ops/held`);
    expect(asked.headers.get('location')).toBe('/ops/sign-in?to=%2Fops%2Fheld');
    const token = await stack.operatorsToken();
    const signedIn = await visitor.post(`${stack.url}/ops/sign-in`, { token: ` ${token}\n`, to: '/ops/held' });
    expect(signedIn.status).toBe(200);
    expect(await signedIn.text()).toContain('<meta http-equiv="refresh" content="0; url=/ops/held">');
    expect((await visitor.go(`${stack.url}/ops/held`)).status).toBe(200);
    expect((await visitor.post(`${stack.url}/ops/sign-out`, {})).headers.get('location')).toBe('/ops/sign-in');
    expect((await visitor.go(`${stack.url}/ops/held`)).status).toBe(303);
  });

  it('the cookie is out of reach of scripts and other sites, ends after eight hours, and says nothing', async () => {
    const visitor = new Visitor();
    await visitor.post(`${stack.url}/ops/sign-in`, { token: await stack.operatorsToken() });
    const [line = ''] = visitor.setCookies;
    expect(line).toMatch(/^indbakke-operations=[\w-]+; Path=\/ops; Expires=[^;]+; HttpOnly; SameSite=Strict$/);
    const hours = (Date.parse(/Expires=([^;]+)/.exec(line)?.[1] ?? '') - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(7.9);
    expect(hours).toBeLessThanOrEqual(8);
    expect(Buffer.from(visitor.cookies.get('indbakke-operations') ?? '', 'base64url').toString('latin1')).not.toContain(
      'operator-1',
    );
  });

  it('a session ends with the token that began it', async () => {
    const visitor = new Visitor();
    await visitor.post(`${stack.url}/ops/sign-in`, { token: await stack.operatorsToken({ hours: 1 }) });
    const [line = ''] = visitor.setCookies;
    const hours = (Date.parse(/Expires=([^;]+)/.exec(line)?.[1] ?? '') - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(0.9);
    expect(hours).toBeLessThanOrEqual(1);
  });

  it('behind a proxy with TLS the cookie is for TLS only, and for the prefix', async () => {
    const visitor = new Visitor();
    const proxy = {
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'drift.example',
      'x-forwarded-prefix': '/indbakke',
    };
    const token = await stack.operatorsToken();
    await visitor.post(`${stack.url}/ops/sign-in`, { token }, { ...proxy, origin: 'https://drift.example' });
    expect(visitor.setCookies[0]).toMatch(/Path=\/indbakke\/ops; .*Secure/);
  });

  it.each<[string, () => Promise<string>, number]>([
    ['what is no token', async () => 'x', 401],
    ['a token of a municipality', () => stack.token({ roles: ['Indbakke.Drift'] }), 403],
    ['an operator without the role', () => stack.token({ operator: true, roles: ['Indbakke.Karantæne'] }), 403],
  ])('%s does not get in, and is told so', async (_name, token, status) => {
    const visitor = new Visitor();
    const response = await visitor.post(`${stack.url}/ops/sign-in`, { token: await token() });
    expect(response.status).toBe(status);
    expect(await response.text()).toContain('role="alert"');
    expect(visitor.cookies.size).toBe(0);
  });

  it('a call without a form does not get in, and is no fault of ours', async () => {
    const headers = { origin: stack.url, 'content-type': 'application/json' };
    for (const init of [{ headers: { origin: stack.url } }, { headers, body: '{"token":"x"}' }]) {
      const response = await new Visitor().go(`${stack.url}/ops/sign-in`, { method: 'POST', ...init });
      expect(response.status).toBe(401);
    }
  });

  it('nobody is led to another site', async () => {
    for (const to of ['https://evil.example', '//evil.example', '/ops/../x', '/ops/held"><b>', '/api/v1']) {
      const response = await new Visitor().post(`${stack.url}/ops/sign-in`, {
        token: await stack.operatorsToken(),
        to,
      });
      expect(await response.text()).toContain('content="0; url=/ops"');
    }
  });

  it('a cookie that was changed, or made elsewhere, is none', async () => {
    const visitor = new Visitor();
    await visitor.post(`${stack.url}/ops/sign-in`, { token: await stack.operatorsToken() });
    const sealed = visitor.cookies.get('indbakke-operations') ?? '';
    for (const changed of [`A${sealed.slice(1)}`, sealed.slice(0, -4), 'x', '']) {
      visitor.cookies.set('indbakke-operations', changed);
      expect((await visitor.go(`${stack.url}/ops`)).status).toBe(303);
    }
  });

  it('the link of a local stack signs in once', async () => {
    const url = `${stack.url}/ops/sign-in/once?secret=`;
    expect((await new Visitor().go(`${url}wrong`)).status).toBe(401);
    const visitor = new Visitor();
    expect((await visitor.go(url + link.secret)).status).toBe(200);
    expect(await (await visitor.go(`${stack.url}/ops`)).text()).toContain('local-operator');
    expect((await new Visitor().go(url + link.secret)).status).toBe(401);
  });

  it('no change is made for a form of another site, or one that does not say where it is from', async () => {
    const visitor = new Visitor();
    await visitor.post(`${stack.url}/ops/sign-in`, { token: await stack.operatorsToken() });
    const change = `${stack.url}/ops/scrub/start`;
    const paths = [change, `${stack.url}/ops/sign-out`, `${stack.url}/ops/queues/api/queues/make-zip/retry/failed`];
    for (const url of paths) {
      for (const headers of [{ origin: 'https://evil.example' }, { origin: 'null' }, {}] as Record<string, string>[]) {
        const method = url.includes('/api/') ? 'PUT' : 'POST';
        expect((await visitor.go(url, { method, headers })).status).toBe(400);
      }
    }
    expect(await stack.sql(`SELECT FROM audit_events WHERE action IN ('scrub-started', 'jobs-retried')`)).toEqual([]);
    expect((await visitor.post(change, {})).status).toBe(303);
  });

  it('a program may use a bearer token, and needs no Origin', async () => {
    const headers = { authorization: `Bearer ${await stack.operatorsToken()}` };
    expect((await fetch(`${stack.url}/ops`, { headers })).status).toBe(200);
    const response = await fetch(`${stack.url}/ops/scrub/start`, { method: 'POST', headers, redirect: 'manual' });
    expect(response.status).toBe(303);
    const visitor = new Visitor();
    await visitor.post(`${stack.url}/ops/sign-in`, { token: await stack.operatorsToken() });
    // It does not act as who signed in in the same browser.
    for (const authorization of ['Bearer x', 'Bearer two words', 'Bearer']) {
      expect((await visitor.go(`${stack.url}/ops`, { headers: { authorization } })).status).toBe(401);
    }
  });
});

describe('with an issuer', () => {
  let server: Server;
  let stack: TestStack;
  const accounts = {
    operator: { roles: ['Indbakke.Drift'] },
    other: { roles: ['IndkomneDokumenter.Læs'] },
    'of-a-municipality': { roles: ['Indbakke.Drift'], municipality: ODENSKOV },
  } as Record<string, Record<string, unknown>>;

  beforeAll(async () => {
    server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    stack = await startTestStack({
      OPS_PORT: '0',
      OPS_OIDC_ISSUER: issuer,
      OPS_OIDC_CLIENT_ID: 'drift',
      OPS_OIDC_CLIENT_SECRET: 'a-secret-of-the-test',
    });
    const provider = new Provider(issuer, {
      clients: [
        {
          client_id: 'drift',
          client_secret: 'a-secret-of-the-test',
          redirect_uris: [`${stack.operationsUrl}/ops/sign-in/callback`],
        },
      ],
      claims: { openid: ['sub', 'roles', 'municipality'] },
      conformIdTokenClaims: false,
      cookies: { keys: [randomUUID()] },
      findAccount: (_: unknown, id: string) => ({ accountId: id, claims: async () => ({ sub: id, ...accounts[id] }) }),
    });
    server.on('request', provider.callback());
  });

  afterAll(async () => {
    await stack.close();
    server.close();
  });

  const wayBack = (visitor: Visitor, login: string) =>
    wayOverIssuer(
      visitor,
      `${stack.operationsUrl}/ops/sign-in/start?to=/ops/held`,
      `${stack.operationsUrl}/ops/sign-in/callback`,
      login,
    );

  it('an operator signs in there, with PKCE, and acts under the id that the issuer gives', async () => {
    const visitor = new Visitor();
    const start = await visitor.go(`${stack.operationsUrl}/ops/sign-in/start`);
    expect(start.headers.get('location')).toMatch(/code_challenge=[\w-]{43}&code_challenge_method=S256/);
    const back = await visitor.go(await wayBack(visitor, 'operator'));
    expect(await back.text()).toContain('url=/ops/held');
    expect(await (await visitor.go(`${stack.operationsUrl}/ops`)).text()).toMatch(/som operator</);
  });

  it.each(['other', 'of-a-municipality'])('%s does not get in', async (login) => {
    const visitor = new Visitor();
    const response = await visitor.go(await wayBack(visitor, login));
    expect([response.status, visitor.cookies.has('indbakke-operations')]).toEqual([403, false]);
  });

  it('the way back is for the browser that began it, and for once', async () => {
    const visitor = new Visitor();
    const url = await wayBack(visitor, 'operator');
    expect((await new Visitor().go(url)).status).toBe(401);
    expect((await visitor.go(`${url}x`)).status).toBe(401);
    expect((await visitor.go(url)).status).toBe(401);
    expect(visitor.cookies.has('indbakke-operations')).toBe(false);
  });

  it('nobody gets in with a token pasted', async () => {
    const response = await new Visitor().post(`${stack.operationsUrl}/ops/sign-in`, {
      token: await stack.operatorsToken(),
    });
    expect(response.status).toBe(405);
  });

  it('with a port of its own, operations and metrics are on that one only', async () => {
    for (const path of ['/ops', '/ops/queues', '/ops/sign-in', '/metrics']) {
      expect((await fetch(stack.url + path, { redirect: 'manual' })).status).toBe(404);
      expect((await fetch(stack.operationsUrl + path, { redirect: 'manual' })).status).not.toBe(404);
    }
    for (const path of ['/api/v1/docs', '/sf1606/soap?wsdl', '/api/v1/incoming-documents']) {
      expect((await fetch(stack.operationsUrl + path)).status).toBe(404);
    }
    for (const url of [stack.url, stack.operationsUrl]) {
      expect((await fetch(`${url}/healthz`)).status).toBe(200);
      expect((await fetch(`${url}/readyz`)).status).toBe(200);
    }
  });
});
