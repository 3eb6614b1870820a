import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkedFetch } from '../../../infra/src/testkit/checked-fetch.js';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { auditOf, deliverMemo, expectProblem, SYSTEM } from '../inbox/support.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});

afterAll(() => stack.close());

/** Without fetch, which normalises paths and sends no body with GET. */
function sendRaw(
  method: string,
  path: string,
  token?: string,
  body?: string,
): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(stack.url);
  const headers = {
    'if-match': '"1"',
    ...(token && { authorization: `Bearer ${token}` }),
    ...(body !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
  };
  return new Promise((resolve, reject) => {
    request({ hostname, port, path, method, headers }, async (response) => {
      resolve({ status: response.statusCode as number, text: await text(response) });
    })
      .on('error', reject)
      .end(body);
  });
}

/** Registers a case with any body, as the core. */
async function putCase(
  body: string | Buffer | undefined,
  headers: Record<string, string> = { 'content-type': 'application/json' },
): Promise<Response> {
  return checkedFetch(`${stack.url}/api/v1/cases/K-1`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${await stack.token(SYSTEM)}`, ...headers },
    ...(body !== undefined && { body }),
  });
}

const json = (parameters: string) => ({ 'content-type': `application/json${parameters}` });

describe('a body', () => {
  it.each([
    '',
    ' ',
    '{',
    '{"status":}',
    '"open"',
    '7',
    'true',
    'null',
    '[]',
    '[{"status":"open"}]',
    '[1',
    '{"status":"open"}x',
    '{"status":"open"}{}',
    '{"status":"open",}',
    '{"status":"open"} // as before',
    "{'status':'open'}",
    `{"status":"open","note":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
  ])('that is not a JSON object of the call is refused: %.40j', async (body) => {
    expect((await expectProblem(await putCase(body), 400, 'bad-request')).path).toMatch(/^body/);
  });

  it('that is required is missed, with and without a Content-Type', async () => {
    for (const headers of [undefined, {}]) {
      const problem = await expectProblem(await putCase(undefined, headers), 400, 'bad-request');
      expect(problem).toMatchObject({ path: 'body', detail: 'The call requires a body, as JSON.' });
    }
  });

  it.each([
    ['{"status":"open","status":"closed"}', 'body'],
    [String.raw`{"status":"open","stat\u0075s":"closed"}`, 'body'],
    ['{"note":{"a":1,"b":{"a":2,"a":3}}}', 'body'],
    ['{"__proto__":{"status":"closed"}}', 'body.__proto__'],
    ['{"constructor":{"prototype":{"status":"closed"}}}', 'body.constructor'],
    ['{"caseWorker":"x"}', 'body.caseWorker'],
    ['{"Status":"open"}', 'body.Status'],
    ['{"case-worker":"x"}', 'body.case-worker'],
    ['{"party2":"x"}', 'body.party2'],
    ['{"cpr-4101":"x"}', 'body'],
    ['{"status ":"open"}', 'body'],
    ['{"":"open"}', 'body'],
    ['{"cpr4101019999":"open"}', 'body'],
    [`{"${'x'.repeat(41)}":1}`, 'body'],
  ])('with a field twice, or an unknown one, is refused: %s', async (body, path) => {
    const problem = await expectProblem(await putCase(body), 400, 'bad-request');
    expect(problem.path).toBe(path);
    expect(JSON.stringify(problem)).not.toMatch(/4101019999|xxxx/);
  });

  it('may have one field in several objects, and texts that look like fields', async () => {
    const body = String.raw`{"caseworker":"\"status\":1,{\"status\":2}","parties":[]}`;
    expect((await putCase(body)).status).toBe(204);
  });

  it('with many faults gets the first 20, and how many more there are', async () => {
    const faulty = JSON.stringify({ status: 'x', parties: Array(150).fill('x') });
    const { detail } = await expectProblem(await putCase(faulty), 400, 'bad-request');
    expect(detail.match(/body\.parties\.\d+/g)).toHaveLength(19);
    expect(detail).toMatch(/; and 131 more\.$/);
    const unknown = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, n) => [`f${'o'.repeat(n % 30)}_`.padEnd(32, 'x') + n, 1]),
    );
    const problem = await expectProblem(await putCase(JSON.stringify(unknown)), 400, 'bad-request');
    expect(problem.detail).toMatch(/; and 9980 more\.$/);
  });

  it.each([
    ['{"reason":"other"}', 400, 'body.reason'],
    ['[]', 400, 'body'],
    ['null', 400, 'body'],
    ['x', 400, 'body'],
    ['{}', 404, undefined],
    ['', 404, undefined],
  ])('of a call that takes none may only be empty: %s', async (body, status, path) => {
    for (const [method, call] of [
      ['GET', ''],
      ['DELETE', '/assignment'],
      ['POST', '/deletion/confirmation'],
    ] as const) {
      const answer = await sendRaw(
        method,
        `/api/v1/incoming-documents/${randomUUID()}${call}`,
        await stack.token(),
        body,
      );
      expect([answer.status, JSON.parse(answer.text).path]).toEqual([status, path]);
    }
  });

  it('over 1 MiB is refused', async () => {
    const body = JSON.stringify({ caseworker: 'x'.repeat(1_100_000) });
    const problem = await expectProblem(await putCase(body), 413, 'too-large');
    expect(problem.detail).toContain('1 MiB');
  });

  it('that is compressed is refused', async () => {
    const response = await putCase(gzipSync('{}'), { ...json(''), 'content-encoding': 'gzip' });
    await expectProblem(response, 415, 'unsupported-media-type');
  });

  it.each([
    'text/plain',
    'text/json',
    'application/problem+json',
    'application/merge-patch+json',
    'application/xml',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'json',
    '*/*',
  ])('of another type is refused: %s', async (type) => {
    await expectProblem(await putCase('{"status":"open"}', { 'content-type': type }), 415, 'unsupported-media-type');
  });

  it('without a type is refused', async () => {
    await expectProblem(await putCase(Buffer.from('{"status":"open"}'), {}), 415, 'unsupported-media-type');
  });

  it.each(['; charset=latin1', '; charset=utf-16', '; charset=utf-7', '; charset="iso-8859-1"'])(
    'in another charset is refused: %s',
    async (charset) => {
      await expectProblem(await putCase('{}', json(charset)), 415, 'unsupported-media-type');
    },
  );

  it('in ASCII is UTF-8, unless not all bytes are', async () => {
    expect((await putCase('{"caseworker":"a"}', json('; charset=us-ascii'))).status).toBe(204);
    const answer = await putCase('{"caseworker":"æ"}', json('; charset=us-ascii'));
    await expectProblem(answer, 415, 'unsupported-media-type');
  });

  it.each([
    '',
    '; charset=utf-8',
    ';charset="UTF-8"',
    "; charset='utf-8'",
    '; charset=',
    '; charset=utf8',
    '; version=1; charset=utf-8',
    '; profile="a; charset=latin1"',
  ])('may declare UTF-8, and begin with white space or a byte order mark: application/json%s', async (parameters) => {
    expect((await putCase(' \n{"caseworker":"æøå"}', json(parameters))).status).toBe(204);
    expect((await putCase('\ufeff{"caseworker":"æøå"}', json(parameters))).status).toBe(204);
    expect(await stack.sql(`SELECT caseworker FROM cases WHERE case_id = 'K-1'`)).toEqual([{ caseworker: 'æøå' }]);
  });

  it('that is not UTF-8 is refused', async () => {
    await expectProblem(await putCase(Buffer.from('{"caseworker":"æøå"}', 'latin1')), 400, 'bad-request');
    await expectProblem(await putCase(Buffer.from('{"status":"open"}', 'utf16le')), 400, 'bad-request');
  });

  it('is not quoted in the refusal', async () => {
    const problem = await expectProblem(await putCase('{"parties":["4101019999x"]}'), 400, 'bad-request');
    expect(JSON.stringify(problem)).not.toContain('4101019999');
    const broken = await expectProblem(await putCase('{"parties":["4101019999'), 400, 'bad-request');
    expect(JSON.stringify(broken)).not.toContain('4101019999');
  });
});

