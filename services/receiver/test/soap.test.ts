import { execFile, execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { type MemoSpec, writeMemo } from '../../../infra/src/testkit/write-memo.js';

const ENVELOPE = 'http://schemas.xmlsoap.org/soap/envelope/';
const SF1606 = 'urn:indbakke:sf1606:1';
const MEMO = 'https://DigitalPost.dk/MeMo-1';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack({ SMALL_CONTENT_BYTES: '0' });
});

afterAll(() => stack.close());

/** A MeMo without its XML declaration, to be put inside other XML. */
function memo(spec: MemoSpec = {}): string {
  return writeMemo(spec)
    .toString()
    .replace(/^<\?xml[^>]*\?>\s*/, '');
}

const call = (message: string) => `<p:PostModtagRequest xmlns:p="${SF1606}">${message}</p:PostModtagRequest>`;

const envelope = (inBody: string, header = '') =>
  `<?xml version="1.0" encoding="UTF-8"?>
<S:Envelope xmlns:S="${ENVELOPE}">${header}<S:Body>${inBody}</S:Body></S:Envelope>`;

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly xml: string;
}

async function post(body: string | Uint8Array, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${stack.url}/sf1606/soap`, {
    method: 'POST',
    headers: { 'content-type': 'text/xml; charset=utf-8', soapaction: '""', ...headers },
    body,
  });
  return { status: response.status, headers: response.headers, xml: await response.text() };
}

/** Text of the first element of this name, whatever its prefix. */
function field({ xml }: Answer, name: string): string | undefined {
  return new RegExp(`<(?:\\w+:)?${name}(?: [^>]*)?>([^<]*)<`).exec(xml)?.[1];
}

async function countOf(messageUUID: string): Promise<number> {
  return (await stack.sql('SELECT 1 FROM messages WHERE external_id = $1', [messageUUID])).length;
}

/** Expects a SOAP 1.1 Fault with the receipt of a refusal. */
function expectFault(answer: Answer, faultcode: string, errorCode: string): void {
  expect(answer.status).toBe(500);
  expect(answer.headers.get('content-type')).toBe('text/xml; charset=utf-8');
  expect(field(answer, 'faultcode')).toBe(faultcode);
  expect(field(answer, 'errorCode')).toBe(errorCode);
  expect(field(answer, 'errorMessage')).toBe(field(answer, 'faultstring'));
  expect(field(answer, 'transmissionId')).toMatch(/^[0-9a-f-]{36}$/);
  expect(field(answer, 'timeStamp')).toMatch(/^20\d\d-.*Z$/);
  expect(answer.xml).not.toMatch(/\.[jt]s:\d|node_modules|Cannot read/);
}

describe('a message over SOAP', () => {
  test('is stored and answered COMPLETED', async () => {
    const messageUUID = randomUUID();
    const answer = await post(envelope(call(memo({ messageUUID }))));
    expect(answer.xml).toContain('PostModtagResponse');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/xml; charset=utf-8');
    expect(field(answer, 'receiptStatus')).toBe('COMPLETED');
    expect(field(answer, 'messageUUID')).toBe(messageUUID);
    expect(
      await stack.sql('SELECT status, channel, transmission_id FROM messages WHERE external_id = $1', [messageUUID]),
    ).toEqual([{ status: 'pending', channel: 'sf1606', transmission_id: field(answer, 'transmissionId') }]);
  });

  test('sent again is answered with the same bytes and stored once', async () => {
    const messageUUID = randomUUID();
    const body = envelope(call(memo({ messageUUID })));
    const first = await post(body);
    const second = await post(body.replaceAll('S:', 'soapenv:').replaceAll(':S=', ':soapenv='));
    expect(field(first, 'receiptStatus')).toBe('COMPLETED');
    expect(second.xml).toBe(first.xml);
    expect(await countOf(messageUUID)).toBe(1);
  });

  test('has the receipt that the same message gets over REST: one channel', async () => {
    const messageUUID = randomUUID();
    const overSoap = await post(envelope(call(memo({ messageUUID }))));
    const overRest = await (await stack.deliver(writeMemo({ messageUUID }))).json();
    expect(overRest).toEqual({
      transmissionId: field(overSoap, 'transmissionId'),
      messageUUID,
      timeStamp: field(overSoap, 'timeStamp'),
      receiptStatus: 'COMPLETED',
    });
    expect(await countOf(messageUUID)).toBe(1);
  });

  test('of 5 MB is stored byte for byte', async () => {
    const messageUUID = randomUUID();
    const content = Buffer.alloc(5_000_000, 'æøå & <børn> ');
    const documents = [{ files: [{ name: 'stor.bin', type: 'application/octet-stream', content }] }];
    const answer = await post(envelope(call(memo({ messageUUID, documents }))));
    expect(field(answer, 'receiptStatus')).toBe('COMPLETED');
    expect((await storedContent(messageUUID)).equals(content)).toBe(true);
  });

  test('gets its own receipt when many arrive at once', async () => {
    const ids = Array.from({ length: 20 }, () => randomUUID());
    const answers = await Promise.all(ids.map((messageUUID) => post(envelope(call(memo({ messageUUID }))))));
    expect(answers.map((answer) => field(answer, 'messageUUID'))).toEqual(ids);
  });

  test('may use prefixes that the envelope declares, and the default namespace for the envelope', async () => {
    const messageUUID = randomUUID();
    const message = memo({ messageUUID })
      .replace(` xmlns:memo="${MEMO}"`, '')
      .replace('<memo:Message ', '<memo:Message xsi:schemaLocation="a b" ');
    const declared = `xmlns:memo="${MEMO}" xmlns:p="${SF1606}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"`;
    const answer = await post(
      `\ufeff<Envelope xmlns="${ENVELOPE}" ${declared}><Header/>
        <Body xmlns:wsu="urn:x" wsu:Id="body"> <!-- the call --> <p:PostModtagRequest xsi:type="p:Any">
          ${message}
        </p:PostModtagRequest></Body></Envelope>`,
    );
    expect(field(answer, 'receiptStatus')).toBe('COMPLETED');
    expect(await storedContent(messageUUID)).toEqual(Buffer.from('Kære kommune. Venlig hilsen'));
  });

  test('is accepted with any SOAPAction, and as application/xml', async () => {
    const answer = await post(envelope(call(memo())), {
      soapaction: '"urn:somebody:else"',
      'content-type': 'application/xml',
    });
    expect(field(answer, 'receiptStatus')).toBe('COMPLETED');
  });

  test('may have headers that need not be understood here', async () => {
    const header = `<S:Header><x:Trace xmlns:x="urn:x" S:mustUnderstand="0">1</x:Trace>
      <x:Next xmlns:x="urn:x" S:mustUnderstand="1" S:actor="urn:somebody:else"/></S:Header>`;
    expect(field(await post(envelope(call(memo()), header)), 'receiptStatus')).toBe('COMPLETED');
  });

  test('has its transaction headers echoed, even in a fault', async () => {
    const headers = { 'x-TransaktionsId': randomUUID(), 'x-TransaktionsTid': '2026-11-20T10:00:00Z' };
    for (const body of [envelope(call(memo())), 'no xml']) {
      const answer = await post(body, headers);
      expect(answer.headers.get('x-TransaktionsId')).toBe(headers['x-TransaktionsId']);
      expect(answer.headers.get('x-TransaktionsTid')).toBe(headers['x-TransaktionsTid']);
    }
  });

  test('is counted under the endpoint soap', async () => {
    await post(envelope(call(memo())));
    await post('no xml');
    const metrics = await (await fetch(`${stack.url}/metrics`)).text();
    expect(metrics).toMatch(/indbakke_intake_total\{endpoint="soap",outcome="accepted"\} [1-9]/);
    expect(metrics).toMatch(/indbakke_intake_total\{endpoint="soap",outcome="not-xml"\} [1-9]/);
  });
});

async function storedContent(messageUUID: string): Promise<Buffer> {
  const [row] = await stack.sql<{ message_id: string; id: string }>(
    'SELECT message_id, f.id FROM files f JOIN messages m ON m.id = message_id WHERE external_id = $1',
    [messageUUID],
  );
  const file = await stack.call('GET', `/incoming-documents/${row?.message_id}/files/${row?.id}`);
  return Buffer.from(await file.arrayBuffer());
}

describe('an envelope that is not a valid call of PostModtag is refused and nothing is stored:', () => {
  const messageUUID = randomUUID();
  const message = memo({ messageUUID });
  const whole = envelope(call(message));

  test.each<[name: string, body: string, faultcode: string, errorCode: string, sentence: string]>([
    ['an empty body', '', 'Client', 'not-xml', 'There is no XML element'],
    ['text', 'Kære kommune', 'Client', 'not-xml', 'outside the root'],
    ['a cut envelope', whole.slice(0, -20), 'Client', 'not-xml', 'XML ends'],
    ['a document type', `<!DOCTYPE a>${whole.slice(38)}`, 'Client', 'forbidden-xml', 'DOCTYPE'],
    ['a message without an envelope', message, 'Client', 'not-memo', 'not a SOAP envelope'],
    [
      'an envelope of SOAP 1.2',
      whole.replaceAll(ENVELOPE, 'http://www.w3.org/2003/05/soap-envelope'),
      'VersionMismatch',
      'not-memo',
      'not one of SOAP 1.1',
    ],
    ['no Body', `<S:Envelope xmlns:S="${ENVELOPE}"/>`, 'Client', 'not-memo', 'no Body. (Envelope)'],
    ['two Bodies', whole.replace('<S:Body>', '<S:Body/><S:Body>'), 'Client', 'not-memo', 'more than one Body'],
    ['an empty Body', envelope(''), 'Client', 'not-memo', 'There is no PostModtagRequest'],
    ['a foreign call', envelope('<x:Other xmlns:x="urn:x"/>'), 'Client', 'not-memo', 'PostModtagRequest'],
    [
      'a call in another namespace',
      whole.replace(SF1606, 'urn:x'),
      'Client',
      'not-memo',
      `PostModtagRequest ({${SF1606}}) is expected here. (Envelope/Body)`,
    ],
    ['a message without a call', envelope(message), 'Client', 'not-memo', 'PostModtagRequest'],
    [
      'two calls',
      envelope(call(message) + call('')),
      'Client',
      'not-memo',
      'PostModtagRequest must be the only element',
    ],
    ['a call without a message', envelope(call('')), 'Client', 'not-memo', 'There is no Message'],
    ['a call with a foreign element', envelope(call('<x/>')), 'Client', 'not-memo', 'Message'],
    ['two messages', envelope(call(message + message)), 'Client', 'not-memo', 'Message must be the only element'],
    [
      'text beside the message',
      envelope(call(`${message}x`)),
      'Client',
      'not-memo',
      'Message must be the only element',
    ],
    [
      'a message in a header',
      envelope(call(message), `<S:Header>${memo()}</S:Header>`),
      'Client',
      'not-memo',
      'outside the Body',
    ],
    [
      'a header that must be understood',
      envelope(call(message), '<S:Header><x:Security xmlns:x="urn:x" S:mustUnderstand="1"/></S:Header>'),
      'MustUnderstand',
      'not-memo',
      'mustUnderstand',
    ],
    [
      // Our own check ignores the foreign namespace; the soap package does not know namespaces.
      'a header that the soap package cannot read',
      envelope(call(message), '<S:Header><x:Body xmlns:x="urn:x"><x:Other/></x:Body></S:Header>'),
      'Client',
      'not-memo',
      'cannot be read',
    ],
    [
      'a message without an id',
      envelope(call(message.replace(messageUUID, ''))),
      'Client',
      'no-message-uuid',
      'Message/MessageHeader/messageUUID',
    ],
    [
      'a message to another municipality',
      envelope(call(memo({ messageUUID, recipient: { id: '99999999' } }))),
      'Client',
      'not-our-recipient',
      'Message/MessageHeader/Recipient/recipientID',
    ],
  ])('%s', async (_name, body, faultcode, errorCode, sentence) => {
    const answer = await post(body);
    expectFault(answer, `soap:${faultcode}`, errorCode);
    expect(field(answer, 'faultstring')).toContain(sentence);
    expect(answer.headers.get('retry-after')).toBeNull();
    expect(await countOf(messageUUID)).toBe(0);
  });

  test('the receiptStatus of the fault is INVALID or NOT_ALLOWED', async () => {
    expect(field(await post('no xml'), 'receiptStatus')).toBe('INVALID');
    const toAnother = envelope(call(memo({ recipient: { id: '99999999' } })));
    expect(field(await post(toAnother), 'receiptStatus')).toBe('NOT_ALLOWED');
  });
});

test('an internal failure is a Server fault with Retry-After, and the retry is accepted', async () => {
  const messageUUID = randomUUID();
  const body = envelope(call(memo({ messageUUID })));
  const aside = `${stack.contentFolder}-aside`;
  await rename(stack.contentFolder, aside);
  await writeFile(stack.contentFolder, 'a file where the folder should be');
  const failed = await post(body);
  await rm(stack.contentFolder);
  await rename(aside, stack.contentFolder);

  expectFault(failed, 'soap:Server', 'send-again');
  expect(failed.headers.get('retry-after')).toBe('30');
  expect(await countOf(messageUUID)).toBe(0);
  expect(field(await post(body), 'receiptStatus')).toBe('COMPLETED');
});

describe('what the headers rule out', () => {
  const body = envelope(call(memo()));

  test.each<[name: string, body: string | Uint8Array, headers: Record<string, string>, errorCode: string]>([
    ['a compressed body', gzipSync(body), { 'content-encoding': 'gzip' }, 'unsupported-media-type'],
    ['a body that is not the gzip it claims', body, { 'content-encoding': 'gzip' }, 'unsupported-media-type'],
    ['gzip that does not claim to be', gzipSync(body), {}, 'not-xml'],
    ['SOAP 1.2', body, { 'content-type': 'application/soap+xml' }, 'unsupported-media-type'],
    [
      'another charset, with bytes that are not ASCII',
      envelope(call(memo({ subject: 'Spørgsmål' }))),
      { 'content-type': 'text/xml; charset=iso-8859-1' },
      'not-utf8',
    ],
  ])('is refused and the service goes on: %s', async (_name, sent, headers, errorCode) => {
    expectFault(await post(sent, headers), 'soap:Client', errorCode);
    expect(field(await post(envelope(call(memo()))), 'receiptStatus')).toBe('COMPLETED');
  });

  test('a body over the limit is refused unread', async () => {
    const answer = await new Promise<Answer>((resolve, reject) => {
      const headers = { 'content-type': 'text/xml', 'content-length': 200 * 1024 * 1024 };
      const sending = request(`${stack.url}/sf1606/soap`, { method: 'POST', headers });
      sending.on('error', reject);
      sending.on('response', (response) => {
        let xml = '';
        response.setEncoding('utf8').on('data', (text) => {
          xml += text;
        });
        response.on('end', () => {
          resolve({
            status: response.statusCode ?? 0,
            headers: new Headers(response.headers as Record<string, string>),
            xml,
          });
          sending.destroy();
        });
      });
      sending.flushHeaders();
    });
    expectFault(answer, 'soap:Client', 'too-large');
  });
});

describe('the WSDL', () => {
  const addressIn = (wsdl: string) => /<soap:address location="([^"]*)"/.exec(wsdl)?.[1];

  async function wsdl(headers: Record<string, string> = {}, query = 'wsdl'): Promise<[status: number, text: string]> {
    // fetch sets the Host header itself
    return new Promise((resolve, reject) => {
      const sent = request(`${stack.url}/sf1606/soap?${query}`, { headers }, async (response) => {
        let text = '';
        for await (const chunk of response) text += chunk;
        resolve([response.statusCode ?? 0, text]);
      });
      sent.on('error', reject).end();
    });
  }

  test('is served with the address that the caller used', async () => {
    const [status, text] = await wsdl();
    expect(status).toBe(200);
    expect(addressIn(text)).toBe(`${stack.url}/sf1606/soap`);
    expect(addressIn((await wsdl({}, 'WSDL'))[1])).toBe(`${stack.url}/sf1606/soap`);
  });

  test('has the host, port and scheme that a proxy passes on', async () => {
    const [, text] = await wsdl({ host: 'post.odenskov.example:8443', 'x-forwarded-proto': 'https' });
    expect(addressIn(text)).toBe('https://post.odenskov.example:8443/sf1606/soap');
    expect(addressIn((await wsdl({ host: '[::1]:80' }))[1])).toBe('http://[::1]:80/sf1606/soap');
  });

  test.each([
    [
      'of a chain of proxies',
      { 'x-forwarded-proto': 'https, http', 'x-forwarded-host': 'a.example, b' },
      'https://a.example',
    ],
    [
      'and prefix',
      { host: 'a.example', 'x-forwarded-proto': 'HTTPS', 'x-forwarded-prefix': '/post/' },
      'https://a.example/post',
    ],
    [
      'in RFC 7239',
      { forwarded: 'for=203.0.113.9;proto=https;host="a.example:8443", for=b' },
      'https://a.example:8443',
    ],
    ['of no proxy', { host: 'a.example', 'x-forwarded-proto': '', 'x-forwarded-prefix': '' }, 'http://a.example'],
  ])('has the address %s', async (_what, headers, address) => {
    expect(addressIn((await wsdl(headers))[1])).toBe(`${address}/sf1606/soap`);
  });

  test.each(['post', '/a"b', '//b', 'https://b', '/a b'])('refuses the prefix %s', async (prefix) => {
    expect((await wsdl({ 'x-forwarded-prefix': prefix }))[0]).toBe(400);
  });

  test.each(['a"b', 'a/b', 'a<b', 'user@host', 'a:b', 'a b'])('refuses the Host header %s', async (host) => {
    const [status, text] = await wsdl({ host });
    expect(status).toBe(400);
    expect(text).not.toContain('soap:address');
  });

  test('is the only thing that GET returns', async () => {
    expect((await wsdl({}, 'other'))[0]).toBe(404);
  });
});

const PYTHON = '/usr/bin/python3';

function zeepIsInstalled(): boolean {
  try {
    execFileSync(PYTHON, ['-c', 'import zeep'], { stdio: 'ignore' });
    return true;
  } catch {
    process.stdout.write('Skipped: SOAP with a foreign client requires python3 with zeep (Debian: python3-zeep).\n');
    return false;
  }
}

describe.skipIf(!zeepIsInstalled())('a foreign client, zeep,', () => {
  const script = fileURLToPath(new URL('soap-client.py', import.meta.url));

  async function sendWithZeep(spec: MemoSpec): Promise<Record<string, unknown>> {
    const folder = await mkdtemp(join(tmpdir(), 'indbakke-zeep-'));
    try {
      const file = join(folder, 'message.xml');
      await writeFile(file, writeMemo(spec));
      const { stdout } = await promisify(execFile)(PYTHON, [script, `${stack.url}/sf1606/soap?wsdl`, file]);
      return JSON.parse(stdout);
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  test('reads the WSDL, delivers a message and reads its receipt', async () => {
    const messageUUID = randomUUID();
    const receipt = await sendWithZeep({ messageUUID });
    expect(receipt).toEqual({
      receiptStatus: 'COMPLETED',
      messageUUID,
      transmissionId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      timeStamp: expect.stringMatching(/^20/),
    });
    expect(await storedContent(messageUUID)).toEqual(Buffer.from('Kære kommune. Venlig hilsen'));
  });

  test('gets a refusal as a Fault with code, sentence and detail', async () => {
    const fault = await sendWithZeep({ recipient: { id: '99999999' } });
    expect(fault).toEqual({
      code: 'soap:Client',
      message: expect.stringContaining('unknown municipality'),
      detail: expect.objectContaining({ errorCode: 'not-our-recipient', receiptStatus: 'NOT_ALLOWED' }),
    });
  });
});

test('the original of a MeMo whose prefixes the envelope declares is XML by itself', async () => {
  const messageUUID = randomUUID();
  const declared = memo({ messageUUID }).replace(/ xmlns:(memo|grd)="[^"]*"/g, '');
  const outside = `xmlns:memo="${MEMO}" xmlns:grd="https://data.gov.dk/model/core/" xmlns:other="urn:a&amp;b"`;

  const answer = await post(envelope(call(declared)).replace('<S:Envelope ', `<S:Envelope ${outside} `));

  expect(answer.status).toBe(200);
  const [row] = await stack.sql<{ original: string }>(
    `SELECT convert_from(original, 'UTF8') AS original FROM message_details
     JOIN messages ON id = message_id WHERE external_id = $1`,
    [messageUUID],
  );
  // Only the prefixes that it uses.
  expect(row?.original.startsWith(`<memo:Message xmlns:memo="${MEMO}" memoVersion=`)).toBe(true);
});
