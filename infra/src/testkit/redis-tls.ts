import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Env } from '@indbakke/shared/config';
import { createTestIssuer } from './certificates.js';

/** TLS of servers that ask for the certificates of their clients. */
export interface RedisTls {
  /** Of redis-server and its sentinels. */
  argsOf(port: number): readonly string[];
  /** Of redis-cli. */
  readonly access: readonly string[];
  /** Of the services. */
  readonly env: Env;
}

/** @param folder where its files are */
export async function createRedisTls(folder: string): Promise<RedisTls> {
  const issuer = await createTestIssuer();
  const { certificate, key } = await issuer.issue({ hosts: ['127.0.0.1'] });
  const save = async (name: string, content: string) => {
    const file = join(folder, name);
    await writeFile(file, content);
    return file;
  };
  const ca = await save('issuer.pem', issuer.certificate);
  const [certificateFile, keyFile] = [await save('server.pem', certificate), await save('server-key.pem', key)];
  return {
    argsOf: (port) => [
      ...['--port', '0', '--tls-port', String(port), '--tls-ca-cert-file', ca],
      ...['--tls-cert-file', certificateFile, '--tls-key-file', keyFile],
      ...['--tls-replication', 'yes', '--tls-cluster', 'yes'],
    ],
    access: ['--tls', '--cacert', ca, '--cert', certificateFile, '--key', keyFile],
    env: { QUEUE_CA_FILE: ca, QUEUE_CERTIFICATE_FILE: certificateFile, QUEUE_KEY_FILE: keyFile },
  };
}
