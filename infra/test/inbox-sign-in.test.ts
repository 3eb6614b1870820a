import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openKeyRing, sealText } from '@indbakke/shared/keys';
import { makeOneTimeSecret } from '@indbakke/shared/sign-in';
// @ts-expect-error: it has no types
import { Provider } from 'oidc-provider';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ODENSKOV, startTestStack, type TestStack, VESTERSUND } from '../src/testkit/stack.js';
import { writeMemo } from '../src/testkit/write-memo.js';
import { Visitor } from './support/visitor.js';
import { wayOverIssuer } from './support/way-over-issuer.js';

// Who gets in to /inbox, and what its session may do: over HTTP, as a browser does it.

const link = makeOneTimeSecret();
let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack({ INBOX_PAGE: 'on' }, { inbox: { link, municipality: ODENSKOV } });
  await stack.deliver(writeMemo());
});

afterAll(() => stack.close());

async function signedIn(as: Parameters<TestStack['token']>[0] = {}): Promise<Visitor> {
  const visitor = new Visitor();
  const answer = await visitor.post(`${stack.url}/inbox/sign-in`, { token: await stack.token(as) });
  expect(answer.status).toBe(200);
  return visitor;
}

const list = '/api/v1/incoming-documents';
const origin = () => ({ origin: new URL(stack.url).origin });

describe('the page', () => {
  it('sends who is not signed in to sign in, and back to where they wanted', async () => {
    const visitor = new Visitor();
    const asked = await visitor.go(`${stack.url}/inbox/set-up`);
    expect(asked.headers.get('location')).toBe('/inbox/sign-in?to=%2Finbox%2Fset-up');
    const token = await stack.token();
    const answer = await visitor.post(`${stack.url}/inbox/sign-in`, { token, to: '/inbox/set-up' });
    expect(await answer.text()).toContain('<meta http-equiv="refresh" content="0; url=/inbox/set-up">');
    expect((await visitor.go(`${stack.url}/inbox/set-up`)).status).toBe(200);
    await visitor.post(`${stack.url}/inbox/sign-out`, {});
    expect((await visitor.go(`${stack.url}/inbox/set-up`)).status).toBe(303);
  });

  it('says who is signed in, and lets no script in but its own', async () => {
    const page = await (await signedIn({ user: 'sagsbehandler-1', teams: ['team-1'] })).go(`${stack.url}/inbox`);
    const policy = page.headers.get('content-security-policy');
    expect(policy).toContain("script-src 'self' 'sha256-");
    expect(policy).not.toMatch(/unsafe|blob:|data:|http|\*/);
    const body = await page.text();
    expect(body).toContain('&quot;id&quot;:&quot;sagsbehandler-1&quot;');
    expect(body).toContain(`&quot;municipality&quot;:&quot;${ODENSKOV}&quot;`);
  });

  it.each(['<b>', 'not.a.token', ''])('does not let in who has %j', async (token) => {
    const answer = await new Visitor().post(`${stack.url}/inbox/sign-in`, { token });
    expect(answer.status).toBe(401);
    expect(await answer.text()).toContain('Du blev ikke logget ind');
  });

  it('is not there unless it is switched on', async () => {
    // With the same keys, so that nothing else refuses the session.
    const other = await startTestStack({ INBOX_PAGE: 'off', KEY_FILE: stack.env.KEY_FILE });
    try {
      const visitor = await signedIn();
      for (const path of ['', '/sign-in', '/sign-in/once?secret=x', '/static/inbox.css', '/static/viewer.html']) {
        expect((await visitor.go(`${other.url}/inbox${path}`)).status).toBe(404);
      }
      for (const path of ['/sign-in', '/sign-in/as', '/sign-out']) {
        expect((await visitor.post(`${other.url}/inbox${path}`, {})).status).toBe(404);
      }
      expect((await visitor.go(other.url + list)).status).toBe(401);
    } finally {
      await other.close();
    }
  });
});

