import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { freePort } from '../../../../infra/src/local/free-port.js';
import {
  createTestIssuer,
  type Issued,
  ocesSubject,
  type TestIssuer,
} from '../../../../infra/src/testkit/certificates.js';
import { startTestStack, type TestStack } from '../../../../infra/src/testkit/stack.js';
import { type Answer, deliverOverTls } from './deliver-over-tls.js';

export const CVR = '19435075';
export const UUID = randomUUID();

/** A receiver behind a real proxy that terminates TLS and passes on the certificate. */
export interface BehindProxy {
  readonly issuer: TestIssuer;
  /** Of the system that may deliver. */
  readonly client: Issued;
  deliver(shown: Issued | undefined, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  close(): Promise<void>;
}

/**
 * @param command starts the proxy on this port. Its folder has server.pem (certificate and key), issuers.pem, and server-issuer.pem,
 *   the issuer of the receiver’s own certificate
 */
export async function startBehindProxy(
  format: 'nginx' | 'haproxy',
  command: (place: { folder: string; port: number; stack: TestStack }) => readonly [file: string, ...args: string[]],
): Promise<BehindProxy> {
  const folder = mkdtempSync(join(tmpdir(), `indbakke-${format}-`));
  const write = (name: string, content: string) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const [server, issuer] = await Promise.all([createTestIssuer([{ CN: ['Test server issuer'] }]), createTestIssuer()]);
  const client = await issuer.issue({ subject: ocesSubject(CVR, UUID) });
  const own = await server.issue({ hosts: ['127.0.0.1'] });
  write('server.pem', `${own.certificate}\n${own.key}`);
  write('server-issuer.pem', server.certificate);
  const stack = await startTestStack({
    SF1606_CALLERS: 'certificate',
    SF1606_TLS_PORT: '0',
    SF1606_TLS_KEY_FILE: write('server.key', own.key),
    SF1606_TLS_CERTIFICATE_FILE: write('server.crt', own.certificate),
    SF1606_TLS_PROXIES: '127.0.0.1',
    SF1606_TLS_PROXY_FORMAT: format,
    SF1606_TLS_ISSUERS_FILE: write('issuers.pem', issuer.certificate),
    SF1606_TLS_CLIENTS: `${CVR}/${UUID}`,
  });
  const port = await freePort();
  const [file, ...args] = command({ folder, port, stack });
  const proxy = spawn(file, args, { stdio: 'ignore' });
  const deliver: BehindProxy['deliver'] = (shown, headers = {}) =>
    deliverOverTls(`https://127.0.0.1:${port}`, { shown, headers, trusted: server.certificate });
  const close = async () => {
    if (proxy.exitCode === null) {
      proxy.kill();
      await once(proxy, 'exit');
    }
    await stack.close();
    rmSync(folder, { recursive: true, force: true });
  };
  await vi
    .waitFor(() => deliver(undefined), { timeout: 10_000, interval: 100 })
    .catch(async (error: unknown) => {
      await close();
      throw error;
    });
  return { issuer, client, deliver, close };
}
