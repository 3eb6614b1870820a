import { execFile } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Problem } from '@indbakke/shared/errors';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { JournalerConfig } from '../src/config.js';
import { send } from '../src/webhooks/send.js';
import { createTargets, findAddresses } from '../src/webhooks/targets.js';
import { startNameServer } from './support/name-server.js';
import { type Receiver, startReceiver } from './support/receiver.js';

const LOOPBACK = createTargets(['127.0.0.0/8', 'localhost']);
const BODY = '{"type":"accepted"}';
const post = (url: string, targets = LOOPBACK, limitMs?: number) =>
  send(targets, { url, headers: { 'webhook-id': 'id' }, body: BODY }, limitMs);

let receiver: Receiver;

beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(() => receiver.close());

describe('an attempt', () => {
  it('posts the body, and has status and size of the answer', async () => {
    receiver.answer((res) => res.writeHead(201).end('tak'));
    expect(await post(receiver.url)).toMatchObject({ status: 201, error: null, answerSize: 3 });
    expect(receiver.received).toMatchObject([{ body: BODY, headers: { 'webhook-id': 'id', connection: 'close' } }]);
  });

  it('does not follow a redirect', async () => {
    const other = await startReceiver();
    receiver.answer((res) => res.writeHead(307, { location: other.url }).end());
    expect(await post(receiver.url)).toMatchObject({ status: 307, error: null });
    expect(other.received).toEqual([]);
    await other.close();
  });

  it('ends at its limit when there is no answer', async () => {
    receiver.answer(() => {});
    expect(await post(receiver.url, LOOPBACK, 50)).toMatchObject({ status: null, error: 'timeout', answerSize: null });
  });

  it.each([
    ['headers without end', (socket: Socket) => socket.write('HTTP/1.1 200 OK\r\nx: y')],
    ['interim answers only', (socket: Socket) => socket.write('HTTP/1.1 100 Continue\r\n\r\n')],
  ])('ends at its limit when there come %s, however often', async (_what, write) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      const dripping = setInterval(write, 5, socket);
      socket.on('close', () => clearInterval(dripping));
    });
    expect(await post(await urlOf(server), LOOPBACK, 100)).toMatchObject({ status: null, error: 'timeout' });
    server.close();
  });

  it('ends at its limit when the answer has no end, with the status that it has', async () => {
    receiver.answer((res) => void res.writeHead(200).write('…'));
    expect(await post(receiver.url, LOOPBACK, 500)).toMatchObject({ status: 200, error: null, answerSize: 3 });
  });

  it('reads 4 KiB of an answer, however long it is', async () => {
    let isCut = false;
    receiver.answer((res) => {
      res.on('close', () => {
        isCut = true;
      });
      res.writeHead(200);
      const more = () => {
        while (!res.destroyed && res.write(Buffer.alloc(65_536)));
      };
      res.on('drain', more);
      more();
    });
    expect(await post(receiver.url)).toMatchObject({ status: 200, answerSize: 4_096 });
    await expect.poll(() => isCut).toBe(true);
  });

  it.each<[string, (socket: Socket) => void]>([
    ['is reset', (socket) => socket.resetAndDestroy()],
    ['ends', (socket) => socket.end()],
    ['brings what is not HTTP', (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')],
    ['changes its protocol', (socket) => socket.end('HTTP/1.1 101 \r\nconnection: upgrade\r\nupgrade: ssh\r\n\r\n')],
    ['brings endless headers', (socket) => socket.end(`HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(20_000)}`)],
  ])('whose connection %s has no answer', async (_what, treat) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => treat(socket));
    });
    expect(await post(await urlOf(server))).toMatchObject({ status: null, error: 'connection-broken' });
    server.close();
  });

  it('where nothing listens is refused', async () => {
    const gone = createServer();
    const url = await urlOf(gone);
    gone.close();
    await once(gone, 'close');
    expect(await post(url)).toMatchObject({ status: null, error: 'connection-refused' });
  });

  it('to a name without an address ends', async () => {
    for (const resolve of [async () => [], () => Promise.reject(new Error('ESERVFAIL'))]) {
      const targets = createTargets([], resolve);
      expect(await post('https://gone.example/hook', targets)).toMatchObject({ status: null, error: 'name-unknown' });
      expect(await refusal('https://gone.example/hook', targets)).toBeUndefined(); // it may get one
    }
  });

  it('takes no proxy from the environment', async () => {
    const proxy = await startReceiver();
    process.env.HTTP_PROXY = proxy.url;
    process.env.NODE_USE_ENV_PROXY = '1';
    expect(await post(receiver.url)).toMatchObject({ status: 204 });
    delete process.env.HTTP_PROXY;
    delete process.env.NODE_USE_ENV_PROXY;
    expect([proxy.connections(), receiver.connections()]).toEqual([0, 1]);
    await proxy.close();
  });
});

