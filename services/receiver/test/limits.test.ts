import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { writeMemo } from '../../../infra/src/testkit/write-memo.js';
import { deliveryHead, openConnection, type RawConnection } from './support/raw-http.js';
import { NOTHING, whatIsStored } from './support/stored.js';

const XML = 'Content-Type: application/xml';
const PATIENCE = { timeout: 10_000, interval: 20 };
const memo = writeMemo();

let stack: TestStack;
let connections: RawConnection[] = [];
beforeAll(async () => {
  stack = await startTestStack({ MAX_UPLOADS: '3', MAX_UPLOAD_SECONDS: '1' });
});
afterAll(() => stack.close());
afterEach(async () => {
  for (const connection of connections) connection.close();
  connections = [];
  await vi.waitFor(async () => expect(await uploads()).toBe(0), PATIENCE);
});

async function open(): Promise<RawConnection> {
  const connection = await openConnection(stack.url);
  connections.push(connection);
  return connection;
}

const metrics = async () => (await fetch(`${stack.url}/metrics`)).text();

async function uploads(): Promise<number> {
  return Number(/^indbakke_uploads (\d+)$/m.exec(await metrics())?.[1] ?? Number.NaN);
}

async function refusals(): Promise<number> {
  const counts = (await metrics()).matchAll(/^indbakke_intake_total\{endpoint="rest",outcome=".*"\} (\d+)$/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** Begins an upload and leaves it unfinished. */
async function begin(): Promise<RawConnection> {
  const connection = await open();
  await connection.send(deliveryHead([XML, `Content-Length: ${memo.length}`]));
  await connection.send(memo.subarray(0, 100));
  return connection;
}

describe('one delivery over MAX_UPLOADS', () => {
  test('must retry, is refused unread at every endpoint, and is accepted once there is room', async () => {
    await Promise.all([begin(), begin(), begin()]);
    await vi.waitFor(async () => expect(await uploads()).toBe(3), PATIENCE);
    const unread = await open();

    await unread.send(deliveryHead([XML, 'Content-Length: 1000000', 'Expect: 100-continue']));
    const answer = await unread.answer();
    const overSoap = await fetch(`${stack.url}/sf1606/soap`, {
      method: 'POST',
      headers: { 'content-type': 'text/xml' },
      body: memo,
    });

    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '30']);
    expect(JSON.parse(answer.body)).toMatchObject({ receiptStatus: 'INVALID', errorCode: 'send-again' });
    expect([overSoap.status, overSoap.headers.get('retry-after')]).toEqual([500, '30']);
    expect(await overSoap.text()).toContain('<faultcode>soap:Server</faultcode>');
    expect(await whatIsStored(stack)).toEqual(NOTHING);
    for (const connection of connections) connection.close();
    await vi.waitFor(async () => expect((await stack.deliver('<a/>')).status).toBe(400), PATIENCE);
  });
});

test('an upload behind another on its connection is counted no longer when the caller goes away', async () => {
  const notOurs = writeMemo({ recipient: { id: '11111111' } });
  const delivery = Buffer.concat([Buffer.from(deliveryHead([XML, `Content-Length: ${notOurs.length}`])), notOurs]);
  const before = await refusals();
  for (let n = 0; n < 10; n += 1) {
    const connection = await open();
    await connection.send(Buffer.concat([delivery, delivery.subarray(0, -1)]));
    connection.close();
  }
  await vi.waitFor(async () => expect(await refusals()).toBe(before + 20), PATIENCE);

  expect(await uploads()).toBe(0);
});

describe('an upload that never ends', () => {
  const trickle = async (contentType: string, head: Buffer) => {
    const connection = await open();
    await connection.send(deliveryHead([`Content-Type: ${contentType}`, 'Transfer-Encoding: chunked']));
    await connection.sendChunk(head);
    let answered = false;
    const sending = (async () => {
      while (!answered) {
        await connection.sendChunk(' ');
        await pause(50);
      }
    })().catch(() => {});
    const answer = await connection.answer();
    answered = true;
    await sending;
    return { connection, answer };
  };
  const form = Buffer.from(
    '--b\r\nContent-Disposition: form-data; name="file"; filename="a.xml"\r\n\r\n<?xml version="1.0"?>',
  );

  test.each([
    ['plain', 'application/xml', Buffer.from('<?xml version="1.0"?>')],
    ['in a form', 'multipart/form-data; boundary=b', form],
  ])('is refused after MAX_UPLOAD_SECONDS, and its connection closed: %s', async (_what, type, head) => {
    const started = Date.now();

    const { connection, answer } = await trickle(type, head);

    expect(JSON.parse(answer.body)).toMatchObject({ receiptStatus: 'INVALID', errorCode: 'body-incomplete' });
    expect([answer.status, answer.headers['retry-after'], answer.headers.connection]).toEqual([400, '30', 'close']);
    expect(Date.now() - started).toBeGreaterThan(900);
    await connection.ended().catch(() => {}); // cut, while it was still sending
    expect(await whatIsStored(stack)).toEqual(NOTHING);
  });

  test('is refused even when it sends nothing more', async () => {
    const connection = await begin();

    const answer = await connection.answer();

    expect([answer.status, answer.headers.connection]).toEqual([400, 'close']);
    expect(await whatIsStored(stack)).toEqual(NOTHING);
  });
});

describe('a form that is refused', () => {
  const FORM = 'Content-Type: multipart/form-data; boundary=b';
  const start = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.xml"\r\n\r\nnot XML';

  test('is read to its end, so that its connection serves the next delivery', async () => {
    const rest = Buffer.alloc(8 * 1024 * 1024, 0x41);
    const connection = await open();
    await connection.send(deliveryHead([FORM, `Content-Length: ${start.length + rest.length}`]) + start);
    await connection.send(rest);
    const refused = await connection.answer();
    await connection.send(deliveryHead([XML, `Content-Length: ${memo.length}`]));
    await connection.send(memo);
    const answer = await connection.answer();

    expect([refused.status, answer.status]).toEqual([400, 200]);
  });

  test.each([
    ['read in part', FORM],
    ['not read at all, for want of a boundary', 'Content-Type: multipart/form-data'],
  ])('is not timed out again after its answer: %s', { tags: 'long' }, async (_what, type) => {
    const refused = await open();
    await refused.send(deliveryHead([type, 'Content-Length: 100000']) + start);
    expect((await refused.answer()).status).toBe(400);

    // Begun later, so the time of the refused form is up when this is answered.
    const late = await begin();

    expect((await late.answer()).status).toBe(400);
    expect((await fetch(`${stack.url}/healthz`)).status).toBe(200);
  });
});