describe('an answer', () => {
  it('that is a problem has the form of RFC 9457, with a code of the table', async () => {
    const response = await stack.call('GET', `/incoming-documents/${randomUUID()}`);
    const problem = await expectProblem(response, 404, 'not-found');
    expect(problem).toEqual({
      type: 'urn:indbakke:error:not-found',
      title: 'There is no such resource, or the caller may not see it.',
      status: 404,
      detail: 'There is no such message, or the caller may not see it.',
      code: 'not-found',
      correlationId: response.headers.get('x-correlation-id'),
    });
  });

  it.each(['x-transaktionsid', 'x-correlation-id'])('carries the caller’s own %s', async (name) => {
    const id = randomUUID();
    const response = await fetch(`${stack.url}/healthz`, { headers: { [name]: id.toUpperCase() } });
    expect(response.headers.get('x-correlation-id')).toBe(id);
  });

  it.each(['', 'x', '4101019999', `${randomUUID()} x`])(
    'carries one of ours when the caller’s is not an id: %j',
    async (sent) => {
      const response = await fetch(`${stack.url}/healthz`, { headers: { 'x-correlation-id': sent } });
      expect(response.headers.get('x-correlation-id')).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      expect(response.headers.get('x-correlation-id')).not.toBe(sent);
    },
  );

  it('does not name its framework, and forbids guessing its type', async () => {
    const { headers } = await fetch(`${stack.url}/healthz`);
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });
});

