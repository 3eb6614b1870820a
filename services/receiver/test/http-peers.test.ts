import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Setup, setUp } from '../../../infra/src/testkit/stack.js';
import { writeMemo } from '../../../infra/src/testkit/write-memo.js';
import { deliveryHead, openConnection, type RawConnection } from './support/raw-http.js';
import { type ReceiverProcess, startReceiverProcess } from './support/receiver-process.js';

// HTTP as proxies, clients and strangers speak it.

const PATIENCE = { timeout: 10_000, interval: 20 };
const MEMO = writeMemo();
const DELIVERY_HEAD = deliveryHead(['Content-Type: application/xml', `Content-Length: ${MEMO.length}`]);
const DELIVERY = `${DELIVERY_HEAD}${MEMO}`;

let setup: Setup;
let receiver: ReceiverProcess;
let connection: RawConnection;
beforeAll(async () => {
  setup = await setUp();
  receiver = await startReceiverProcess({ ...setup.env, KEEP_ALIVE_SECONDS: '1', UPLOAD_RATE_SECONDS: '1' });
});
afterAll(async () => {
  await receiver.stop();
  await setup.close();
});
afterEach(() => connection.close());

async function answerTo(bytes: string | Uint8Array) {
  connection = await openConnection(receiver.url);
  await connection.send(bytes);
  return connection.answer();
}

describe('an idle connection', () => {
  test('is kept for KEEP_ALIVE_SECONDS, which the answer says, and then closed', async () => {
    const answer = await answerTo(DELIVERY);

    expect([answer.status, answer.headers['keep-alive']]).toEqual([200, 'timeout=1']);
    expect(await connection.ended()).toBe('');
  });

  test('is kept for longer than proxies keep theirs, unless set otherwise', { tags: 'long' }, async () => {
    const other = await startReceiverProcess(setup.env);
    connection = await openConnection(other.url);
    await connection.send(DELIVERY);

    const { headers } = await connection.answer();

    // Google’s keep theirs for 600 s, Caddy 120, Traefik 90, nginx and Amazon’s 60.
    expect(headers['keep-alive']).toBe('timeout=620');
    await other.stop();
  });
});

test('an answer during shutdown says that its connection ends, and no unused connection delays the end', {
  tags: 'long',
}, async () => {
  const closing = await startReceiverProcess(setup.env);
  connection = await openConnection(closing.url);
  await connection.send(DELIVERY_HEAD.replace('\r\n\r\n', '\r\nExpect: 100-continue\r\n\r\n'));
  expect((await connection.answer()).status).toBe(100);
  const unused = await openConnection(closing.url);
  const stopped = closing.stop();
  await vi.waitFor(() => expect(openConnection(closing.url)).rejects.toThrow(), PATIENCE);

  await connection.send(MEMO);

  const answer = await connection.answer();
  expect([answer.status, answer.headers.connection]).toEqual([200, 'close']);
  expect(await connection.ended()).toBe('');
  expect(await stopped).toBe(0);
  expect(await unused.ended()).toBe('');
});

describe('a request is answered', () => {
  const get = (target: string, version: string, ...headers: string[]) =>
    `${[`GET ${target} HTTP/${version}`, ...headers].join('\r\n')}\r\n\r\n`;

  test.each([
    ['of HTTP/1.0', get('/healthz', '1.0'), 'close'],
    ['of HTTP/1.0 that keeps its connection', get('/healthz', '1.0', 'Connection: keep-alive'), 'keep-alive'],
    ['that a proxy wrote, with a whole URL', get('http://test/healthz', '1.1', 'Host: test'), 'keep-alive'],
    ['that offers HTTP/2', get('/healthz', '1.1', 'Host: test', 'Connection: Upgrade', 'Upgrade: h2c'), 'keep-alive'],
    [
      'that offers WebSocket',
      get('/healthz', '1.1', 'Host: test', 'Connection: Upgrade', 'Upgrade: websocket'),
      'keep-alive',
    ],
    ['after an empty line', `\r\n${get('/healthz', '1.1', 'Host: test')}`, 'keep-alive'],
    [
      'with a token of 20 kB',
      get('/healthz', '1.1', 'Host: test', `Authorization: Bearer ${'x'.repeat(20_000)}`),
      'keep-alive',
    ],
  ])('%s', async (_what, request, after) => {
    const answer = await answerTo(request);
    expect([answer.status, answer.headers.connection]).toEqual([200, after]);
  });
});

