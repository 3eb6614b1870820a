import { randomUUID } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestIssuer, ocesSubject } from '../../../infra/src/testkit/certificates.js';
import { type BehindProxy, CVR, startBehindProxy, UUID } from './support/behind-proxy.js';

// Deliveries through HAProxy, which terminates TLS, verifies that the caller has the key of its certificate, and passes that on over TLS.

const HAPROXY = '/usr/sbin/haproxy';

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
  let proxy: BehindProxy;

  beforeAll(async () => {
    proxy = await startBehindProxy('haproxy', ({ folder, port, stack }) => {
      const config = join(folder, 'haproxy.cfg');
      writeFileSync(config, configOf(folder, port, new URL(stack.secureUrl)));
      return [HAPROXY, '-db', '-f', config];
    });
  });

  afterAll(() => proxy?.close());

  it('passes on the certificate of the system that is named', async () => {
    expect(await proxy.deliver(proxy.client)).toMatchObject({ status: 200 });
  });

  it('passes on certificates that are none of ours, which are refused with the reason', async () => {
    const subject = ocesSubject(CVR, UUID);
    const other = await createTestIssuer();
    const isInside = [...subject, { OU: [`\n${proxy.client.certificate}\n`] }];
    for (const [shown, reason] of [
      [undefined, 'Show a client certificate.'],
      [await proxy.issuer.issue({ subject: ocesSubject(CVR, randomUUID()) }), 'another organisation or system'],
      [await other.issue({ subject }), 'another issuer'],
      [await other.issue({ subject: isInside }), 'cannot be read'],
    ] as const) {
      const answer = await proxy.deliver(shown);
      expect(answer).toMatchObject({ status: 403, errorCode: 'caller-not-allowed' });
      expect(JSON.stringify(answer)).toContain(reason);
    }
  });

  it('replaces a header that the caller wrote', async () => {
    const written = Buffer.from(proxy.client.der).toString('base64');
    for (const name of ['x-ssl-client-cert', 'X-SSL-CLIENT-CERT', 'X_SSL_Client_Cert']) {
      expect(await proxy.deliver(undefined, { [name]: written })).toMatchObject({ status: 403 });
    }
  });
});