const OPENSSL = '/usr/bin/openssl';
if (!existsSync(OPENSSL)) process.stdout.write(`Skipped: webhooks over TLS require ${OPENSSL}.\n`);

describe.skipIf(!existsSync(OPENSSL))('over TLS', () => {
  const SENDER = fileURLToPath(new URL('./support/send-webhook.mjs', import.meta.url));
  let folder: string;
  let secured: Receiver;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'indbakke-tls-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    await promisify(execFile)(OPENSSL, ['req', ...kind, ...subject, '-keyout', key, '-out', cert]);
    const options = { key: await readFile(key), cert: await readFile(cert) };
    secured = await startReceiver((listener) => createTlsServer(options, listener));
    secured.answer((res) => res.writeHead(200).end());
  });
  afterEach(async () => {
    await secured.close();
    await rm(folder, { recursive: true, force: true });
  });

  const sendTo = async (host: string, env: Record<string, string>) => {
    const url = `https://${host}:${secured.port}/hook`;
    const { stdout } = await promisify(execFile)(process.execPath, [SENDER, url, '127.0.0.0/8', 'localhost'], { env });
    return JSON.parse(stdout);
  };

  it('sends to a host whose certificate is valid', async () => {
    const trusting = { NODE_EXTRA_CA_CERTS: join(folder, 'cert.pem') };
    expect(await sendTo('localhost', trusting)).toEqual({ status: 200, error: null });
    expect(secured.received).toHaveLength(1);
  });

  it('sends nothing to one whose certificate nobody vouches for, or is another’s', async () => {
    expect(await sendTo('localhost', {})).toEqual({ status: null, error: 'tls-failed' });
    const trusting = { NODE_EXTRA_CA_CERTS: join(folder, 'cert.pem') };
    expect(await sendTo('127.0.0.1', trusting)).toEqual({ status: null, error: 'tls-failed' });
    expect(secured.received).toEqual([]);
  });
});

const PRIVATE = [
  '0.0.0.0',
  '0.1.2.3',
  '10.1.2.3',
  '100.64.0.1',
  '100.100.100.200',
  '127.0.0.1',
  '127.255.255.254',
  '168.63.129.16',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.192',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.1.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::7f00:1',
  '::ffff:127.0.0.1',
  '::ffff:10.0.0.1',
  '::ffff:0.0.0.1',
  '::ffff:0:127.0.0.1',
  '64:ff9b::127.0.0.1',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b::1',
  '64:ff9b:1::10.0.0.1',
  '100::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '2002:5db8:d822::',
  '3fff::1',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
];
const PUBLIC = [
  '93.184.216.34',
  '172.32.0.1',
  '100.128.0.1',
  '2600::1',
  '2a00:1450:400f::1',
  '::ffff:93.184.216.34',
  '64:ff9b::93.184.216.34',
];

/** A host whose addresses are these, in turn, as seen by each look-up. */
function resolving(allow: string[], ...answers: string[][]) {
  let n = 0;
  return createTargets(allow, async () => {
    const addresses = answers[Math.min(n, answers.length - 1)] as string[];
    n += 1;
    return addresses;
  });
}

const refusal = (url: string, targets = createTargets([])) =>
  targets.check(url).then(
    () => undefined,
    (error: Problem) => (error instanceof Problem ? error.detail : String(error)),
  );
const HAS_PRIVATE = 'body.url: must have a host with public addresses only.';
const literal = (address: string) => `https://${address.includes(':') ? `[${address}]` : address}/`;

describe('an address', () => {
  it.each(PRIVATE)('that is not public is refused: %s', async (address) => {
    if (!address.includes('%')) {
      expect(await refusal(literal(address))).toBe(HAS_PRIVATE);
      expect(await post(literal(address), createTargets([]))).toMatchObject({ status: null, error: 'address-refused' });
    }
    expect(await refusal('https://core.example/', resolving([], [address]))).toBe(HAS_PRIVATE);
    expect(await post('https://core.example/', resolving([], [address]))).toMatchObject({ error: 'address-refused' });
  });

  it.each(PUBLIC)('that is public is taken: %s', async (address) => {
    expect(await refusal(literal(address))).toBeUndefined();
    expect(await refusal('https://core.example/', resolving([], [address]))).toBeUndefined();
  });

  it.each([
    'https://2130706433/',
    'https://0x7f.1/',
    'https://0177.0.0.1/',
    'https://127.1/',
    'https://0/',
    'https://127.0.0.1./',
    'https://①②⑦.0.0.1/',
    'https://[::ffff:7f00:1]/',
    'https://[0:0:0:0:0:ffff:127.0.0.1]/',
    'https://localhost/',
    'https://LOCALHOST/',
    'https://localhost./',
    'https://core.localhost/',
  ])('is refused in any spelling: %s', async (url) => {
    expect(await refusal(url)).toBe(HAS_PRIVATE);
  });

  it('of a name is refused when only one of them is private', async () => {
    const targets = resolving([], ['93.184.216.34', '10.0.0.1']);
    expect(await refusal('https://core.example/', targets)).toBe(HAS_PRIVATE);
    expect(await post('https://core.example/', targets)).toMatchObject({ error: 'address-refused' });
  });

  it('is checked again when it is connected to: a name that has another then is not connected to', async () => {
    const targets = resolving(['rebound.example'], ['93.184.216.34'], ['127.0.0.1']);
    const rebound = resolving([], ['93.184.216.34'], ['127.0.0.1']);
    const url = (host: string) => `https://${host}:${receiver.port}/`;
    expect(await refusal(url('core.example'), rebound)).toBeUndefined();
    expect(await post(url('core.example'), rebound)).toMatchObject({ status: null, error: 'address-refused' });
    expect(receiver.connections()).toBe(0);
    // An allowed host would have been connected to.
    await refusal(url('rebound.example'), targets);
    await post(url('rebound.example'), targets);
    expect(receiver.connections()).toBe(1);
  });
});

