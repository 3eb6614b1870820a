import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { json, text } from 'node:stream/consumers';
import { makeOneTimeSecret } from '@indbakke/shared/sign-in';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ODENSKOV, startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { Visitor } from '../../../infra/test/support/visitor.js';
import { signToken } from '../access/sign.js';

// Failed sign-ins and limits of callers, over HTTP. Each test comes from addresses, and as callers, of its own.

let stack: TestStack;
const link = makeOneTimeSecret();

beforeAll(async () => {
  stack = await startTestStack(
    {
      SIGN_IN_FAILURES_PER_MINUTE: '2',
      REQUESTS_PER_MINUTE: '3',
      SYSTEM_REQUESTS_PER_MINUTE: '4',
      TRUSTED_PROXIES: '127.0.0.99',
    },
    { operations: link },
  );
});
afterAll(() => stack.close());

interface Asked {
  readonly token?: string;
  /** Address that the call comes from: any of 127.0.0.0/8. */
  readonly from?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
}

const LIST = '/api/v1/incoming-documents';

async function ask({ token, from = '127.0.0.1', path = LIST, headers = {} }: Asked): Promise<IncomingMessage> {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const asking = request(stack.url + path, { localAddress: from, headers: { ...authorization, ...headers } }).end();
  const [answer] = (await once(asking, 'response')) as [IncomingMessage];
  return answer;
}

async function statusOf(asked: Asked): Promise<number> {
  const answer = await ask(asked);
  answer.resume();
  return Number(answer.statusCode);
}

async function statusesOf(times: number, asked: Asked): Promise<number[]> {
  const statuses: number[] = [];
  for (let time = 0; time < times; time += 1) statuses.push(await statusOf(asked));
  return statuses;
}

async function counted(series: string): Promise<number> {
  const metrics = await (await fetch(`${stack.url}/metrics`)).text();
  const line = metrics.split('\n').find((each) => each.startsWith(`${series} `));
  return Number(line?.split(' ')[1]);
}

describe('an address that fails to sign in too often', () => {
  it('is told when to go on, in place of 401, and is counted', async () => {
    const from = '127.0.0.2';
    const before = await counted('indbakke_slowed_sign_ins_total');
    expect(await statusesOf(2, { from, token: 'x.y.z' })).toEqual([401, 401]);

    const answer = await ask({ from, token: 'x.y.z' });

    expect(answer.statusCode).toBe(429);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(28);
    expect(Number(answer.headers['retry-after'])).toBeLessThanOrEqual(30);
    expect(await json(answer)).toMatchObject({
      code: 'too-many-failed-sign-ins',
      detail: expect.stringMatching(/^The token was not signed by the issuer .* a valid token is still taken/),
    });
    expect(await counted('indbakke_slowed_sign_ins_total')).toBe(before + 1);
  });

  it('still gets in with a valid token, and with one that is used for the first time', async () => {
    const from = '127.0.0.3';
    const [known, fresh] = [await stack.token({ user: 'known' }), await stack.token({ user: 'fresh' })];
    expect(await statusOf({ from, token: known })).toBe(200);
    expect(await statusesOf(3, { from, token: 'x.y.z' })).toEqual([401, 401, 429]);
    expect([await statusOf({ from, token: known }), await statusOf({ from, token: fresh })]).toEqual([200, 200]);
  });

  it('hears 401 as ever where the token has expired, or none was sent, so that its programs sign in again', async () => {
    const from = '127.0.0.4';
    const claims = { sub: 'caseworker-1', municipality: ODENSKOV, roles: ['IndkomneDokumenter.Læs'] };
    const token = await signToken(stack.env, claims, { expires: '-1h' });
    const before = await counted('indbakke_not_signed_in_total{fault="expired"}');
    expect(await statusesOf(3, { from, token })).toEqual([401, 401, 401]);
    expect(await Promise.all([statusOf({ from }), statusOf({ from, token: 'x.y.z' })])).toEqual([401, 429]);
    expect(await counted('indbakke_not_signed_in_total{fault="expired"}')).toBe(before + 3);
  });

  it('does not stand in the way of others', async () => {
    expect(await statusesOf(3, { from: '127.0.0.5', token: 'x.y.z' })).toEqual([401, 401, 429]);
    expect(await statusOf({ from: '127.0.0.6', token: 'x.y.z' })).toBe(401);
  });

  it('is the same one whatever X-Forwarded-For it writes itself', async () => {
    const statuses = [];
    for (const address of ['203.0.113.1', '203.0.113.2', '203.0.113.3']) {
      const headers = { 'x-forwarded-for': address };
      statuses.push(await statusOf({ from: '127.0.0.7', token: 'x.y.z', headers }));
    }
    expect(statuses).toEqual([401, 401, 429]);
  });

  it('is the one that a trusted proxy tells, an IPv6 address with all of its /64', async () => {
    const through = (address: string) =>
      statusOf({ from: '127.0.0.99', token: 'x.y.z', headers: { 'x-forwarded-for': address } });
    const addresses = ['2001:db8::1', '2001:db8::2:0:0:3', '2001:db8::4', '2001:db8:0:1::1', '203.0.113.4'];
    const statuses = [];
    for (const address of addresses) statuses.push(await through(address));
    expect(statuses).toEqual([401, 401, 429, 401, 401]);
  });

  it('is slowed on all ways in: the API, the pages of operations, their sign-in and a link that is not right', async () => {
    const from = '127.0.0.8';
    const before = await counted('indbakke_not_signed_in_total{fault="refused"}');
    expect(await statusOf({ from, path: '/ops/sign-in/once?secret=wrong' })).toBe(401);
    expect(await statusOf({ from, path: '/ops/queues', token: 'x.y.z' })).toBe(401);
    const answer = await ask({ from, path: '/ops/sign-in/once?secret=wrong' });
    expect([answer.statusCode, Number(answer.headers['retry-after']) > 0]).toEqual([429, true]);
    expect(await text(answer)).toContain('Vent et øjeblik');
    expect(await counted('indbakke_not_signed_in_total{fault="refused"}')).toBe(before + 3);
  });

  it.each(['/ops', '/inbox'])(
    'is slowed at %s/sign-in, with what is no token and with a token of somebody else',
    async (base) => {
      const forwarded = { 'x-forwarded-for': base === '/ops' ? '203.0.113.8' : '203.0.113.9' };
      const token = base === '/ops' ? await stack.token() : await stack.token({ operator: true });
      const statuses = [];
      for (const each of [token, 'x', token]) {
        const body = new URLSearchParams({ token: each }).toString();
        const headers = { ...forwarded, origin: stack.url, 'content-type': 'application/x-www-form-urlencoded' };
        const asking = request(`${stack.url}${base}/sign-in`, { method: 'POST', localAddress: '127.0.0.99', headers });
        const [answer] = (await once(asking.end(body), 'response')) as [IncomingMessage];
        answer.resume();
        statuses.push(answer.statusCode);
      }
      expect(statuses).toEqual([base === '/ops' ? 403 : 401, 401, 429]);
    },
  );
});