describe('a request that no route sees is answered, logged without its bytes, and counted:', () => {
  const SECRET = 'hemmelig';
  const withHost = (line: string, ...headers: string[]) => `${[line, 'Host: test', ...headers].join('\r\n')}\r\n\r\n`;
  const path = `/${SECRET}`;

  test.each([
    ['a space in the path', withHost(`GET ${path} b HTTP/1.1`), 400, 'HPE_INVALID_CONSTANT'],
    ['a method in lower case', withHost(`get ${path} HTTP/1.1`), 400, 'HPE_INVALID_METHOD'],
    ['TLS', Buffer.from(`\x16\x03\x01\x02\x00\x01\x00\x01${SECRET}`, 'latin1'), 400, 'HPE_INVALID_METHOD'],
    ['HTTP/2', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${SECRET}`, 400, 'HPE_PAUSED_H2_UPGRADE'],
    [
      'a length and chunks',
      withHost(`POST ${path} HTTP/1.1`, 'Content-Length: 1', 'Transfer-Encoding: chunked'),
      400,
      'HPE_INVALID_TRANSFER_ENCODING',
    ],
    ['no Host', `GET ${path} HTTP/1.1\r\n\r\n`, 400, 'HOST'],
    ['two Hosts', withHost(`GET ${path} HTTP/1.1`, `Host: ${SECRET}`), 400, 'HOST'],
    [
      'an unknown expectation',
      withHost(`POST ${path} HTTP/1.1`, 'Content-Length: 1', `Expect: ${SECRET}`),
      417,
      'EXPECTATION',
    ],
    [
      'headers of 100 kB',
      withHost(`GET ${path} HTTP/1.1`, `X-A: ${SECRET.repeat(12_500)}`),
      431,
      'HPE_HEADER_OVERFLOW',
    ],
    [
      'a compression in the framing',
      withHost(`POST ${path} HTTP/1.1`, 'Transfer-Encoding: gzip, chunked'),
      501,
      'TRANSFER_ENCODING',
    ],
    ['CONNECT', `CONNECT ${SECRET}:443 HTTP/1.1\r\nHost: ${SECRET}\r\n\r\n`, 501, 'CONNECT'],
  ])('%s', async (_what, request, status, code) => {
    const counted = async () => {
      const metrics = await (await fetch(`${receiver.url}/metrics`)).text();
      return Number(
        new RegExp(`indbakke_unreadable_requests_total{status="${status}"} (\\d+)`).exec(metrics)?.[1] ?? 0,
      );
    };
    const [before, lines] = [await counted(), receiver.lines.length];

    const answer = await answerTo(request);

    expect([answer.status, answer.headers['content-type'], answer.headers.connection]).toEqual([
      status,
      'text/plain',
      'close',
    ]);
    expect(await connection.ended()).toBe('');
    expect(await counted()).toBe(before + 1);
    const logged = () => receiver.lines.slice(lines).filter((line) => line.includes('"event":"unreadable"'));
    await vi.waitFor(() => expect(logged()).toHaveLength(1), PATIENCE);
    expect(JSON.parse(logged()[0] as string)).toMatchObject({ level: 'info', status, code });
    expect(answer.body + receiver.lines.join()).not.toContain(SECRET);
  });
});

test('a connection that was never used is closed without an answer or a log line', async () => {
  const lines = receiver.lines.length;
  connection = await openConnection(receiver.url);
  connection.endSending();
  expect(await connection.ended()).toBe('');
  expect(receiver.lines.slice(lines)).toEqual([]);
});

test('a delivery that stalls is refused, and the log says why', async () => {
  const answer = await answerTo(DELIVERY.slice(0, -10));

  expect([answer.status, answer.headers.connection]).toEqual([400, 'close']);
  expect(JSON.parse(answer.body)).toMatchObject({ errorCode: 'body-incomplete' });
  const logged = () => receiver.lines.find((line) => line.includes('"code":"body-incomplete"')) ?? '{}';
  await vi.waitFor(() => expect(JSON.parse(logged())).toMatchObject({ causeCode: 'too-slow' }), PATIENCE);
});

describe('a delivery that a proxy on this machine passes on is not of this machine:', () => {
  test.each([
    'X-Forwarded-For',
    'X-Forwarded-Host',
    'X-Forwarded-Proto',
    'X-Forwarded-Server',
    'Forwarded',
    'Via',
    'X-Real-IP',
    'X-Client-IP',
    'X-Cluster-Client-IP',
    'True-Client-IP',
    'X-Azure-ClientIP',
    'X-Original-Forwarded-For',
    'X-Original-Host',
    'X_Forwarded_For',
    'CDN-Loop',
    'X-SSL-Client-Verify',
    'SSL-Client-S-DN',
    'CF-Connecting-IP',
    'Fly-Client-IP',
    'X-Envoy-External-Address',
    'Client-Cert',
    'X-ProxyUser-Ip',
  ])('%s', async (name) => {
    const answer = await answerTo(DELIVERY.replace('\r\n\r\n', `\r\n${name}: 203.0.113.9\r\n\r\n`));
    expect([answer.status, JSON.parse(answer.body).errorCode]).toEqual([403, 'caller-not-allowed']);
  });
});
