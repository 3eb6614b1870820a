import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Env, readConfig } from '@indbakke/shared/config';
import { ERRORS, type ErrorRow } from '@indbakke/shared/errors';
import type { Running } from '@indbakke/shared/service';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { registerMunicipality } from '../../../infra/src/local/register-municipality.js';
import { DELETION } from '../../../infra/src/testkit/inbox-client.js';
import { startRelay } from '../../../infra/src/testkit/relay.js';
import { ODENSKOV, startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { type MemoSpec, writeMemo } from '../../../infra/src/testkit/write-memo.js';
import { ReceiverConfig, startReceiver } from '../src/app.js';
import { binaryFile, newMemo, replyTo } from './support/memos.js';
import { deliveryHead, openConnection, type RawConnection } from './support/raw-http.js';
import { messagesOf } from './support/stored.js';

/** An entry of “Answers to deliveries” in docs/errors.md. */
interface Row {
  readonly situation: string;
  readonly answer: string;
  readonly code: string;
}

/** The answer as the caller sees it. */
interface Seen {
  /** The HTTP status over REST; over SOAP 200 or the fault code. */
  readonly status: string;
  readonly receiptStatus: string;
  readonly code: string;
  readonly retryAfter: string | null;
  readonly receipt: string;
}

/** Sends deliveries to one endpoint. */
interface Endpoint {
  readonly name: 'REST' | 'SOAP';
  send(body: string | Buffer, headers?: Record<string, string>, url?: string): Promise<Seen>;
}

const NO_MUNICIPALITY = '99999999';
const CLOSED = '44444444';
const LIMITS = { MAX_MESSAGE_BYTES: '3000000', MAX_SKELETON_BYTES: '100000', MAX_UPLOAD_SECONDS: '60' };

let stack: TestStack;
let closing: (() => unknown)[] = [];
beforeAll(async () => {
  stack = await startTestStack(LIMITS);
  await registerMunicipality(stack.ownerUrl, {
    cvr: CLOSED,
    name: 'Lukket',
    takesReplies: false,
    takesEnquiries: false,
    contactPoints: [],
  });
});
afterAll(() => stack.close());
afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
});

// ── Endpoints ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const field = (text: string, name: string) => new RegExp(`<(?:\\w+:)?${name}>([^<]*)<`).exec(text)?.[1];

async function seenIn(answer: Response): Promise<Seen> {
  const text = await answer.text();
  const fault = field(text, 'faultcode')?.replace('soap:', '');
  if (fault) expect(answer.status).toBe(500);
  return {
    status: fault ?? String(answer.status),
    receiptStatus: field(text, 'receiptStatus') ?? '',
    code: field(text, 'errorCode') ?? '–',
    retryAfter: answer.headers.get('retry-after'),
    receipt: text,
  };
}

const post = (url: string, body: string | Buffer, headers: Record<string, string>) =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'text/xml', ...headers }, body });

const REST: Endpoint = {
  name: 'REST',
  send: async (body, headers = {}, url = stack.url) => seenIn(await post(`${url}/sf1606/PostModtag`, body, headers)),
};

function enveloped(body: string | Buffer): Buffer {
  const message = Buffer.from(body as Buffer)
    .toString('latin1')
    .replace(/^<\?xml[^>]*\?>\s*/, '');
  return Buffer.from(
    `<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body><p:PostModtagRequest xmlns:p="urn:indbakke:sf1606:1">${message}</p:PostModtagRequest></S:Body></S:Envelope>`,
    'latin1',
  );
}

const SOAP: Endpoint = {
  name: 'SOAP',
  send: async (body, headers = {}, url = stack.url) =>
    seenIn(await post(`${url}/sf1606/soap`, enveloped(body), headers)),
};

// ── Situations ───────────────────────────────────────────────────────────────────────────────────────────────────────

const xml = (memo: MemoSpec = {}) => writeMemo(memo).toString();
const large = (memo: MemoSpec = {}) => writeMemo({ ...memo, documents: [{ files: [binaryFile(2_000_000)] }] });

