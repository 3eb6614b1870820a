import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { INSTALLATION } from '@indbakke/shared/audit';
import { LOCAL_ISSUER } from '@indbakke/shared/config';
import { createLog } from '@indbakke/shared/log';
import { openQueues, QUEUE_NAMES, type Queues } from '@indbakke/shared/queue';
import type { Queue } from 'bullmq';
import { exportJWK, generateKeyPair } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { QUEUE_PLACES, serversOf } from '../../../infra/src/testkit/queue-places.js';
import type { QueuePlace } from '../../../infra/src/testkit/redis.js';
import { CASEWORKER_ROLES, ODENSKOV, startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { type Claims, type Signing, signToken } from '../../../shared/test/access/sign.js';
import { deliverReply, expectProblem } from '../../../shared/test/inbox/support.js';

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
const basic = (password: string) => `Basic ${Buffer.from(`:${password}`).toString('base64')}`;

describe('/ops/queues', () => {
  it.each([
    ['nothing', undefined],
    ['a password', basic('secret')],
    ['a token as a password, which a browser would send from any page', 'token'],
    ['an invalid token', 'Bearer x.y.z'],
  ])('is closed to a program that sends %s', async (_name, authorization) => {
    const sent = authorization === 'token' ? basic(await stack.operatorsToken()) : authorization;
    const response = await get('', sent);
    await expectProblem(response, 401, 'not-signed-in');
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
  });

  it('sends a browser to sign in, and back afterwards', async () => {
    const headers = { accept: 'text/html,*/*' };
    const response = await fetch(`${stack.url}/ops/queues/queue/make-zip?status=failed`, {
      headers,
      redirect: 'manual',
    });
    expect([response.status, response.headers.get('location')]).toEqual([
      303,
      '/ops/sign-in?to=%2Fops%2Fqueues%2Fqueue%2Fmake-zip%3Fstatus%3Dfailed',
    ]);
  });

  it('counts calls without a valid token', async () => {
    const count = async () => {
      const metrics = await (await fetch(`${stack.url}/metrics`)).text();
      return Number(/^indbakke_not_signed_in_total{fault="refused"} (\d+)/m.exec(metrics)?.[1]);
    };
    const before = await count();
    await get('', 'Bearer x.y.z');
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
      for (const path of ['', '/api/queues', '/static/favicon.ico']) {
        const { detail } = await expectProblem(await get(path, `Bearer ${token}`), 403, 'role-missing');
        expect(detail).toMatch(/token for operations.*Indbakke\.Drift.*no municipality/);
      }
    }
  });

  it('that are refused to somebody of a municipality are in its audit log', async () => {
    const user = randomUUID();
    await get('', `Bearer ${await stack.token({ user, ...DRIFT })}`);
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

  it('opens to a program with a bearer token', async () => {
    const token = await stack.operatorsToken();
    for (const authorization of [`Bearer ${token}`, `bearer ${token}`]) {
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
    expect(queues).not.toMatch(/4101019999|Testesen/);
  });

  it('shows every queue there is', async () => {
    const { queues } = (await (await get('/api/queues', await bearer())).json()) as { queues: { name: string }[] };
    expect(queues.map(({ name }) => name)).toEqual([...QUEUE_NAMES]);
  });

  it('changes nothing but by retrying, promoting and removing', async () => {
    const id = await deliverReply(stack, [{ messageUUID: randomUUID(), replyUUID: randomUUID() }]);
    const job = `${id}-1`;
    const calls: [string, string][] = [
      ['PUT', `/api/queues/suggest-case/clean/completed`],
      ['PUT', `/api/queues/suggest-case/retry/completed`],
      ['PUT', '/api/queues/suggest-case/promote'],
      ['PUT', '/api/queues/suggest-case/pause'],
      ['PUT', '/api/queues/suggest-case/concurrency'],
      ['PUT', '/api/queues/suggest-case/empty'],
      ['PUT', '/api/queues/suggest-case/obliterate'],
      ['PUT', '/api/queues/pause'],
      ['PUT', `/api/queues/nonsense/${job}/clean`],
      ['POST', '/api/queues/suggest-case/add'],
      ['PATCH', `/api/queues/suggest-case/${job}/update-data`],
      ['DELETE', `/api/queues/suggest-case/${job}`],
    ];
    for (const [method, path] of calls) expect((await get(path, await bearer(), method)).status).toBe(405);
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
  const ISSUER = 'http://127.0.0.1/operations';

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

const HERE = QUEUE_PLACES.filter(([, isHere]) => isHere);
describe.each(HERE.slice(0, 1))('jobs on %s', actOnJobs);
describe.each(HERE.slice(1))('jobs on %s', { tags: 'long' }, actOnJobs);

function actOnJobs(_place: string, _isHere: boolean, start: () => Promise<QueuePlace>): void {
  let own: TestStack;
  let place: QueuePlace;
  let queues: Queues;
  let operator: string;

  beforeAll(async () => {
    place = await start();
    own = await startTestStack(place.env);
    queues = openQueues({ ...(await serversOf(own.env)), log: createLog('test', 'silent') });
    operator = `Bearer ${await own.operatorsToken()}`;
  });

  afterAll(async () => {
    await queues.close();
    await own.close();
    await place.close();
  });

  const queueOf = (name: string) => queues.all().find((queue) => queue.name === name) as Queue;
  const change = (path: string) =>
    fetch(`${own.url}/ops/queues/api/queues/${path}`, { method: 'PUT', headers: { authorization: operator } });
  const audited = () =>
    own.sql(`SELECT municipality, actor, role, action, details FROM audit_events WHERE action LIKE 'job%' ORDER BY at`);
  /** Given up at once, for its data is invalid. */
  const failing = async (): Promise<string> => {
    const jobId = `job-${randomUUID()}`;
    await queueOf('make-zip').add('make-zip', {}, { jobId });
    await expect.poll(async () => (await queueOf('make-zip').getJob(jobId))?.failedReason).toBe('job-data');
    return jobId;
  };

  it('that are not there, or not in a state for it, are not changed, and nothing is in the audit log', async () => {
    const delayed = `job-${randomUUID()}`;
    await queueOf('make-zip').add('make-zip', {}, { jobId: delayed, delay: 3_600_000 });
    const failed = await failing();
    const none = `job-${randomUUID()}`;
    const calls = [`${none}/retry`, `${none}/promote`, `${none}/clean`, `${delayed}/retry`, `${failed}/promote`];
    for (const path of calls) expect((await change(`make-zip/${path}`)).status).toBe(404);
    expect(await audited()).toEqual([]);
    for (const id of [delayed, failed]) await (await queueOf('make-zip').getJob(id))?.remove();
  });

  it('are retried, promoted and removed by an operator, which is in the audit log', async () => {
    const [failed, delayed] = [await failing(), `job-${randomUUID()}`];
    await queueOf('make-zip').add('make-zip', {}, { jobId: delayed, delay: 3_600_000 });
    const attempts = async (id: string) => (await queueOf('make-zip').getJob(id))?.attemptsStarted;
    const before = (await attempts(failed)) ?? 0;
    expect((await change(`make-zip/${failed}/retry`)).status).toBe(204);
    await expect.poll(() => attempts(failed)).toBeGreaterThan(before);
    expect((await change(`make-zip/${delayed}/promote`)).status).toBe(204);
    await expect.poll(async () => (await queueOf('make-zip').getJob(delayed))?.failedReason).toBe('job-data');
    expect((await change(`make-zip/${delayed}/clean`)).status).toBe(204);
    expect(await queueOf('make-zip').getJob(delayed)).toBeUndefined();
    expect((await change('make-zip/retry/failed')).status).toBe(200);
    const by = { municipality: INSTALLATION, actor: 'operator-1', role: 'Indbakke.Drift' };
    expect(await audited()).toEqual([
      { ...by, action: 'job-retried', details: { queue: 'make-zip', jobId: failed } },
      { ...by, action: 'job-promoted', details: { queue: 'make-zip', jobId: delayed } },
      { ...by, action: 'job-removed', details: { queue: 'make-zip', jobId: delayed } },
      { ...by, action: 'jobs-retried', details: { queue: 'make-zip' } },
    ]);
  });
}
