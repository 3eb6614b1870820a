import express from 'express';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { Visitor } from '../../../infra/test/support/visitor.js';
import { deliveryHead, openConnection, type RawConnection } from '../../../services/receiver/test/support/raw-http.js';
import { OPERATIONS, type Operation } from '../../src/api/index.js';
import { KiB } from '../../src/config/index.js';
import { Problem } from '../../src/errors/index.js';
import { listen, readBytes } from '../../src/http/index.js';

// What somebody who has not signed in can make the services do.

let stack: TestStack;
let connection: RawConnection;

beforeAll(async () => {
  stack = await startTestStack({ REQUESTS_PER_MINUTE: '1' });
});
afterAll(() => stack.close());
afterEach(() => connection?.close());

const headOf = (line: string, ...headers: string[]) =>
  `${[`${line} HTTP/1.1`, 'Host: test', ...headers].join('\r\n')}\r\n\r\n`;

async function answerTo(bytes: string) {
  connection = await openConnection(stack.url);
  await connection.send(bytes);
  return connection.answer();
}

/** Status of the answer to a caller that waits to be asked for its body: 100 = it is. */
async function answerToOffer(line: string, ...headers: string[]): Promise<number> {
  const { status } = await answerTo(headOf(line, 'Content-Length: 10', 'Expect: 100-continue', ...headers));
  connection.close();
  return status;
}

const FORM = 'Content-Type: application/x-www-form-urlencoded';
const WRITES = Object.values<Operation>(OPERATIONS)
  .filter(({ method }) => method !== 'get')
  .map(({ method, path }) => `${method.toUpperCase()} ${path.replaceAll(/:\w+/g, 'x')}`);

describe('a stranger is not asked for the body of', () => {
  it('any call of the inbox API', async () => {
    expect(WRITES.length).toBeGreaterThan(30);
    const asked: string[] = [];
    for (const line of WRITES) if ((await answerToOffer(line)) !== 401) asked.push(line);
    expect(asked).toEqual([]);
  });

  it('any call with a token that is not right', async () => {
    expect(await answerToOffer('PUT /api/v1/cases/x', 'Authorization: Bearer x.y.z')).toBe(401);
    expect(await answerToOffer('PUT /api/v1/cases/x', `Authorization: Bearer ${await stack.token()}`)).toBe(100);
  });

  it.each(['/ops/held/release', '/ops/scrub/start', '/ops/queues/api/queues/make-zip/clean/failed'])(
    'the page %s',
    async (path) => {
      expect(await answerToOffer(`POST ${path}`, FORM)).toBe(401);
    },
  );

  it.each(['/ops/sign-in', '/ops/sign-out', '/inbox/sign-in', '/inbox/sign-out'])(
    'a form for %s that comes from no page of ours',
    async (path) => {
      expect(await answerToOffer(`POST ${path}`, FORM, 'Origin: https://evil.example')).toBe(400);
    },
  );

  it.each([
    ['/sf1606/PostModtag', 'application/xml', 403],
    ['/sf1606/soap', 'text/xml', 500],
  ])('a delivery to %s that it may not make', async (path, type, status) => {
    expect(await answerToOffer(`POST ${path}`, `Content-Type: ${type}`, 'Via: 1.1 proxy')).toBe(status);
    expect(await answerToOffer(`POST ${path}`, `Content-Type: ${type}`)).toBe(100);
  });
});

it('a caller over its limit is not asked for its body', async () => {
  const authorization = `Authorization: Bearer ${await stack.token({ user: 'often' })}`;
  expect(await answerToOffer('PUT /api/v1/absences/x', authorization)).toBe(100);
  expect(await answerToOffer('PUT /api/v1/absences/x', authorization)).toBe(429);
});

describe('an Authorization', () => {
  const withToken = (length: number) =>
    headOf('GET /api/v1/incoming-documents', `Authorization: Bearer ${'x'.repeat(length)}`);

  it('of 30 KiB is no token', async () => {
    expect((await answerTo(withToken(30 * KiB))).status).toBe(401);
  });

  it('of 40 KiB is not read', async () => {
    const { status, body } = await answerTo(withToken(40 * KiB));
    expect([status, body]).toEqual([431, 'The headers are over 32768 bytes, the limit.\n']);
  });

  it('of many parts is no token', async () => {
    const started = performance.now();
    expect((await answerTo(withToken(1).replace('Bearer x', `Bearer${' x'.repeat(15 * KiB)}`))).status).toBe(401);
    expect(performance.now() - started).toBeLessThan(500);
  });
});

describe('a body that never ends is answered, and its connection closed:', { tags: 'long' }, () => {
  it.each([
    ['of a call', headOf('POST /api/v1/incoming-documents/search', 'Transfer-Encoding: chunked'), 401],
    [
      'of a delivery',
      deliveryHead(['Content-Type: application/xml', 'Transfer-Encoding: chunked', 'Via: 1.1 proxy']),
      403,
    ],
  ])('%s', { timeout: 30_000 }, async (_what, head, status) => {
    connection = await openConnection(stack.url);
    await connection.send(head);
    let isOpen = true;
    const sending = (async () => {
      while (isOpen) await connection.sendChunk(Buffer.alloc(64 * KiB));
    })().catch(() => {}); // closed by the other end

    expect((await connection.answer()).status).toBe(status);

    await connection.ended().catch(() => {});
    isOpen = false;
    await sending;
  });
});

it('headers that never end are cut off, however steadily they come', { tags: 'long', timeout: 60_000 }, async () => {
  connection = await openConnection(stack.url);
  await connection.send('GET /api/v1/incoming-documents HTTP/1.1\r\nHost: test\r\n');
  const dripping = setInterval(() => void connection.send('X-A: b\r\n').catch(() => {}), 500);
  try {
    expect((await connection.answer()).status).toBe(408);
    await connection.ended().catch(() => {});
  } finally {
    clearInterval(dripping);
  }
});

describe('a form', () => {
  it('that is too large is the fault of who sent it', async () => {
    const visitor = new Visitor();
    for (const base of ['/ops', '/inbox']) {
      const answer = await visitor.post(`${stack.url}${base}/sign-in`, { token: 'x'.repeat(17 * KiB) });
      expect(answer.status).toBe(413);
    }
    await visitor.post(`${stack.url}/ops/sign-in`, { token: await stack.operatorsToken() });
    const answer = await visitor.post(`${stack.url}/ops/held/release`, { message: 'x'.repeat(5 * KiB) });
    expect(answer.status).toBe(413);
  });
});

it('a body that comes too slowly is refused, and its connection closed', async () => {
  const app = express();
  app.post('/', async (req, res) => {
    const error = await readBytes(req, KiB, 50).catch((reason: Problem) => reason);
    res.status(400).send(error instanceof Problem ? error.detail : 'It was read.');
  });
  const listening = await listen(app, { HOST: '127.0.0.1', PORT: 0, KEEP_ALIVE_SECONDS: 1 }, () => {});
  connection = await openConnection(listening.url);
  await connection.send(`${headOf('POST /', 'Content-Length: 10')}12345`);

  const answer = await connection.answer();

  expect([answer.status, answer.body, answer.headers.connection]).toEqual([400, 'The body is not complete.', 'close']);
  expect(await connection.ended()).toBe('');
  await listening.close(0);
});
