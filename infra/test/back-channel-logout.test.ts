import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OidcSignIn } from '@indbakke/shared/sign-in';
import { exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT } from 'jose';
// @ts-expect-error: it has no types
import { Provider } from 'oidc-provider';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ODENSKOV, startTestStack, type TestStack } from '../src/testkit/stack.js';
import { Visitor } from './support/visitor.js';
import { wayOverIssuer } from './support/way-over-issuer.js';

// The issuer ends sign-ins, with an OpenID provider that does so by itself, and with logout tokens as it must not write them.

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const PAGES = ['inbox', 'ops'] as const;
const pair = generateKeyPair('PS256', { extractable: true });
const claims: Record<string, Record<string, unknown>> = {};
let server: Server;
let issuer: string;
let stack: TestStack;

beforeAll(async () => {
  server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const settings = (page: string) => ({
    [`${page}_OIDC_ISSUER`]: issuer,
    [`${page}_OIDC_CLIENT_ID`]: page.toLowerCase(),
    [`${page}_OIDC_CLIENT_SECRET`]: 'a-secret-of-the-test',
  });
  stack = await startTestStack({ INBOX_PAGE: 'on', ...settings('INBOX'), ...settings('OPS') });
  const provider = new Provider(issuer, {
    clients: PAGES.map((page) => ({
      client_id: page,
      client_secret: 'a-secret-of-the-test',
      redirect_uris: [`${stack.url}/${page}/sign-in/callback`],
      backchannel_logout_uri: `${stack.url}/${page}/back-channel-logout`,
      backchannel_logout_session_required: true,
      id_token_signed_response_alg: 'PS256',
    })),
    features: { backchannelLogout: { enabled: true } },
    jwks: { keys: [{ ...(await exportJWK((await pair).privateKey)), kid: 'one', alg: 'PS256' }] },
    claims: { openid: ['sub', 'roles', 'municipality'] },
    conformIdTokenClaims: false,
    // By itself it calls no loopback address.
    fetch: (url: string, { dispatcher: _, ...init }: RequestInit & { dispatcher?: unknown }) => fetch(url, init),
    cookies: { keys: [randomUUID()] },
    findAccount: (_: unknown, id: string) => ({ accountId: id, claims: async () => ({ sub: id, ...claims[id] }) }),
  });
  server.on('request', provider.callback());
});

afterAll(async () => {
  await stack.close();
  server.close();
});

type Page = (typeof PAGES)[number];

/** Signs somebody new in to a page. */
async function signIn(page: Page, visitor = new Visitor(), user = `user-${randomUUID()}`): Promise<string> {
  claims[user] =
    page === 'ops' ? { roles: ['Indbakke.Drift'] } : { municipality: ODENSKOV, roles: ['IndkomneDokumenter.Læs'] };
  const start = `${stack.url}/${page}/sign-in/start`;
  const back = await wayOverIssuer(visitor, start, `${stack.url}/${page}/sign-in/callback`, user);
  expect((await visitor.go(back)).status).toBe(200);
  expect(await isIn(page, visitor)).toBe(true);
  return user;
}

const isIn = async (page: Page, visitor: Visitor) => (await visitor.go(`${stack.url}/${page}`)).status === 200;

const logout = (page: Page, token: string) =>
  fetch(`${stack.url}/${page}/back-channel-logout`, {
    method: 'POST',
    body: new URLSearchParams({ logout_token: token }),
  });

async function logoutToken(
  page: Page,
  changes: Record<string, unknown> = {},
  { header, key }: { header?: JWTHeaderParameters; key?: Parameters<SignJWT['sign']>[0] } = {},
): Promise<string> {
  const usual = {
    iss: issuer,
    aud: page,
    iat: Math.floor(Date.now() / 1_000),
    jti: randomUUID(),
    events: { [EVENT]: {} },
  };
  const token = new SignJWT({ ...usual, ...changes }).setProtectedHeader(
    header ?? { alg: 'PS256', kid: 'one', typ: 'logout+jwt' },
  );
  return token.sign(key ?? (await pair).privateKey);
}