describe('a name', () => {
  const askOf = async (nameServer: 'silent' | (string & {}), host: string, isListed = false) => {
    const server = await startNameServer(nameServer);
    const resolver = new Resolver({ timeout: 100, tries: 1 });
    resolver.setServers([server.address]);
    const found = await findAddresses(host, isListed, resolver);
    await server.close();
    return found;
  };

  it('has the addresses that a name server tells', async () => {
    expect(await askOf('93.184.216.34', 'core.example')).toEqual(['93.184.216.34']);
  });

  it('has none when the name server is silent', async () => {
    expect(await askOf('silent', 'core.example')).toEqual([]);
  });

  it('that the installation lists has those that the system tells', async () => {
    expect(await askOf('93.184.216.34', 'localhost', true)).toContain('127.0.0.1');
  });
});

describe('what the installation allows', () => {
  it.each([
    ['10.1.0.0/16', 'https://10.1.2.3/', true],
    ['10.1.0.0/16', 'http://10.1.2.3/', true],
    ['10.1.0.0/16', 'https://10.2.2.3/', false],
    ['10.1.2.3', 'https://10.1.2.3/', true],
    ['fd00::/8', 'https://[fd00::1]/', true],
    ['127.0.0.0/8', 'https://localhost/', false], // ::1 is another one
    ['localhost', 'http://localhost/', true],
    ['LocalHost', 'http://localhost./', true],
    ['localhost', 'https://127.0.0.1/', false],
    ['core.example', 'http://other.core.example/', false],
  ])('%s: %s %s', async (allow, url, isAllowed) => {
    const targets = url.includes('localhost') ? resolving([allow], ['127.0.0.1', '::1']) : createTargets([allow]);
    expect((await refusal(url, targets)) === undefined).toBe(isAllowed);
  });

  it('is what counts at each attempt: over http nothing is sent any more to a host that is not named any more', async () => {
    const url = `http://core.internal:${receiver.port}/`;
    expect(await post(url, resolving(['core.internal'], ['127.0.0.1']))).toMatchObject({ status: 204 });
    const narrowed = resolving(['127.0.0.0/8'], ['127.0.0.1']);
    expect(await post(url, narrowed)).toMatchObject({ status: null, error: 'address-refused' });
    expect(receiver.connections()).toBe(1);
  });

  it.each([
    ['core.internal, 10.1.0.0/16,fd00::/8', ['core.internal', '10.1.0.0/16', 'fd00::/8']],
    ['10.1.2.3', ['10.1.2.3']],
    ['10.1.2.300', undefined],
    ['10.1.0.0/33', undefined],
    ['fe80::1%eth0', undefined],
    ['http://core.internal', undefined],
    ['core.internal:8080', undefined],
    ['core.internal,,', undefined],
  ])('is read from a setting, and refused at start when it is wrong: %s', (setting, allow) => {
    const read = JournalerConfig.shape.WEBHOOK_ALLOW.safeParse(setting);
    expect(read.data).toEqual(allow);
    expect(createTargets(read.data ?? [])).toBeDefined();
  });

  it('is https only, but for hosts and addresses that are named', async () => {
    const targets = resolving(['core.internal', '10.0.0.0/8'], ['10.0.0.1']);
    expect(await refusal('http://other.internal/', targets)).toBe('body.url: must begin with https://.');
    expect(await refusal('https://other.internal/', targets)).toBeUndefined();
    expect(await refusal('http://core.internal/', targets)).toBeUndefined();
    expect(await refusal('http://93.184.216.34/', targets)).toBe('body.url: must begin with https://.');
  });
});

async function urlOf(server: Server): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
}
