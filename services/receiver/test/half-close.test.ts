import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { writeMemo } from '../../../infra/src/testkit/write-memo.js';
import { deliverMemo } from '../../../shared/test/inbox/support.js';
import { openConnection, type RawConnection } from './support/raw-http.js';
import { messagesOf } from './support/stored.js';

// RFC 9112, 9.6: a client may end its direction after its request and still wait for the answer.

const PATIENCE = { timeout: 10_000, interval: 20 };

let stack: TestStack;
let connection: RawConnection;
beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack.close());
afterEach(() => connection.close());

const REST = '/sf1606/PostModtag';
const SOAP = '/sf1606/soap';

const inForm = (memo: string) =>
  `--b\r\nContent-Disposition: form-data; name="file"; filename="a.xml"\r\n\r\n${memo}\r\n--b--\r\n`;
const inEnvelope = (memo: string) =>
  `<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><PostModtagRequest xmlns="urn:indbakke:sf1606:1">${memo.replace(/<\?.*?\?>/, '')}</PostModtagRequest></e:Body></e:Envelope>`;

interface Sent {
  readonly request: string;
  readonly body: string;
}

/** The request up to the body, and the body as it is on the wire. */
function requestWith(method: string, path: string, type: string, body: string, framing: 'length' | 'chunked'): Sent {
  const size = Buffer.byteLength(body);
  const length = framing === 'length' ? `Content-Length: ${size}` : 'Transfer-Encoding: chunked';
  return {
    request: `${method} ${path} HTTP/1.1\r\nHost: test\r\nContent-Type: ${type}\r\n${length}\r\n`,
    body: framing === 'length' ? body : `${size.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
  };
}

/** Every way to deliver a memo. */
const DELIVERIES: readonly [string, (memo: string) => Sent][] = (['length', 'chunked'] as const).flatMap((framing) => [
  [`REST, ${framing}`, (memo) => requestWith('POST', REST, 'application/xml', memo, framing)],
  [`a form, ${framing}`, (memo) => requestWith('POST', REST, 'multipart/form-data; boundary=b', inForm(memo), framing)],
  [`SOAP, ${framing}`, (memo) => requestWith('POST', SOAP, 'text/xml', inEnvelope(memo), framing)],
]);

/** Sends, ends its direction and gives the answer, after which the connection must end. */
async function answerTo({ request, body }: Sent, headers = '') {
  connection = await openConnection(stack.url);
  await connection.send(`${request}${headers}\r\n${body}`);
  connection.endSending();
  const answer = await connection.answer();
  expect(await connection.ended()).toBe('');
  return answer;
}

/** Without its last bytes. */
const cutOff = ({ request, body }: Sent): Sent => ({ request, body: body.slice(0, -40) });

async function putCase(caseId: string, framing: 'length' | 'chunked'): Promise<[Sent, headers: string]> {
  const body = JSON.stringify({ caseworker: 'sagsbehandler-1', parties: [], status: 'closed' });
  const token = await stack.token({ system: true });
  const sent = requestWith('PUT', `/api/v1/cases/${caseId}`, 'application/json', body, framing);
  return [sent, `Authorization: Bearer ${token}\r\n`];
}

const casesNamed = (caseId: string) => stack.sql('SELECT status FROM cases WHERE case_id = $1', [caseId]);

/** How many calls that register a case have ended, in whatever way. */
async function endedCalls(): Promise<number> {
  const metrics = await (await fetch(`${stack.url}/metrics`)).text();
  const counts = metrics.matchAll(/seconds_count\{operation="PUT \/api\/v1\/cases\/:caseId".*\} (\d+)/g);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

describe('a caller that ends its direction after the request is answered:', () => {
  test.each(DELIVERIES)('a delivery by %s', async (_what, deliver) => {
    const messageUUID = randomUUID();

    const answer = await answerTo(deliver(writeMemo({ messageUUID }).toString()));

    expect([answer.status, answer.body]).toEqual([200, expect.stringContaining('COMPLETED')]);
    expect(await messagesOf(stack, messageUUID)).toHaveLength(1);
  });

  test.each(['length', 'chunked'] as const)('a call of the inbox API, with its body: %s', async (framing) => {
    const answer = await answerTo(...(await putCase(`whole-${framing}`, framing)));

    expect(answer.status).toBe(204);
    expect(await casesNamed(`whole-${framing}`)).toEqual([{ status: 'closed' }]);
  });

  test('a call without a body, a file of several segments', async () => {
    const content = Buffer.alloc(300_000, 'x');
    const id = await deliverMemo(stack, { documents: [{ files: [{ name: 'a', type: 'text/plain', content }] }] });
    const [file] = await stack.sql<{ id: string }>('SELECT id FROM files WHERE message_id = $1', [id]);
    const request = `GET /api/v1/incoming-documents/${id}/files/${file?.id} HTTP/1.1\r\nHost: test\r\n`;

    const answer = await answerTo({ request, body: '' }, `Authorization: Bearer ${await stack.token()}\r\n`);

    expect([answer.status, answer.body.length]).toEqual([200, content.length]);
  });

  test('two deliveries, one behind the other', async () => {
    const [first, second] = [randomUUID(), randomUUID()];
    const [one, two] = [first, second].map((messageUUID) => {
      const { request, body } = requestWith('POST', REST, 'text/xml', writeMemo({ messageUUID }).toString(), 'length');
      return `${request}\r\n${body}`;
    });
    connection = await openConnection(stack.url);
    await connection.send(`${one}${two}`);
    connection.endSending();

    expect((await connection.answer()).body).toContain(first);
    expect((await connection.answer()).body).toContain(second);
    expect(await connection.ended()).toBe('');
  });
});

describe('what follows a whole request and is no request costs it nothing but the connection:', () => {
  const unreadable = async () => {
    const metrics = await (await fetch(`${stack.url}/metrics`)).text();
    return Number(/unreadable_requests_total\{status="400"\} (\d+)/.exec(metrics)?.[1] ?? 0);
  };

  test.each(['', 'Connection: close\r\n'])('a delivery gets its receipt %j', async (headers) => {
    const messageUUID = randomUUID();
    const { request, body } = requestWith('POST', REST, 'text/xml', writeMemo({ messageUUID }).toString(), 'length');
    const before = await unreadable();
    connection = await openConnection(stack.url);
    await connection.send(`${request}${headers}\r\n${body}\0\x01 more\r\n\r\n`);
    await connection.send('and more\r\n\r\n');

    expect(await connection.answer()).toMatchObject({ status: 200, body: expect.stringContaining('COMPLETED') });
    expect(await connection.ended()).toBe('');
    expect(await messagesOf(stack, messageUUID)).toHaveLength(1);
    expect(await unreadable()).toBe(before + (headers === '' ? 1 : 0));
  });

  test('a file of several segments is whole', async () => {
    const content = Buffer.alloc(300_000, 'x');
    const id = await deliverMemo(stack, { documents: [{ files: [{ name: 'a', type: 'text/plain', content }] }] });
    const [file] = await stack.sql<{ id: string }>('SELECT id FROM files WHERE message_id = $1', [id]);
    const path = `/api/v1/incoming-documents/${id}/files/${file?.id}`;
    connection = await openConnection(stack.url);
    await connection.send(
      `GET ${path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer ${await stack.token()}\r\n\r\n\0`,
    );

    const answer = await connection.answer();

    expect([answer.status, answer.body.length]).toEqual([200, content.length]);
    expect(await connection.ended()).toBe('');
  });
});

describe('a caller that ends its direction within the request is refused:', () => {
  test.each(DELIVERIES)('a delivery by %s', async (_what, deliver) => {
    const messageUUID = randomUUID();

    const answer = await answerTo(cutOff(deliver(writeMemo({ messageUUID }).toString())));

    expect([answer.status, answer.headers.connection]).toEqual([answer.body.includes('Fault') ? 500 : 400, 'close']);
    expect(answer.body).toContain('<errorCode>body-incomplete</errorCode>');
    expect(await messagesOf(stack, messageUUID)).toEqual([]);
  });

  test.each(['length', 'chunked'] as const)('a call of the inbox API, and nothing is written: %s', async (framing) => {
    const [sent, headers] = await putCase(`part-${framing}`, framing);

    const answer = await answerTo(cutOff(sent), headers);

    expect([answer.status, JSON.parse(answer.body).code]).toEqual([400, 'bad-request']);
    expect(await casesNamed(`part-${framing}`)).toEqual([]);
  });

  test('in the headers', async () => {
    connection = await openConnection(stack.url);
    await connection.send('GET /healthz HTTP/1.1\r\nHo');
    connection.endSending();

    expect((await connection.answer()).status).toBe(400);
    expect(await connection.ended()).toBe('');
  });

  test('a second delivery, after the first is answered', async () => {
    const [first, second] = [randomUUID(), randomUUID()];
    const [one, two] = [first, second].map((messageUUID) =>
      requestWith('POST', REST, 'text/xml', writeMemo({ messageUUID }).toString(), 'length'),
    ) as [Sent, Sent];
    connection = await openConnection(stack.url);
    await connection.send(`${one.request}\r\n${one.body}${two.request}\r\n${cutOff(two).body}`);
    connection.endSending();

    expect((await connection.answer()).body).toContain(first);
    expect((await connection.answer()).body).toContain('body-incomplete');
    expect(await connection.ended()).toBe('');
  });
});

test('a call whose caller is gone before its body has arrived writes nothing', async () => {
  const [sent, headers] = await putCase('gone', 'length');
  const before = await endedCalls();
  for (let n = 0; n < 10; n += 1) {
    connection = await openConnection(stack.url);
    await connection.send(`${sent.request}${headers}\r\n${cutOff(sent).body}`);
    connection.close();
  }

  await vi.waitFor(async () => expect(await endedCalls()).toBe(before + 10), PATIENCE);

  expect(await casesNamed('gone')).toEqual([]);
});

test('a connection that ends unused is closed', async () => {
  connection = await openConnection(stack.url);
  connection.endSending();
  expect(await connection.ended()).toBe('');
});