describe.each(PAGES)('the sign-in at /%s', (page) => {
  it('ends when it ends at the issuer, and no other does', async () => {
    const [visitor, other] = [new Visitor(), new Visitor()];
    await signIn(page, visitor);
    await signIn(page, other);
    const form = await (await visitor.go(`${issuer}/session/end`)).text();
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(form)?.[1] ?? '';
    const ended = await visitor.post(`${issuer}/session/end/confirm`, { xsrf, logout: 'yes' });
    expect(ended.status).toBeLessThan(400);
    await vi.waitFor(async () => expect(await isIn(page, visitor)).toBe(false));
    expect(await isIn(page, other)).toBe(true);
  });

  it('ends with all others of the user when the token names the user', async () => {
    const [one, another, other] = [new Visitor(), new Visitor(), new Visitor()];
    const user = await signIn(page, one);
    await signIn(page, another, user);
    await signIn(page, other);
    expect((await logout(page, await logoutToken(page, { sub: user }))).status).toBe(200);
    expect([await isIn(page, one), await isIn(page, another), await isIn(page, other)]).toEqual([false, false, true]);
  });
});

describe('a logout token', () => {
  it('is answered without being kept by anybody', async () => {
    const answer = await logout('inbox', await logoutToken('inbox', { sid: 'nobody’s' }));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it('leaves nothing in the database that tells whose it is', async () => {
    await logout('inbox', await logoutToken('inbox', { sub: 'somebody-by-name' }));
    const rows = await stack.sql('SELECT * FROM revocations');
    expect(rows.length).toBeGreaterThan(0);
    expect(JSON.stringify(rows)).not.toContain('somebody');
  });

  const past = () => Math.floor(Date.now() / 1_000) - 3_600;
  it.each<[string, (user: string) => Promise<string>]>([
    ['of another issuer', (sub) => logoutToken('inbox', { sub, iss: 'https://issuer.example.dk' })],
    ['for another client', (sub) => logoutToken('inbox', { sub, aud: 'ops' })],
    ['of an hour ago', (sub) => logoutToken('inbox', { sub, iat: past() })],
    ['without a time', (sub) => logoutToken('inbox', { sub, iat: undefined })],
    ['without an id', (sub) => logoutToken('inbox', { sub, jti: undefined })],
    ['without the event', (sub) => logoutToken('inbox', { sub, events: {} })],
    ['with another event', (sub) => logoutToken('inbox', { sub, events: { 'http://schemas.example/other': {} } })],
    ['with events that are none', (sub) => logoutToken('inbox', { sub, events: EVENT })],
    ['that is an id token', (sub) => logoutToken('inbox', { sub, nonce: 'n' })],
    ['of nobody', () => logoutToken('inbox')],
    [
      'signed by another',
      async (sub) => logoutToken('inbox', { sub }, { key: (await generateKeyPair('PS256')).privateKey }),
    ],
    [
      'that is not signed',
      async (sub) => {
        const [, payload] = (await logoutToken('inbox', { sub })).split('.');
        return `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;
      },
    ],
    ['that is none', async () => 'x'],
    ['that is missing', async () => ''],
  ])('%s ends nothing', async (_name, make) => {
    const visitor = new Visitor();
    const user = await signIn('inbox', visitor);
    const answer = await logout('inbox', await make(user));
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([400, 'bad-request']);
    expect(await isIn('inbox', visitor)).toBe(true);
  });

  it('ends nothing that began after it was issued, as when it is sent again', async () => {
    const visitor = new Visitor();
    const sub = await signIn('inbox', visitor);
    const answer = await logout('inbox', await logoutToken('inbox', { sub, iat: Math.floor(Date.now() / 1_000) - 60 }));
    expect(answer.status).toBe(200);
    expect(await isIn('inbox', visitor)).toBe(true);
  });

  it('is to be sent again where the keys of the issuer do not arrive', async () => {
    const away = createServer((req, res) => {
      if (!req.url?.endsWith('/openid-configuration')) return void res.writeHead(503).end();
      const url = `http://${req.headers.host}`;
      const configuration = { issuer: url, authorization_endpoint: `${url}/auth`, jwks_uri: `${url}/jwks` };
      res.setHeader('content-type', 'application/json').end(JSON.stringify(configuration));
    });
    await once(away.listen(0, '127.0.0.1'), 'listening');
    const url = `http://127.0.0.1:${(away.address() as AddressInfo).port}`;
    const oidc = new OidcSignIn({ issuer: url, clientId: 'inbox', clientSecret: undefined, scope: 'openid' });
    const reading = oidc.readLogout(await logoutToken('inbox', { sub: 'user', iss: url }));
    await expect(reading).rejects.toMatchObject({ code: 'unavailable' });
    away.close();
  });

  it('is read up to 16 kB', async () => {
    expect((await logout('inbox', 'x'.repeat(17_000))).status).toBe(413);
  });
});
