import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { freePort } from '../../../infra/src/local/free-port.js';
import {
  createTestIssuer,
  type Issued,
  ocesSubject,
  type TestIssuer,
} from '../../../infra/src/testkit/certificates.js';
import { startTestStack, type TestStack } from '../../../infra/src/testkit/stack.js';
import { deliverOverTls } from './support/deliver-over-tls.js';

// Deliveries through HAProxy, which terminates TLS, verifies that the caller has the key of its certificate, and passes that on over TLS.

const HAPROXY = '/usr/sbin/haproxy';
const CVR = '19435075';
const UUID = randomUUID();

const configOf = (folder: string, port: number, receiver: URL) => `
global
  maxconn 100
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend deliveries
  bind 127.0.0.1:${port} ssl crt ${folder}/server.pem ca-file ${folder}/issuers.pem verify optional crt-ignore-err all ca-ignore-err all
  http-request set-header X-SSL-Client-Cert %[ssl_c_der,base64]
  default_backend receiver
backend receiver
  server receiver ${receiver.host} ssl ca-file ${folder}/server-issuer.pem
`;

describe.skipIf(!existsSync(HAPROXY))('HAProxy in front', () => {
  let folder: string;
  let stack: TestStack;
  let haproxy: ChildProcess;
  let url: string;
  let issuer: TestIssuer;
  let server: TestIssuer;
  let client: Issued;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'indbakke-haproxy-'));
    [server, issuer] = await Promise.all([createTestIssuer([{ CN: ['Test server issuer'] }]), createTestIssuer()]);
    client = await issuer.issue({ subject: ocesSubject(CVR, UUID) });
    const own = await server.issue({ hosts: ['127.0.0.1'] });
    const file = (name: string, content: string) => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    stack = await startTestStack({
      SF1606_CALLERS: 'certificate',
      SF1606_TLS_PORT: '0',
      SF1606_TLS_KEY_FILE: file('server.key', own.key),
      SF1606_TLS_CERTIFICATE_FILE: file('server.crt', own.certificate),
      SF1606_TLS_PROXIES: '127.0.0.1',
      SF1606_TLS_PROXY_FORMAT: 'haproxy',
      SF1606_TLS_ISSUERS_FILE: file('issuers.pem', issuer.certificate),
      SF1606_TLS_CLIENTS: `${CVR}/${UUID}`,
    });
    file('server.pem', `${own.certificate}\n${own.key}`);
    file('server-issuer.pem', server.certificate);
    const port = await freePort();
    url = `https://127.0.0.1:${port}`;
    const config = file('haproxy.cfg', configOf(folder, port, new URL(stack.secureUrl)));
    haproxy = spawn(HAPROXY, ['-db', '-f', config], { stdio: 'ignore' });
    await vi.waitFor(() => deliver(undefined), { timeout: 10_000, interval: 100 });
  });

  afterAll(async () => {
    if (haproxy?.exitCode === null) {
      haproxy.kill();
      await once(haproxy, 'exit');
    }
    await stack?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const deliver = (shown: Issued | undefined, headers = {}) =>
    deliverOverTls(url, { shown, headers, trusted: server.certificate });

  it('passes on the certificate of the system that is named', async () => {
    expect(await deliver(client)).toMatchObject({ status: 200 });
  });

  it('passes on certificates that are none of ours, which are refused with the reason', async () => {
    const subject = ocesSubject(CVR, UUID);
    const other = await createTestIssuer();
    const isInside = [...subject, { OU: [`\n${client.certificate}\n`] }];
    for (const [shown, reason] of [
      [undefined, 'Show a client certificate.'],
      [await issuer.issue({ subject: ocesSubject(CVR, randomUUID()) }), 'another organisation or system'],
      [await other.issue({ subject }), 'another issuer'],
      [await other.issue({ subject: isInside }), 'cannot be read'],
    ] as const) {
      const answer = await deliver(shown);
      expect(answer).toMatchObject({ status: 403, errorCode: 'caller-not-allowed' });
      expect(JSON.stringify(answer)).toContain(reason);
    }
  });

  it('replaces a header that the caller wrote', async () => {
    const written = Buffer.from(client.der).toString('base64');
    for (const name of ['x-ssl-client-cert', 'X-SSL-CLIENT-CERT', 'X_SSL_Client_Cert']) {
      expect(await deliver(undefined, { [name]: written })).toMatchObject({ status: 403 });
    }
  });
});