describe('its session', () => {
  it('reads and changes what its token may, from a page of ours', async () => {
    const visitor = await signedIn();
    const answer = await visitor.go(`${stack.url}${list}`);
    expect(answer.status).toBe(200);
    const { items } = (await answer.json()) as { items: { id: string; version: number }[] };
    const [letter] = items as [{ id: string; version: number }];
    const assign = (headers: Record<string, string>) =>
      visitor.go(`${stack.url}${list}/${letter.id}/assignment`, {
        method: 'PUT',
        body: JSON.stringify({ assignee: { kind: 'user', id: 'sagsbehandler-2' } }),
        headers: { 'content-type': 'application/json', 'if-match': `"${letter.version}"`, ...headers },
      });
    for (const headers of [{}, { origin: 'https://evil.example' }, { origin: 'null' }]) {
      const refused = await assign(headers as Record<string, string>);
      expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([400, 'bad-request']);
    }
    expect((await assign(origin())).status).toBe(200);
  });

  it('is not taken from a page of another site', async () => {
    const visitor = await signedIn();
    for (const [site, status] of [
      ['cross-site', 400],
      ['same-site', 400],
      ['same-origin', 200],
      ['none', 200],
    ] as const) {
      expect((await visitor.go(stack.url + list, { headers: { 'sec-fetch-site': site } })).status).toBe(status);
    }
  });

  it('opens its page for a link of another site', async () => {
    const visitor = await signedIn();
    const sameSite = { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'navigate' };
    expect((await visitor.go(`${stack.url}/inbox/set-up`, { headers: sameSite })).status).toBe(200);
    // Browsers keep the cookie back then, until a page of ours leads on.
    const crossSite = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    const page = await new Visitor().go(`${stack.url}/inbox/set-up`, { headers: crossSite });
    expect([page.status, await page.text()]).toEqual([
      200,
      expect.stringContaining('<meta http-equiv="refresh" content="0; url=/inbox/set-up">'),
    ]);
  });

  it('is of its municipality and roles only', async () => {
    const other = await signedIn({ municipality: VESTERSUND });
    const { items } = (await (await other.go(stack.url + list)).json()) as { items: unknown[] };
    expect(items).toEqual([]);
    const reader = await signedIn({ roles: ['IndkomneDokumenter.Læs'] });
    expect((await reader.go(`${stack.url}/api/v1/municipality`)).status).toBe(403);
    expect((await reader.go(`${stack.url}/api/v1/quarantine`)).status).toBe(403);
    expect((await reader.go(`${stack.url}/ops`)).status).toBe(303);
  });

  it('is none of the operations pages under the name of theirs', async () => {
    const visitor = await signedIn({ roles: ['Indbakke.Drift'] });
    visitor.cookies.set('indbakke-operations', visitor.cookies.get('indbakke-inbox') ?? '');
    expect((await visitor.go(`${stack.url}/ops`)).status).toBe(303);
  });

  it('is none where an older release limited it by another name', async () => {
    const keys = await openKeyRing({ KEY_FILE: stack.env.KEY_FILE });
    const who = { municipality: ODENSKOV, kind: 'user', id: 'user-1', roles: ['IndkomneDokumenter.Læs'], teams: [] };
    for (const [value, status] of [
      [who, 200],
      [{ ...who, constraints: { kle: ['27.24'] } }, 401],
    ] as const) {
      const visitor = new Visitor();
      const sealed = JSON.stringify({ value, until: Date.now() + 60_000 });
      visitor.cookies.set('indbakke-inbox', sealText(keys, 'cookie indbakke-inbox', sealed));
      expect((await visitor.go(stack.url + list)).status).toBe(status);
    }
  });

  it('ends with its token', async () => {
    const visitor = await signedIn({ hours: 1 });
    const [line = ''] = visitor.setCookies.filter((each) => each.startsWith('indbakke-inbox='));
    expect(line).toMatch(/Path=\/; Expires=[^;]+; HttpOnly; SameSite=Strict$/);
    const hours = (Date.parse(/Expires=([^;]+)/.exec(line)?.[1] ?? '') - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(0.9);
    expect(hours).toBeLessThanOrEqual(1);
  });

  it('is not taken when it was changed', async () => {
    const visitor = await signedIn();
    const sealed = visitor.cookies.get('indbakke-inbox') ?? '';
    visitor.cookies.set('indbakke-inbox', `${sealed.slice(0, -2)}${sealed.endsWith('AA') ? 'BB' : 'AA'}`);
    expect((await visitor.go(stack.url + list)).status).toBe(401);
  });

  it('is not taken when its time is over, whatever the browser still sends', async () => {
    const visitor = await signedIn({ hours: 1 });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_001 });
    try {
      expect((await visitor.go(stack.url + list)).status).toBe(401);
      expect((await visitor.go(`${stack.url}/inbox`)).status).toBe(303);
    } finally {
      vi.useRealTimers();
    }
  });

  it('does as a system for somebody what the token did for them', async () => {
    const visitor = await signedIn({
      system: true,
      user: 'core-1',
      onBehalfOf: 'sagsbehandler-9',
      roles: ['IndkomneDokumenter.Læs'],
    });
    expect((await visitor.go(stack.url + list)).status).toBe(200);
    const [audit] = await stack.sql(`SELECT actor, on_behalf_of FROM audit_events ORDER BY at DESC, id DESC LIMIT 1`);
    expect(audit).toEqual({ actor: 'core-1', on_behalf_of: 'sagsbehandler-9' });
  });

  it('is refused in a sentence when it holds more than a browser keeps', async () => {
    const visitor = new Visitor();
    const teams = Array.from({ length: 100 }, (_, at) => `team-${at}-${'x'.repeat(40)}`);
    const answer = await visitor.post(`${stack.url}/inbox/sign-in`, { token: await stack.token({ teams }) });
    expect(answer.status).toBe(413);
    expect(await answer.text()).toContain('du har flere roller, teams og dataafgrænsninger, end en browser kan huske');
    expect(visitor.cookies.size).toBe(0);
    const fewer = teams.slice(0, 40);
    expect(
      await visitor.post(`${stack.url}/inbox/sign-in`, { token: await stack.token({ teams: fewer }) }),
    ).toMatchObject({
      status: 200,
    });
    const kept = visitor.cookies.get('indbakke-inbox') ?? '';
    expect('indbakke-inbox'.length + kept.length).toBeLessThanOrEqual(4_096);
    expect((await visitor.go(`${stack.url}${list}`)).status).toBe(200);
  });

  it('gives way to a token', async () => {
    const visitor = await signedIn();
    for (const authorization of ['Bearer not.a.token', 'Bearer two words', 'Bearer', 'Basic eDp5', '']) {
      expect((await visitor.go(stack.url + list, { headers: { authorization } })).status).toBe(401);
    }
  });
});

