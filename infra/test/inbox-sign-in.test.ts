import { makeOneTimeSecret } from '@indbakke/shared/sign-in';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ODENSKOV, startTestStack, type TestStack, VESTERSUND } from '../src/testkit/stack.js';
import { writeMemo } from '../src/testkit/write-memo.js';
import { Visitor } from './support/visitor.js';

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
    expect(policy).not.toContain('unsafe');
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
    const other = await startTestStack({ INBOX_PAGE: 'off' });
    try {
      expect((await fetch(`${other.url}/inbox`, { redirect: 'manual' })).status).toBe(404);
      const visitor = await signedIn();
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

  it('is of its municipality and roles only', async () => {
    const other = await signedIn({ municipality: VESTERSUND });
    const { items } = (await (await other.go(stack.url + list)).json()) as { items: unknown[] };
    expect(items).toEqual([]);
    const reader = await signedIn({ roles: ['IndkomneDokumenter.Læs'] });
    expect((await reader.go(`${stack.url}/api/v1/municipality`)).status).toBe(403);
    expect((await reader.go(`${stack.url}/api/v1/quarantine`)).status).toBe(403);
    expect((await reader.go(`${stack.url}/ops`)).status).toBe(303);
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

  it('gives way to a token', async () => {
    const visitor = await signedIn();
    const headers = { authorization: 'Bearer not.a.token' };
    expect((await visitor.go(stack.url + list, { headers })).status).toBe(401);
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
    expect((await visitor.go(url + link.secret)).status).toBe(200);
    expect((await new Visitor().go(url + link.secret)).status).toBe(401);
    expect(await (await visitor.go(`${stack.url}/inbox/sign-in`)).text()).toContain('sagsbehandler-1');
    expect((await visitor.post(`${stack.url}/inbox/sign-in/as`, choose)).status).toBe(303);
    expect(await (await visitor.go(`${stack.url}/inbox`)).text()).toContain(
      '&quot;id&quot;:&quot;sagsbehandler-1&quot;',
    );
    const nobody = { municipality: '00000000', id: 'sagsbehandler-1' };
    expect((await visitor.post(`${stack.url}/inbox/sign-in/as`, nobody)).status).toBe(401);
  });
});