describe('a path', () => {
  it.each([
    '/',
    '/api',
    '/api/v1',
    '/api/v2/incoming-documents',
    '/api/v1/nonsense',
    '/sf1606',
    '/ops/nonsense',
    '/robots.txt',
  ])('without a route is a problem: %s', async (path) => {
    const problem = await expectProblem(await fetch(`${stack.url}${path}`), 404, 'not-found');
    expect(problem.detail).toContain('/api/v1/docs');
  });

  const rawStatus = async (path: string) => (await sendRaw('GET', path)).status;

  it.each(['/api/v1/incoming-documents/%E0%A4%A', '/api/v1/cases/%', '/%c0%ae'])(
    'that is wrongly encoded is the caller’s fault: %s',
    async (path) => {
      expect(await rawStatus(path)).toBeOneOf([400, 404, 405]);
    },
  );

  it.each(['/api/v1/../../etc/passwd', '//api/v1/incoming-documents', '/api/v1/incoming-documents/../../../healthz'])(
    'with .. finds nothing: %s',
    async (path) => {
      expect(await rawStatus(path)).toBe(404);
    },
  );

  it.each([
    `incoming-documents/${randomUUID()}/history`,
    'incoming-documents/',
    'Incoming-Documents',
    `incoming-documents/${randomUUID()}/`,
    `incoming-documents//${randomUUID()}`,
    `incoming-documents/${randomUUID()}/Zip`,
  ])('that no call has is a problem, and is not audited: %s', async (path) => {
    const before = await auditOf(stack, { action: 'refused' });
    const problem = await expectProblem(await stack.call('GET', `/${path}`), 404, 'not-found');
    expect(problem.detail).toBe('There is no GET call at this path. See /api/v1/docs.');
    expect(await auditOf(stack, { action: 'refused' })).toEqual(before);
  });

  describe('answers HEAD like GET, without a body:', () => {
    // These differ from answer to answer, or with what fetch sends.
    const VARYING = ['connection', 'content-length', 'date', 'etag', 'keep-alive', 'x-correlation-id'];
    const answerTo = async (method: string, path: string) => {
      const authorization = `Bearer ${await stack.token()}`;
      const response = await fetch(`${stack.url}${path}`, { method, headers: { authorization } });
      const headers = [...response.headers].filter(([name]) => !VARYING.includes(name));
      return {
        status: response.status,
        headers,
        length: response.headers.has('content-length'),
        body: await response.text(),
      };
    };

    it.each([
      ['/healthz', 200],
      ['/readyz', 200],
      ['/metrics', 200],
      ['/api/v1/openapi.json', 200],
      ['/api/v1/docs', 200],
      ['/sf1606/soap?wsdl', 200],
      ['/api/v1/incoming-documents', 200],
      ['/api/v1/incoming-documents?limit=x', 400],
      [`/api/v1/incoming-documents/${randomUUID()}`, 404],
      ['/nothing', 404],
      ['/ops/queues', 403],
    ])('%s', async (path, status) => {
      const [get, head] = [await answerTo('GET', path), await answerTo('HEAD', path)];
      expect(head).toEqual({ ...get, body: '' });
      expect([head.status, head.length]).toEqual([status, true]);
    });

    it('a message', async () => {
      const path = `/api/v1/incoming-documents/${await deliverMemo(stack)}`;
      expect(await answerTo('HEAD', path)).toEqual({ ...(await answerTo('GET', path)), body: '' });
    });
  });

  it('of a message is never answered 304: its version is for changes only', async () => {
    const path = `/incoming-documents/${await deliverMemo(stack)}`;
    for (const tag of ['"1"', 'W/"1"', '*']) {
      const response = await stack.call('GET', path, { headers: { 'if-none-match': tag } });
      expect([response.status, response.headers.get('etag')]).toEqual([200, '"1"']);
    }
  });

  it.each(['W/"1"', '"1-gzip"', '"1;gzip"'])(
    'takes the version back as a compressing proxy sent it: %s',
    async (tag) => {
      const id = await deliverMemo(stack);
      const response = await stack.call('PUT', `/incoming-documents/${id}/assignment`, {
        headers: { 'if-match': tag },
        body: { assignee: { kind: 'user', id: 'caseworker-2' } },
      });
      expect(response.status).toBe(200);
    },
  );

  it('is described under the prefix that a proxy takes away', async () => {
    const servers = async (prefix: string) => {
      const response = await fetch(`${stack.url}/api/v1/openapi.json`, { headers: { 'x-forwarded-prefix': prefix } });
      return response.status === 200 ? ((await response.json()) as { servers?: object[] }).servers : response.status;
    };
    expect(await servers('/post/indbakke/')).toEqual([{ url: '/post/indbakke' }]);
    expect(await servers('//evil.example')).toBe(400);
    expect(await servers('')).toMatchObject([{ url: '/' }]);
  });

  it.each([
    ['POST', '/api/v1/incoming-documents', 'GET, HEAD'],
    ['PATCH', '/api/v1/cases/K-1', 'PUT'],
    ['GET', '/api/v1/cases/K-1', 'PUT'],
    ['HEAD', '/api/v1/cases/K-1', 'PUT'],
    ['GET', `/api/v1/incoming-documents/${randomUUID()}/rejection`, 'POST, DELETE'],
    ['GET', '/api/v1/incoming-documents/search', 'POST'],
    ['DELETE', '/api/v1/incoming-documents/summary', 'GET, HEAD'],
    ['POST', '/api/v1/openapi.json', 'GET, HEAD'],
    ['POST', '/api/v1/openapi-3.0.json', 'GET, HEAD'],
    ['DELETE', '/healthz', 'GET, HEAD'],
    ['GET', '/sf1606/PostModtag', 'POST'],
  ])('answers another method with those that it takes: %s %s', async (method, path, allowed) => {
    const response = await checkedFetch(`${stack.url}${path}`, { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, allowed]);
    if (method !== 'HEAD') await expectProblem(response, 405, 'method-not-allowed');
  });

  it('answers OPTIONS with its methods', async () => {
    const response = await fetch(`${stack.url}/api/v1/incoming-documents/${randomUUID()}/assignment`, {
      method: 'OPTIONS',
    });
    expect([response.status, response.headers.get('allow')]).toEqual([200, 'DELETE, PUT']);
  });
});