describe('on a local stack', () => {
  it('the link signs in once, and who came by it may be anybody', async () => {
    const visitor = new Visitor();
    const url = `${stack.url}/inbox/sign-in/once?secret=`;
    expect((await visitor.go(`${url}x`)).status).toBe(401);
    const stranger = new Visitor();
    const choose = { municipality: ODENSKOV, id: 'sagsbehandler-1' };
    expect((await stranger.post(`${stack.url}/inbox/sign-in/as`, choose)).status).toBe(401);
    // A proxy on this machine brings callers from elsewhere.
    for (const name of ['x-forwarded-for', 'x-forwarded-host', 'forwarded', 'via', 'x-real-ip', 'cf-connecting-ip']) {
      expect((await visitor.go(url + link.secret, { headers: { [name]: 'for=203.0.113.9' } })).status).not.toBe(200);
    }
    expect((await visitor.go(url + link.secret)).status).toBe(200);
    expect((await new Visitor().go(url + link.secret)).status).toBe(401);
    expect(await (await visitor.go(`${stack.url}/inbox/sign-in`)).text()).toContain('sagsbehandler-1');
    expect((await visitor.post(`${stack.url}/inbox/sign-in/as`, choose)).status).toBe(303);
    expect(await (await visitor.go(`${stack.url}/inbox`)).text()).toContain(
      '&quot;id&quot;:&quot;sagsbehandler-1&quot;',
    );
    expect(await (await visitor.go(`${stack.url}/inbox`)).text()).toContain('&quot;isLocal&quot;:true');
    expect(await (await (await signedIn()).go(`${stack.url}/inbox`)).text()).toContain('&quot;isLocal&quot;:false');
    const nobody = { municipality: '00000000', id: 'sagsbehandler-1' };
    expect((await visitor.post(`${stack.url}/inbox/sign-in/as`, nobody)).status).toBe(401);
  });
});

