import { randomUUID } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestIssuer, ocesSubject } from '../../../infra/src/testkit/certificates.js';
import { type BehindProxy, CVR, startBehindProxy, UUID } from './support/behind-proxy.js';

// Deliveries through nginx, which terminates TLS, verifies that the caller has the key of its certificate, and passes that on.

const NGINX = '/usr/sbin/nginx';

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
    ssl_certificate_key server.pem;
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
  let proxy: BehindProxy;

  beforeAll(async () => {
    proxy = await startBehindProxy('nginx', ({ folder, port, stack }) => {
      writeFileSync(join(folder, 'nginx.conf'), configOf(port, stack.url));
      return [NGINX, '-p', folder, '-c', 'nginx.conf', '-e', 'stderr'];
    });
  });

  afterAll(() => proxy?.close());

  it('passes on the certificate of the system that is named', async () => {
    expect(await proxy.deliver(proxy.client)).toMatchObject({ status: 200 });
  });

  it('passes on nobody else', async () => {
    expect(await proxy.deliver(undefined)).toMatchObject({ status: 403, errorMessage: 'Show a client certificate.' });
    const other = await proxy.issuer.issue({ subject: ocesSubject(CVR, randomUUID()) });
    expect(await proxy.deliver(other)).toMatchObject({ status: 403, errorCode: 'caller-not-allowed' });
    // nginx refuses it in the handshake, or says so in place of us.
    const stranger = await (await createTestIssuer()).issue({ subject: ocesSubject(CVR, UUID) });
    expect((await proxy.deliver(stranger)).status).toBe(400);
  });

  it('replaces a header that the caller wrote', async () => {
    const headers = { 'x-ssl-client-cert': encodeURIComponent(proxy.client.certificate) };
    expect(await proxy.deliver(undefined, headers)).toMatchObject({ status: 403 });
  });
});
