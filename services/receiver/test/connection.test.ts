import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { writeMemo } from '../../../infra/src/testkit/write-memo.js';
import { binaryFile, named } from './support/memos.js';
import { deliveryHead, openConnection, type RawConnection } from './support/raw-http.js';
import { NOTHING, whatIsStored } from './support/stored.js';

const KiB = 1_024;
const LIMIT = 2_048 * KiB;
const XML = 'Content-Type: application/xml';
// For polling: nothing signals that the service has noticed a broken connection, and a busy machine takes a while.
const PATIENCE = { timeout: 10_000, interval: 20 };

let stack: TestStack;
let connection: RawConnection;

beforeAll(async () => {
  stack = await startTestStack({ MAX_MESSAGE_BYTES: String(LIMIT) });
});
afterAll(() => stack.close());

afterEach(async () => {
  connection.close();
  expect(await whatIsStored(stack)).toEqual(NOTHING);
});

const codeIn = (body: string) => (JSON.parse(body) as { errorCode?: string }).errorCode;
/** A refused message: its answer shows that the connection works, and it leaves nothing. */
const BAD_BODY = '<letter/>';
const BAD_REQUEST = `${deliveryHead([XML, `Content-Length: ${BAD_BODY.length}`])}${BAD_BODY}`;
async function expectUsable(): Promise<void> {
  await connection.send(BAD_REQUEST);
  const answer = await connection.answer();
  expect([answer.status, codeIn(answer.body)]).toEqual([400, 'not-memo']);
}

describe('a body over the limit', () => {
  const tooLong = `Content-Length: ${LIMIT + 1}`;

  test('is never asked for when the caller asks first', async () => {
    connection = await openConnection(stack.url);
    await connection.send(deliveryHead([XML, tooLong, 'Expect: 100-continue']));

    const answer = await connection.answer();

    expect([answer.status, codeIn(answer.body)]).toEqual([413, 'too-large']);
    // The caller will not send the body now, so the next bytes would be mistaken for it.
    expect(answer.headers.connection).toBe('close');
    expect(await connection.ended()).toBe('');
  });

  test('is answered before it has arrived', async () => {
    connection = await openConnection(stack.url);
    await connection.send(`${deliveryHead([XML, tooLong])}<`);

    const answer = await connection.answer();

    expect([answer.status, codeIn(answer.body)]).toEqual([413, 'too-large']);
    await connection.send(Buffer.alloc(LIMIT));
    await expectUsable();
  });

  test('without Content-Length is answered once it exceeds the limit', async () => {
    connection = await openConnection(stack.url);
    await connection.send(deliveryHead([XML, 'Transfer-Encoding: chunked']));
    const body = writeMemo({ documents: [{ files: [binaryFile(LIMIT)] }] });
    await connection.sendChunk(body.subarray(0, LIMIT + 1));

    const answer = await connection.answer();

    expect([answer.status, codeIn(answer.body)]).toEqual([413, 'too-large']);
    await connection.sendChunk(body.subarray(LIMIT + 1));
    await connection.send('0\r\n\r\n');
    await expectUsable();
  });
});

describe('a body that the caller asks for first', () => {
  test('is asked for when it is within the limit', async () => {
    connection = await openConnection(stack.url);
    await connection.send(deliveryHead([XML, `Content-Length: ${BAD_BODY.length}`, 'Expect: 100-continue']));

    const interim = await connection.answer();
    await connection.send(BAD_BODY);
    const answer = await connection.answer();

    expect(interim.status).toBe(100);
    expect([answer.status, codeIn(answer.body)]).toEqual([400, 'not-memo']);
    await expectUsable();
  });

  test('is never asked for when its media type is refused', async () => {
    connection = await openConnection(stack.url);
    await connection.send(deliveryHead(['Content-Type: text/csv', 'Content-Length: 10', 'Expect: 100-continue']));

    expect((await connection.answer()).status).toBe(415);
  });

  test('is asked for by the inbox API too', async () => {
    connection = await openConnection(stack.url);
    const token = await stack.token({ system: true });
    await connection.send(
      `PUT /api/v1/cases/SAG-1 HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n`,
    );

    const interim = await connection.answer();
    await connection.send('[1]');

    expect(interim.status).toBe(100);
    expect((await connection.answer()).status).toBe(400);
  });
});

