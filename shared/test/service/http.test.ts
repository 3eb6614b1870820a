import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { auditOf, deliverMemo, expectProblem, SYSTEM } from '../inbox/support.js';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
});

afterAll(() => stack.close());

/** Registers a case with any body, as the core. */
async function putCase(body: string | Buffer, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${stack.url}/api/v1/cases/K-1`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${await stack.token(SYSTEM)}`, 'content-type': 'application/json', ...headers },
    body,
  });
}

describe('a body', () => {
  it.each(['', '{', '{"status":}', '"open"', 'null', '[1', '{"a":1}x'])(
    'that is not a JSON object is refused: %j',
    async (body) => {
      // An empty one equals {}: every field of a case has a default.
      if (body === '') expect((await putCase(body)).status).toBe(204);
      else await expectProblem(await putCase(body), 400, 'bad-request');
    },
  );

  it('that is a list is refused', async () => {
    await expectProblem(await putCase('[]'), 400, 'bad-request');
  });

  it('over 1 MiB is refused', async () => {
    const body = JSON.stringify({ caseworker: 'x'.repeat(1_100_000) });
    const problem = await expectProblem(await putCase(body), 413, 'too-large');
    expect(problem.detail).toContain('1 MiB');
  });

  it('that is compressed is refused', async () => {
    const response = await putCase(gzipSync('{}'), { 'content-encoding': 'gzip' });
    await expectProblem(response, 415, 'unsupported-media-type');
  });

  it.each(['text/plain', 'application/xml', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])(
    'of another type is refused: %s',
    async (type) => {
      await expectProblem(await putCase('{"status":"open"}', { 'content-type': type }), 415, 'unsupported-media-type');
    },
  );

  it('in another charset is refused', async () => {
    const response = await putCase('{}', { 'content-type': 'application/json; charset=latin1' });
    await expectProblem(response, 415, 'unsupported-media-type');
  });

  it('may declare UTF-8 and begin with white space', async () => {
    expect(
      (await putCase(' \n{"caseworker":"æøå"}', { 'content-type': 'application/json; charset=utf-8' })).status,
    ).toBe(204);
  });

  it('cannot pollute prototypes', async () => {
    expect((await putCase('{"__proto__":{"status":"closed"},"constructor":{"prototype":{"x":1}}}')).status).toBe(204);
    expect(({} as Record<string, unknown>).status).toBeUndefined();
    expect(await stack.sql(`SELECT status FROM cases WHERE case_id = 'K-1'`)).toEqual([{ status: 'open' }]);
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
  it.each(['/', '/api', '/api/v1', '/api/v2/incoming-documents', '/api/v1/nonsense', '/sf1606', '/ops', '/robots.txt'])(
    'without a route is a problem: %s',
    async (path) => {
      const problem = await expectProblem(await fetch(`${stack.url}${path}`), 404, 'not-found');
      expect(problem.detail).toContain('/api/v1/docs');
    },
  );

  /** Without fetch, which normalises paths. */
  const rawStatus = (path: string) =>
    new Promise<number>((resolve, reject) => {
      const { hostname, port } = new URL(stack.url);
      request({ hostname, port, path, method: 'GET' }, (response) => {
        response.resume();
        resolve(response.statusCode as number);
      })
        .on('error', reject)
        .end();
    });

  it.each(['/api/v1/incoming-documents/%E0%A4%A', '/api/v1/cases/%', '/%c0%ae'])(
    'that is wrongly encoded is the caller’s fault: %s',
    async (path) => {
      expect(await rawStatus(path)).toBeOneOf([400, 404]);
    },
  );

  it.each(['/api/v1/../../etc/passwd', '//api/v1/incoming-documents', '/api/v1/incoming-documents/../../../healthz'])(
    'with .. finds nothing: %s',
    async (path) => {
      expect(await rawStatus(path)).toBe(404);
    },
  );

  it('with an invalid id is a bad request, and is not audited', async () => {
    const before = await auditOf(stack, { action: 'refused' });
    await expectProblem(await stack.call('GET', '/incoming-documents/x'), 400, 'bad-request');
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
    expect(await servers('')).toBeUndefined();
  });
});