async function receiverWith(env: Env): Promise<Running> {
  const running = await startReceiver(readConfig(ReceiverConfig, { ...stack.env, ...env }));
  closing.push(() => running.close());
  return running;
}

/** A delivery that must retry while something is down, and is accepted when that is back. */
async function duringOutage(endpoint: Endpoint, url: string, back: () => Promise<unknown>): Promise<Seen> {
  const memo = newMemo({});
  const seen = await endpoint.send(large(memo), {}, url);
  expect(await messagesOf(stack, memo.messageUUID)).toEqual([]);
  await back();
  expect((await endpoint.send(writeMemo(memo), {}, url)).receiptStatus).toBe('COMPLETED');
  return seen;
}

async function statusOf(messageUUID: string): Promise<(string | null)[]> {
  return (await messagesOf(stack, messageUUID)).map(({ status, held_cause }) => held_cause ?? status);
}

async function held(endpoint: Endpoint, memo: MemoSpec, cause: string): Promise<Seen> {
  const sent = newMemo(memo);
  const seen = await endpoint.send(xml(sent));
  expect(await statusOf(sent.messageUUID)).toEqual([cause]);
  return seen;
}

/** Until the end of the test. */
async function setUpClosed(assignment: string): Promise<void> {
  await stack.sql(`UPDATE municipalities SET ${assignment} WHERE cvr = '${CLOSED}'`);
  closing.push(() => stack.sql(`UPDATE municipalities SET is_live = true, held_rules = '{}' WHERE cvr = '${CLOSED}'`));
}

async function raw(endpoint: Endpoint, headers: readonly string[]): Promise<RawConnection> {
  return rawTo(stack.url, endpoint, headers);
}

async function rawTo(url: string, endpoint: Endpoint, headers: readonly string[]): Promise<RawConnection> {
  const connection = await openConnection(url);
  closing.push(() => connection.close());
  const head = deliveryHead(['Content-Type: text/xml', ...headers]).replace('Accept: application/json\r\n', '');
  await connection.send(endpoint.name === 'REST' ? head : head.replace('/sf1606/PostModtag', '/sf1606/soap'));
  return connection;
}

async function seenOn(connection: RawConnection): Promise<Seen> {
  const { status, headers, body } = await connection.answer();
  return seenIn(new Response(body, { status, headers }));
}

/** A content folder on a disk of 1 MB if this user may mount one, else one whose shards are not folders. */
async function smallDisk(): Promise<{ url: string; makeRoom: () => Promise<unknown> }> {
  const folder = await mkdtemp(join(tmpdir(), 'indbakke-disk-'));
  closing.push(() => rm(folder, { recursive: true, force: true }));
  const url = pathToFileURL(folder).href;
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'ignore' });
    closing.push(() => execFileSync('umount', ['-l', folder]));
    return { url, makeRoom: async () => {} }; // the next message is small
  } catch {
    for (let shard = 0; shard < 256; shard += 1) await writeFile(join(folder, shard.toString(16).padStart(2, '0')), '');
    const makeRoom = async () => {
      for (const name of await readdir(folder)) {
        await rm(join(folder, name));
        await mkdir(join(folder, name));
      }
    };
    return { url, makeRoom };
  }
}

const otherAddress = () =>
  Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4')?.address;