describe('the connection goes on after a refusal', () => {
  test('of a complete body', async () => {
    connection = await openConnection(stack.url);

    await connection.send(BAD_REQUEST.repeat(3));

    for (let n = 0; n < 3; n += 1) expect((await connection.answer()).status).toBe(400);
    await expectUsable();
  });

  test('in the middle of a body, which comes when all of it has come', async () => {
    connection = await openConnection(stack.url);
    const body = Buffer.concat([Buffer.from('<!DOCTYPE x>'), Buffer.alloc(1_000 * KiB, ' ')]);
    await connection.send(deliveryHead([XML, `Content-Length: ${body.length}`]));
    await connection.send(body.subarray(0, 100));
    await connection.send(body.subarray(100));

    const answer = await connection.answer();

    expect([answer.status, codeIn(answer.body)]).toEqual([400, 'forbidden-xml']);
    await expectUsable();
  });
});

test('the connection goes on after a call of the inbox API whose body is over the limit', async () => {
  connection = await openConnection(stack.url);
  const token = await stack.token({ system: true });
  await connection.send(
    `PUT /api/v1/cases/SAG-1 HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
  );
  await connection.sendChunk(Buffer.alloc(1_100 * KiB, ' '));

  expect((await connection.answer()).status).toBe(413);
  await connection.sendChunk(Buffer.alloc(1_100 * KiB, ' '));
  await connection.send('0\r\n\r\n');
  await expectUsable();
});

describe('a caller that disconnects', () => {
  const body = writeMemo({ documents: [{ files: [binaryFile(1_200 * KiB)] }, { files: [binaryFile(1_000)] }] });
  const contentAt = body.indexOf('<memo:content>') + '<memo:content>'.length;
  const places = [
    { what: 'before the first byte', at: 0 },
    { what: 'in the XML declaration', at: 10 },
    { what: 'in a tag of the header', at: body.indexOf('<memo:Sender>') + 7 },
    { what: 'in the middle of a quadruple of base64', at: contentAt + 2 },
    { what: 'in the middle of a large file', at: contentAt + 1_000 * KiB },
    { what: 'between two files', at: body.indexOf('</memo:MainDocument>') + 3 },
    { what: 'in a small file after a large one', at: body.lastIndexOf('<memo:content>') + 20 },
    { what: 'one byte before the end', at: body.length - 1 },
  ];
  const cutOff = async () => {
    const metrics = await (await fetch(`${stack.url}/metrics`)).text();
    return Number(/indbakke_intake_total\{endpoint="rest",outcome="body-incomplete"\} (\d+)/.exec(metrics)?.[1] ?? 0);
  };

  test.each(named(places))('%s leaves nothing', async (_what, { at }) => {
    const before = await cutOff();
    connection = await openConnection(stack.url);
    await connection.send(deliveryHead([XML, `Content-Length: ${body.length}`]));
    await connection.send(body.subarray(0, at));

    connection.close();

    await vi.waitFor(async () => expect(await cutOff()).toBe(before + 1), PATIENCE);
  });

  test('when part of a file is on disk leaves nothing', async () => {
    const before = await cutOff();
    connection = await openConnection(stack.url);
    await connection.send(deliveryHead([XML, 'Transfer-Encoding: chunked']));
    await connection.sendChunk(body.subarray(0, contentAt + 1_200 * KiB));
    await vi.waitFor(
      async () => expect((await whatIsStored(stack)).files).toEqual([expect.stringMatching(/\.part$/)]),
      PATIENCE,
    );

    connection.break();

    await vi.waitFor(async () => expect(await cutOff()).toBe(before + 1), PATIENCE);
  });

  test('inside a form leaves nothing', async () => {
    const before = await cutOff();
    connection = await openConnection(stack.url);
    await connection.send(
      deliveryHead(['Content-Type: multipart/form-data; boundary=b', 'Transfer-Encoding: chunked']),
    );
    await connection.sendChunk('--b\r\nContent-Disposition: form-data; name="file"; filename="a.xml"\r\n\r\n');
    await connection.sendChunk(body.subarray(0, contentAt + 1_200 * KiB));
    await vi.waitFor(
      async () => expect((await whatIsStored(stack)).files).toEqual([expect.stringMatching(/\.part$/)]),
      PATIENCE,
    );

    connection.break();

    await vi.waitFor(async () => expect(await cutOff()).toBe(before + 1), PATIENCE);
  });

  test('without waiting for the answer, again and again, does not stop the service', async () => {
    const before = await cutOff();
    for (let n = 0; n < 20; n += 1) {
      connection = await openConnection(stack.url);
      await connection.send(deliveryHead([XML, `Content-Length: ${body.length}`]));
      await connection.send(body.subarray(0, contentAt + n * 50 * KiB));
      connection.close();
    }
    await vi.waitFor(async () => expect(await cutOff()).toBe(before + 20), PATIENCE);

    connection = await openConnection(stack.url);
    await expectUsable();
  });
});
