import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { deliverReply, expectProblem } from '../inbox/support.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});

afterAll(() => stack.close());

const DRIFT = { user: 'operator', roles: ['Indbakke.Drift'] };

const get = (path = '', authorization?: string, method = 'GET') =>
  fetch(`${stack.url}/ops/queues${path}`, {
    method,
    ...(authorization !== undefined && { headers: { authorization } }),
  });

const bearer = async () => `Bearer ${await stack.token(DRIFT)}`;
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

  it('is closed to other roles', async () => {
    await expectProblem(await get('', `Bearer ${await stack.token()}`), 403, 'role-missing');
    await expectProblem(
      await get('', basic('x', await stack.token({ roles: ['Indbakke.System'] }))),
      403,
      'role-missing',
    );
  });

  it('guards everything below it, even what does not exist', async () => {
    for (const path of ['/', '/api/queues', '/static/main.js', '/nonsense', '/api/queues/suggest-case/1/retry']) {
      expect((await get(path)).status).toBe(401);
    }
  });

  it('opens to Indbakke.Drift with a bearer token, or with it as the password of any user', async () => {
    const token = await stack.token(DRIFT);
    for (const authorization of [`Bearer ${token}`, `bearer ${token}`, basic('anyone', token), basic('', token)]) {
      const response = await get('', authorization);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toMatch(/^text\/html/);
      expect(response.headers.get('cache-control')).toBe('no-store');
    }
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