/** Creates each situation of the table for real. */
const SITUATIONS: Readonly<Record<string, (endpoint: Endpoint) => Promise<Seen>>> = {
  'a message to a known municipality': (endpoint) => endpoint.send(xml()),
  'a message with minor faults': (endpoint) => endpoint.send(xml().replace('DIGITALPOST', 'BREV')),
  'a form with the message as the part `file` (REST only)': (endpoint) => {
    const body = `--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n${xml()}\r\n--b--\r\n`;
    return endpoint.send(body, { 'content-type': 'multipart/form-data; boundary=b' });
  },
  async 'the same message again'(endpoint) {
    const message = xml();
    const first = await endpoint.send(message);
    const second = await endpoint.send(message);
    expect(second.receipt).toBe(first.receipt);
    return second;
  },
  async 'a message that was deleted'(endpoint) {
    const memo = newMemo({});
    const first = await endpoint.send(xml(memo));
    const [message] = await messagesOf(stack, memo.messageUUID);
    const path = `/incoming-documents/${message?.id}`;
    await stack.call('POST', `${path}/rejection`, {
      version: 1,
      body: { reason: 'unwanted', explanation: 'Ikke til os' },
    });
    const deletion = await stack.call('POST', `${path}/deletion`, { version: 2, body: DELETION });
    expect(deletion.status).toBeLessThan(300);
    const again = await endpoint.send(xml(memo));
    expect(again.receipt).toBe(first.receipt);
    expect(await statusOf(memo.messageUUID)).toEqual(['deleted']);
    return again;
  },
  async 'the queue is away'(endpoint) {
    const relay = await startRelay(stack.serviceUrl);
    closing.push(() => relay.close());
    const { url } = await receiverWith({ QUEUE_URL: relay.url });
    await relay.cut();
    const seen = await endpoint.send(xml(replyTo(randomUUID())), {}, url);
    await relay.restore();
    return seen;
  },
  async 'the id of another message'(endpoint) {
    const memo = newMemo({});
    await endpoint.send(xml(memo));
    const seen = await endpoint.send(xml({ ...memo, subject: 'Et andet emne' }));
    expect((await statusOf(memo.messageUUID)).sort()).toEqual(['conflict', 'pending']);
    return seen;
  },
  'an enquiry while enquiries are off': (endpoint) => held(endpoint, { recipient: { id: CLOSED } }, 'enquiries-off'),
  'a reply while replies are off': (endpoint) =>
    held(endpoint, { ...replyTo(randomUUID()), recipient: { id: CLOSED } }, 'replies-off'),
  async 'any message while the municipality is not live'(endpoint) {
    await setUpClosed('is_live = false');
    return held(endpoint, { recipient: { id: CLOSED } }, 'not-live');
  },
  'a contact point that is not set up': (endpoint) =>
    held(endpoint, { contactPointId: randomUUID() }, 'unknown-contact-point'),
  async 'a contact point that is off, or for other messages'(endpoint) {
    const [id, offId] = [randomUUID(), randomUUID()];
    await stack.sql(
      `INSERT INTO contact_points (municipality, contact_point_id, name, purpose, is_active)
       VALUES ($1, $2, 'Svar', 'replies', true), ($1, $3, 'Slukket', 'both', false)`,
      [ODENSKOV, id, offId],
    );
    await held(endpoint, { contactPointId: offId }, 'contact-point-off');
    return held(endpoint, { contactPointId: id }, 'contact-point-off');
  },
  'not XML': (endpoint) => endpoint.send('<letter'),
  'a broken form, or one without the part `file` (REST only)': (endpoint) =>
    endpoint.send('--b--\r\n', { 'content-type': 'multipart/form-data; boundary=b' }),
  'an encoding other than UTF-8': (endpoint) => endpoint.send(Buffer.from(xml({ subject: 'æ' }), 'latin1')),
  'a document type, own entity or reserved name': (endpoint) => endpoint.send(xml().replace('Henvendelse', '&a;')),
  'XML other than a MeMo message': (endpoint) => endpoint.send('<letter/>'),
  'elements nested too deep': (endpoint) => endpoint.send('<a>'.repeat(100) + '</a>'.repeat(100)),
  'no messageUUID': (endpoint) => endpoint.send(xml({ messageUUID: '' })),
  'content that is not base64': (endpoint) => endpoint.send(xml().replace('<memo:content>', '<memo:content>*')),
  'over the size limit': (endpoint) => endpoint.send(writeMemo({ documents: [{ files: [binaryFile(3_000_000)] }] })),
  'over a limit without its contents: bytes, files, elements': (endpoint) =>
    endpoint.send(xml({ subject: 'a'.repeat(200_000) })),
  'another media type, or a compressed body': (endpoint) => endpoint.send(xml(), { 'content-encoding': 'gzip' }),
  'an unknown municipality': (endpoint) => endpoint.send(xml({ recipient: { id: NO_MUNICIPALITY } })),
  'a NemSMS': (endpoint) => endpoint.send(xml({ messageType: 'NEMSMS' })),
  // Fails on a machine without another address, rather than pass untested.
  async 'a caller who may not deliver'(endpoint) {
    const { url } = await receiverWith({ HOST: '0.0.0.0', TOKEN_ISSUER: 'https://login.example.dk' });
    return endpoint.send(xml(), {}, url.replace('0.0.0.0', otherAddress() ?? ''));
  },
  async 'a message that the municipality refuses'(endpoint) {
    await setUpClosed(`held_rules = '{"enquiries-off": {"action": "refuse", "contact": null}}'`);
    return endpoint.send(xml({ recipient: { id: CLOSED } }));
  },
  async 'the connection ends early'(endpoint) {
    // The caller has gone, so only the metric shows the refusal; connection.test.ts cuts at many places.
    const refusals = async () => {
      const metrics = await (await fetch(`${stack.url}/metrics`)).text();
      const name = endpoint.name === 'REST' ? 'rest' : 'soap';
      return Number(new RegExp(`endpoint="${name}",outcome="body-incomplete"} (\\d+)`).exec(metrics)?.[1] ?? 0);
    };
    const before = await refusals();
    const connection = await raw(endpoint, ['Content-Length: 1000']);
    await connection.send('<?xml');
    connection.close();
    await vi.waitFor(async () => expect(await refusals()).toBe(before + 1), { timeout: 10_000, interval: 20 });
    // Nobody can read the answer; it is the same as for a slow message.
    return SITUATIONS['the message arrives too slowly']?.(endpoint) as Promise<Seen>;
  },
  async 'the message arrives too slowly'(endpoint) {
    const { url } = await receiverWith({ MAX_UPLOAD_SECONDS: '1' });
    const connection = await rawTo(url, endpoint, ['Content-Length: 1000']);
    return seenOn(connection);
  },
  async 'a message that the municipality takes later'(endpoint) {
    await setUpClosed(`held_rules = '{"enquiries-off": {"action": "send-again", "contact": null}}'`);
    return endpoint.send(xml({ recipient: { id: CLOSED } }));
  },
  async 'too many uploads at once'(endpoint) {
    const { url } = await receiverWith({ MAX_UPLOADS: '1' });
    const first = await rawTo(url, endpoint, ['Content-Length: 1000', 'Expect: 100-continue']);
    expect((await first.answer()).status).toBe(100);
    return seenOn(await rawTo(url, endpoint, ['Content-Length: 1000']));
  },
  async 'very many letters for one municipality at once'(endpoint) {
    const places = 6;
    const { url } = await receiverWith({ MAX_UPLOADS: String(places) });
    await endpoint.send(xml({ recipient: { id: CLOSED } }), {}, url); // held, so stored
    for (;;) {
      const seen = await Promise.all(Array.from({ length: places }, () => endpoint.send(xml(), {}, url)));
      const refused = seen.find(({ receiptStatus }) => receiptStatus !== 'COMPLETED');
      if (refused) return refused;
    }
  },
  async 'the disk is full'(endpoint) {
    const disk = await smallDisk();
    const { url } = await receiverWith({ BLOB_URL: disk.url });
    return duringOutage(endpoint, url, disk.makeRoom);
  },
  async 'the content store is unreachable'(endpoint) {
    const aside = `${stack.contentFolder}-aside`;
    await rename(stack.contentFolder, aside);
    await writeFile(stack.contentFolder, 'a file where the folder should be');
    return duringOutage(endpoint, stack.url, async () => {
      await rm(stack.contentFolder);
      await rename(aside, stack.contentFolder);
    });
  },
  async 'the database is down'(endpoint) {
    const relay = await startRelay(stack.serviceUrl);
    closing.push(() => relay.close());
    const { url } = await receiverWith({ DATABASE_URL: relay.url });
    await relay.cut();
    return duringOutage(endpoint, url, () => relay.restore());
  },
  async 'the database does not answer COMMIT'(endpoint) {
    const relay = await startRelay(stack.serviceUrl);
    closing.push(() => relay.close());
    const { url } = await receiverWith({ DATABASE_URL: relay.url, QUEUE_URL: stack.serviceUrl });
    const memo = newMemo({});
    relay.failAt('COMMIT', { when: 'after', how: 'reset', having: 'insert-messages' }); // not that of a heartbeat
    const seen = await endpoint.send(writeMemo(memo), {}, url);
    expect(await statusOf(memo.messageUUID)).toEqual(['pending']);
    const [stored] = await messagesOf(stack, memo.messageUUID);
    expect((await endpoint.send(writeMemo(memo), {}, url)).receipt).toContain(stored?.transmission_id);
    return seen;
  },
  async 'the database is at its connection limit'(endpoint) {
    const { url } = await receiverWith({});
    const [database] = await stack.sql<{ name: string }>('SELECT current_database() AS name');
    const limit = (connections: number) =>
      stack.sql(`ALTER DATABASE ${database?.name} CONNECTION LIMIT ${connections}`);
    await limit(0);
    await stack.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = 'receiver' AND pid <> pg_backend_pid()`);
    return duringOutage(endpoint, url, () => limit(-1));
  },
};

// ── The table ────────────────────────────────────────────────────────────────────────────────────────────────────────

const page = await readFile(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
// **answer**: …, then its situations: - situation: `code`. Why
const rows: Row[] = [];
let current = '';
for (const line of (page.split('\n## Answers to deliveries\n')[1] ?? '').split('\n')) {
  const [, answer] = /^\*\*(\w+)\*\*/.exec(line) ?? [];
  const [, situation, code = '–'] = /^- (.+?)(?:: `([\w-]+)`)?(?:\. .*)?$/.exec(line) ?? [];
  if (answer) current = answer;
  if (situation) rows.push({ answer: current, situation, code });
}
test('every entry of the answers in docs/errors.md is tested here, and no other', () => {
  expect(rows.map(({ situation }) => situation)).toEqual(Object.keys(SITUATIONS));
});

test('the answers in docs/errors.md have every code that a delivery can get, and no other', () => {
  const all = Object.entries<ErrorRow>(ERRORS).filter(([, { receipt }]) => receipt !== undefined);
  const codes = new Set(rows.map(({ code }) => code).filter((code) => code !== '–'));

  expect([...codes].sort()).toEqual([...all.map(([code]) => code), 'unsupported-media-type'].sort());
});

/** The answer that the table of errors defines for a code at one endpoint. */
function expectedAnswer(
  { code, answer }: Row,
  endpoint: Endpoint['name'],
): Omit<Seen, 'receipt'> & { readonly answer: string } {
  const ok = { status: '200', receiptStatus: 'COMPLETED', code, retryAfter: null };
  if (code === '–') return { ...ok, answer: answer === 'held' ? 'held' : 'accepted' };
  const { http, fault, again, receipt }: ErrorRow = ERRORS[code as keyof typeof ERRORS];
  return {
    status: endpoint === 'REST' ? String(http) : fault === 'peer' ? 'Client' : 'Server',
    receiptStatus: receipt ?? 'INVALID',
    code,
    retryAfter: again ? '30' : null,
    answer: again ? 'retry' : 'refused',
  };
}

const tested = rows.flatMap((row) =>
  [REST, SOAP]
    .filter(({ name }) => name === 'REST' || !row.situation.endsWith(' (REST only)'))
    .map((endpoint) => [row.situation, endpoint.name, row, endpoint] as const),
);

test.each(tested)('%s (%s)', async (situation, _endpoint, row, endpoint) => {
  const seen = await SITUATIONS[situation]?.(endpoint);

  expect({ ...seen, answer: row.answer }).toMatchObject(expectedAnswer(row, endpoint.name));
});
