import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { connect as connectPlainly } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import {
  createTestIssuer,
  type Issued,
  ocesSubject,
  type TestIssuer,
} from '../../../infra/src/testkit/certificates.js';
import { REST_PATH } from '../../../infra/src/testkit/deliver.js';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { writeMemo } from '../../../infra/src/testkit/write-memo.js';
import { deliverOverTls } from './support/deliver-over-tls.js';

// Deliveries over TLS, with certificates as OCES3 has them, to a receiver with a port of its own for them.

const CVR = '19435075';
const UUID = randomUUID();

let folder: string;
let stack: TestStack;
let serverIssuer: TestIssuer;
let issuer: TestIssuer;
let client: Issued;

const file = (name: string) => join(folder, name);
let changes = 0;
/** With a time of its own, so that it is seen to have changed. */
function write(name: string, content: string | Buffer): string {
  writeFileSync(file(name), content);
  changes += 1;
  utimesSync(file(name), new Date(), new Date(Date.now() + changes * 1_000));
  return file(name);
}
async function writeServerCertificate(): Promise<Issued> {
  const issued = await serverIssuer.issue({ hosts: ['127.0.0.1', 'localhost'] });
  write('server.key', issued.key);
  write('server.pem', issued.certificate);
  return issued;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'indbakke-tls-'));
  [serverIssuer, issuer] = await Promise.all([createTestIssuer([{ CN: ['Test server issuer'] }]), createTestIssuer()]);
  client = await issuer.issue({ subject: ocesSubject(CVR, UUID) });
  await writeServerCertificate();
  stack = await startTestStack({
    SF1606_CALLERS: 'certificate',
    SF1606_TLS_PORT: '0',
    SF1606_TLS_KEY_FILE: file('server.key'),
    SF1606_TLS_CERTIFICATE_FILE: file('server.pem'),
    SF1606_TLS_ISSUERS_FILE: write('issuers.pem', issuer.certificate),
    SF1606_TLS_REVOKED_FILES: write('revoked.crl', await issuer.revoke([])),
    SF1606_TLS_CLIENTS: `11111111/${randomUUID()}, ${CVR}/${UUID}`,
  });
});

afterAll(async () => {
  await stack?.close();
  rmSync(folder, { recursive: true, force: true });
});

const deliver = (shown: Pick<Issued, 'certificate' | 'key'> | undefined, options = {}) =>
  deliverOverTls(stack.secureUrl, { shown, trusted: serverIssuer.certificate, ...options });

it('is taken from who shows the certificate of a system that is named', async () => {
  expect(await deliver(client)).toMatchObject({ status: 200 });
  expect(await deliver(client, { maxVersion: 'TLSv1.2' })).toMatchObject({ status: 200 });
});

it('is taken in a session that is resumed, whose certificate is known without being shown again', async () => {
  const agent = new Agent();
  for (const isReused of [false, true]) {
    expect(await deliver(client, { agent })).toMatchObject({ status: 200, isReused });
  }
  expect(await deliver(undefined, { agent })).toMatchObject({ status: 403, isReused: false });
  agent.destroy();
});

it('is refused with the reason from who shows none, or another', async () => {
  const other = await createTestIssuer();
  const inThePast = { notBefore: new Date(Date.now() - 7_200_000), notAfter: new Date(Date.now() - 3_600_000) };
  const subject = ocesSubject(CVR, UUID);
  for (const [shown, reason] of [
    [undefined, 'Show a client certificate.'],
    [await other.issue({ subject }), 'another issuer'],
    [await other.issue({ subject: [...subject, { OU: [`\n${client.certificate}\n`] }] }), 'cannot be read'],
    [await issuer.issue({ subject: ocesSubject(CVR, randomUUID()) }), 'another organisation or system'],
    [await issuer.issue({ subject, ...inThePast }), 'has expired'],
  ] as const) {
    const answer = await deliver(shown);
    expect(answer).toMatchObject({ status: 403, errorCode: 'caller-not-allowed' });
    expect(JSON.stringify(answer)).toContain(reason);
  }
  expect(await stack.sql('SELECT FROM messages')).toHaveLength(4);
});

it('is refused from who passes on the certificate of another', async () => {
  const header = { 'x-ssl-client-cert': encodeURIComponent(client.certificate) };
  expect(await deliver(undefined, { headers: header })).toMatchObject({ status: 403 });
  expect(await deliver(client, { headers: header })).toMatchObject({ status: 403 });
  const plain = await stack.deliver(writeMemo(), header);
  expect([plain.status, await plain.text()]).toEqual([
    403,
    expect.stringContaining('Only a proxy of SF1606_TLS_PROXIES'),
  ]);
});

it('is refused on the port without TLS', async () => {
  expect((await stack.deliver(writeMemo())).status).toBe(403);
});

