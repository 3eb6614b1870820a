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

// Deliveries through nginx, which terminates TLS, verifies that the caller has the key of its certificate, and passes that on.

const NGINX = '/usr/sbin/nginx';
const CVR = '19435075';
const UUID = randomUUID();

const configOf = (port: number, receiver: string) => `
daemon off;
pid nginx.pid;
error_log stderr warn;
events {}
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate server.pem;
    ssl_certificate_key server.key;
    ssl_client_certificate issuers.pem;
    ssl_verify_client optional;
    client_max_body_size 110m;
    proxy_request_buffering off;
    location /sf1606/ {
      proxy_pass ${receiver};
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header X-SSL-Client-Cert $ssl_client_escaped_cert;
    }
  }
}
`;

describe.skipIf(!existsSync(NGINX))('nginx in front', () => {
  let folder: string;
  let stack: TestStack;
  let nginx: ChildProcess;
  let url: string;
  let issuer: TestIssuer;
  let server: TestIssuer;
  let client: Issued;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'indbakke-nginx-'));
    [server, issuer] = await Promise.all([createTestIssuer([{ CN: ['Test server issuer'] }]), createTestIssuer()]);
    client = await issuer.issue({ subject: ocesSubject(CVR, UUID) });
    const own = await server.issue({ hosts: ['127.0.0.1'] });
    const files = { 'server.pem': own.certificate, 'server.key': own.key, 'issuers.pem': issuer.certificate };
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    stack = await startTestStack({
      SF1606_CALLERS: 'certificate',
      SF1606_TLS_PROXIES: '127.0.0.1',
      SF1606_TLS_PROXY_FORMAT: 'nginx',
      SF1606_TLS_ISSUERS_FILE: join(folder, 'issuers.pem'),
      SF1606_TLS_CLIENTS: `${CVR}/${UUID}`,
    });
    const port = await freePort();
    url = `https://127.0.0.1:${port}`;
    writeFileSync(join(folder, 'nginx.conf'), configOf(port, stack.url));
    nginx = spawn(NGINX, ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr'], { stdio: 'ignore' });
    await vi.waitFor(() => deliver(undefined), { timeout: 10_000, interval: 100 });
  });

  afterAll(async () => {
    if (nginx?.exitCode === null) {
      nginx.kill();
      await once(nginx, 'exit');
    }
    await stack?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const deliver = (shown: Issued | undefined, headers = {}) =>
    deliverOverTls(url, { shown, headers, trusted: server.certificate });

  it('passes on the certificate of the system that is named', async () => {
    expect(await deliver(client)).toMatchObject({ status: 200 });
  });

  it('passes on nobody else', async () => {
    expect(await deliver(undefined)).toMatchObject({ status: 403, errorMessage: 'Show a client certificate.' });
    const other = await issuer.issue({ subject: ocesSubject(CVR, randomUUID()) });
    expect(await deliver(other)).toMatchObject({ status: 403, errorCode: 'caller-not-allowed' });
    // nginx refuses it in the handshake, or says so in place of us.
    const stranger = await (await createTestIssuer()).issue({ subject: ocesSubject(CVR, UUID) });
    expect((await deliver(stranger)).status).toBe(400);
  });

  it('replaces a header that the caller wrote', async () => {
    const headers = { 'x-ssl-client-cert': encodeURIComponent(client.certificate) };
    expect(await deliver(undefined, headers)).toMatchObject({ status: 403 });
  });
});