describe('a caller that calls too often', () => {
  it('is told when to go on, nothing is changed, and it is counted', async () => {
    const as = { user: 'often' };
    const before = await counted('indbakke_too_many_requests_total{kind="user"}');
    for (let call = 0; call < 3; call += 1)
      expect((await stack.call('GET', '/incoming-documents', { as })).status).toBe(200);

    const answer = await stack.call('PUT', '/absences/often', { as, body: {} });

    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(18);
    expect(await answer.json()).toMatchObject({
      code: 'too-many-requests',
      detail: 'The caller may make 3 requests in a minute. Go on as Retry-After says.',
    });
    expect(await counted('indbakke_too_many_requests_total{kind="user"}')).toBe(before + 1);
  });

  it('is one with all its tokens and its session, and no other one', async () => {
    const visitor = new Visitor();
    await visitor.post(`${stack.url}/inbox/sign-in`, { token: await stack.token({ user: 'same', hours: 1 }) });
    const bySession = async () => (await visitor.go(stack.url + LIST)).status;
    const byToken = async (as: object) => statusOf({ token: await stack.token({ user: 'same', ...as }) });
    expect([await bySession(), await byToken({ hours: 1 }), await byToken({ hours: 2 })]).toEqual([200, 200, 200]);
    expect([await bySession(), await byToken({ hours: 3 })]).toEqual([429, 429]);
    expect(await byToken({ user: 'other' })).toBe(200);
    expect(await byToken({ municipality: '33333333' })).toBe(200);
  });

  it('is a system for each one that it acts for, under a limit of its own', async () => {
    const core = async (on_behalf_of?: string) => {
      const claims = { sub: 'core', system: true, roles: ['Indbakke.System'], municipality: ODENSKOV, on_behalf_of };
      return { token: await signToken(stack.env, claims), path: '/api/v1/events?limit=1' };
    };
    expect(await statusesOf(5, await core())).toEqual([200, 200, 200, 200, 429]);
    expect(await statusOf(await core('caseworker-1'))).toBe(200);
  });

  it('may be an operator', async () => {
    const token = await stack.operatorsToken({ user: 'busy' });
    expect(await statusesOf(4, { token, path: '/ops' })).toEqual([200, 200, 200, 429]);
  });
});