it('is refused in the handshake with an old TLS, and speaks HTTP/1.1 only', async () => {
  await expect(
    deliver(client, { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
  ).rejects.toThrow();
  const { hostname, port } = new URL(stack.secureUrl);
  const socket: TLSSocket = connect({
    host: hostname,
    port: Number(port),
    ca: serverIssuer.certificate,
    ALPNProtocols: ['h2', 'http/1.1'],
  });
  await once(socket, 'secureConnect');
  expect(socket.alpnProtocol).toBe('http/1.1');
  socket.destroy();
});

it('lets nobody change the certificate of a connection', async () => {
  const { hostname, port } = new URL(stack.secureUrl);
  const socket = connect({
    host: hostname,
    port: Number(port),
    ca: serverIssuer.certificate,
    maxVersion: 'TLSv1.2',
  });
  await once(socket, 'secureConnect');
  const renegotiated = new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.renegotiate({}, (error) => (error ? reject(error) : resolve()));
  });
  await expect(renegotiated).rejects.toThrow('no renegotiation');
  socket.destroy();
});

it('answers who ends its direction after the request, and then ends the connection', async () => {
  const { hostname, port } = new URL(stack.secureUrl);
  const tcp = connectPlainly({ host: hostname, port: Number(port), allowHalfOpen: true });
  const { certificate: cert, key } = client;
  const socket = connect({ socket: tcp, host: hostname, ca: serverIssuer.certificate, cert, key });
  const messageUUID = randomUUID();
  const memo = writeMemo({ messageUUID });
  socket.end(
    Buffer.concat([
      Buffer.from(
        `POST ${REST_PATH} HTTP/1.1\r\nHost: test\r\nContent-Type: text/xml\r\nContent-Length: ${memo.length}\r\n\r\n`,
      ),
      memo,
    ]),
  );

  const answer = await text(socket);

  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  expect(answer).toContain(messageUUID);
});

it('gives the place of an upload back when its caller resets the connection before the last byte', {
  tags: 'long',
}, async () => {
  const { hostname, port } = new URL(stack.secureUrl);
  const memo = writeMemo();
  for (let n = 0; n < 5; n += 1) {
    const tcp = connectPlainly({ host: hostname, port: Number(port) });
    const { certificate: cert, key } = client;
    const socket = connect({ socket: tcp, host: hostname, ca: serverIssuer.certificate, cert, key });
    socket.on('error', () => {});
    await once(socket, 'secureConnect');
    const head = `POST ${REST_PATH} HTTP/1.1\r\nHost: test\r\nContent-Type: text/xml\r\nContent-Length: ${memo.length}\r\n\r\n`;
    await new Promise((resolve) => socket.write(Buffer.concat([Buffer.from(head), memo.subarray(0, -1)]), resolve));
    tcp.resetAndDestroy();
    socket.destroy();
  }
  const metrics = async () => (await fetch(`${stack.operationsUrl}/metrics`)).text();
  await vi.waitFor(
    async () => {
      expect(await metrics()).toMatch(/indbakke_intake_total\{endpoint="rest",outcome="body-incomplete"\} 5$/m);
      expect(await metrics()).toMatch(/^indbakke_uploads 0$/m);
    },
    { timeout: 15_000, interval: 200 },
  );
});

it('serves deliveries alone there', async () => {
  const call = request(`${stack.secureUrl}/api/v1/incoming-documents`, { agent: false, ca: serverIssuer.certificate });
  call.end();
  const [answer] = (await once(call, 'response')) as [IncomingMessage];
  answer.resume();
  expect(answer.statusCode).toBe(404);
});

it('takes a renewed certificate of ours, and a longer list of what was revoked, without a restart', {
  tags: 'long',
  timeout: 150_000,
}, async () => {
  const shownBy = async () => {
    const { hostname, port } = new URL(stack.secureUrl);
    const socket = connect({ host: hostname, port: Number(port), ca: serverIssuer.certificate });
    await once(socket, 'secureConnect');
    const { raw } = socket.getPeerCertificate();
    socket.destroy();
    return Buffer.from(raw).toString('hex');
  };
  const agent = new Agent({ keepAlive: true });
  expect(await deliver(client, { agent })).toMatchObject({ status: 200, isReused: false });
  write('server.pem', 'half a certificate');
  expect(await deliver(client)).toMatchObject({ status: 200 });
  const renewed = await writeServerCertificate();
  write('revoked.crl', await issuer.revoke([client.serialNumber]));
  await vi.waitFor(async () => expect(await shownBy()).toBe(Buffer.from(renewed.der).toString('hex')), {
    timeout: 70_000,
    interval: 1_000,
  });
  await vi.waitFor(async () => expect(JSON.stringify(await deliver(client))).toContain('was revoked'), {
    timeout: 70_000,
    interval: 1_000,
  });
  expect(await deliver(client, { agent })).toMatchObject({ status: 403, isReused: true });
  agent.destroy();
  const rows = await stack.sql<{ details: { fault: string; count: number } }>(
    `SELECT details FROM audit_events WHERE action = 'caller-refused' AND municipality = 'installation'`,
  );
  expect(rows.map(({ details }) => details.fault)).toEqual(
    expect.arrayContaining(['missing', 'unknown-issuer', 'not-named', 'expired', 'header-of-a-stranger']),
  );
  const metrics = await (await fetch(`${stack.operationsUrl}/metrics`)).text();
  expect(metrics).toMatch(/indbakke_own_certificate_days_left 9\.\d+/);
  expect(metrics).toMatch(/indbakke_revocations_left_seconds 17\d{4}/);
});