describe('with an issuer', () => {
  let server: Server;
  let other: TestStack;
  const teams = ['team-1', 'team-børn'];
  const roles = ['IndkomneDokumenter.Læs', 'IndkomneDokumenter.SeAlle'];
  const accounts: Record<string, Record<string, unknown>> = {
    'sagsbehandler-1': { municipality: ODENSKOV, roles, teams },
    'of-no-municipality': { roles, teams },
    'in-many-teams': {
      municipality: ODENSKOV,
      roles,
      teams: Array.from({ length: 100 }, (_, at) => `team-${at}-${'x'.repeat(40)}`),
    },
  };

  beforeAll(async () => {
    server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    other = await startTestStack({
      INBOX_PAGE: 'on',
      INBOX_OIDC_ISSUER: issuer,
      INBOX_OIDC_CLIENT_ID: 'indbakke',
      INBOX_OIDC_CLIENT_SECRET: 'a-secret-of-the-test',
    });
    const provider = new Provider(issuer, {
      clients: [
        {
          client_id: 'indbakke',
          client_secret: 'a-secret-of-the-test',
          redirect_uris: [`${other.url}/inbox/sign-in/callback`],
        },
      ],
      claims: { openid: ['sub', 'roles', 'municipality', 'teams'] },
      conformIdTokenClaims: false,
      cookies: { keys: [randomUUID()] },
      findAccount: (_: unknown, id: string) => ({ accountId: id, claims: async () => ({ sub: id, ...accounts[id] }) }),
    });
    server.on('request', provider.callback());
  });

  afterAll(async () => {
    await other.close();
    server.close();
  });

  const wayBack = (visitor: Visitor, login: string) =>
    wayOverIssuer(
      visitor,
      `${other.url}/inbox/sign-in/start?to=/inbox/set-up`,
      `${other.url}/inbox/sign-in/callback`,
      login,
    );

  it('one signs in there, with PKCE, and has the municipality, roles and teams of the id token', async () => {
    const visitor = new Visitor();
    expect(await (await visitor.go(`${other.url}/inbox/sign-in`)).text()).toContain('/inbox/sign-in/start?to=%2Finbox');
    const start = await visitor.go(`${other.url}/inbox/sign-in/start`);
    expect(start.headers.get('location')).toMatch(/code_challenge=[\w-]{43}&code_challenge_method=S256/);
    const back = await visitor.go(await wayBack(visitor, 'sagsbehandler-1'));
    expect(await back.text()).toContain('url=/inbox/set-up');
    const page = await (await visitor.go(`${other.url}/inbox`)).text();
    const [, session = ''] = /data-session="([^"]*)"/.exec(page) ?? [];
    expect(JSON.parse(session.replaceAll('&quot;', '"'))).toEqual({
      municipality: ODENSKOV,
      id: 'sagsbehandler-1',
      roles,
      teams,
      isLocal: false,
    });
    expect((await visitor.go(other.url + list)).status).toBe(200);
    expect((await visitor.go(`${other.url}/api/v1/municipality`)).status).toBe(403);
  });

  it('who has no municipality does not get in, and is told so', async () => {
    const visitor = new Visitor();
    const response = await visitor.go(await wayBack(visitor, 'of-no-municipality'));
    expect(response.status).toBe(401);
    expect(await response.text()).toContain('Du blev ikke logget ind');
    expect(visitor.cookies.has('indbakke-inbox')).toBe(false);
  });

  it('who is in more teams than a browser keeps is told so', async () => {
    const visitor = new Visitor();
    const response = await visitor.go(await wayBack(visitor, 'in-many-teams'));
    expect(response.status).toBe(413);
    expect(await response.text()).toContain('end en browser kan huske');
    expect(visitor.cookies.has('indbakke-inbox')).toBe(false);
  });

  it('nobody gets in with a token pasted, nor by a way back that another browser began', async () => {
    const token = await other.token();
    expect((await new Visitor().post(`${other.url}/inbox/sign-in`, { token })).status).toBe(405);
    const url = await wayBack(new Visitor(), 'sagsbehandler-1');
    expect((await new Visitor().go(url)).status).toBe(401);
  });
});
