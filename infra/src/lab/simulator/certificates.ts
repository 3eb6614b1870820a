import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HOUR } from '@indbakke/shared/config';
import { createTestIssuer, type Issued, ocesSubject } from '../../testkit/certificates.js';
import type { ShownCertificate, SimulatorTls } from './client.js';

/** Serviceplatformen’s own CVR number, which its certificates have in test and production. */
const SERVICEPLATFORMEN = '19435075';
const ANOTHER = '11111111';

/** What a receiver is to be told, beside the files. */
export interface MadeCertificates {
  readonly cvr: string;
  readonly uuid: string;
  readonly tls: SimulatorTls;
}

/**
 * Makes a test CA, and certificates of it as OCES3 has them, in a folder: `ca.pem`, which both sides trust; `server.*` for the
 * receiver; `client.*`, `other.*` and `expired.*` to show to it; `revoked.crl`, an empty list. They are good for ten days.
 *
 * @param hosts names and addresses of the receiver
 */
export async function makeCertificates(folder: string, hosts: readonly string[]): Promise<MadeCertificates> {
  await mkdir(folder, { recursive: true });
  const issuer = await createTestIssuer();
  const uuid = randomUUID();
  const subject = ocesSubject(SERVICEPLATFORMEN, uuid);
  const past = { notBefore: new Date(Date.now() - 2 * HOUR), notAfter: new Date(Date.now() - HOUR) };
  const issued = {
    server: await issuer.issue({ hosts }),
    client: await issuer.issue({ subject }),
    other: await issuer.issue({ subject: ocesSubject(ANOTHER, randomUUID()) }),
    expired: await issuer.issue({ subject, ...past }),
  };
  await writeFile(join(folder, 'ca.pem'), issuer.certificate);
  await writeFile(join(folder, 'revoked.crl'), await issuer.revoke([]));
  for (const [name, each] of Object.entries(issued)) await write(folder, name, each);
  return { cvr: SERVICEPLATFORMEN, uuid, tls: readCertificates(folder) };
}

async function write(folder: string, name: string, { certificate, key }: Issued): Promise<void> {
  await writeFile(join(folder, `${name}.pem`), certificate);
  await writeFile(join(folder, `${name}.key`), key, { mode: 0o600 });
}

/** Of such a folder; `other` and `expired` need not be there. @throws Error when a file is missing */
export function readCertificates(folder: string): SimulatorTls {
  const shown = (name: string): ShownCertificate => ({
    certificate: readFileSync(join(folder, `${name}.pem`), 'utf8'),
    key: readFileSync(join(folder, `${name}.key`), 'utf8'),
  });
  const isThere = (name: string) => existsSync(join(folder, `${name}.pem`));
  return {
    trusted: readFileSync(join(folder, 'ca.pem'), 'utf8'),
    own: shown('client'),
    ...(isThere('other') && { other: shown('other') }),
    ...(isThere('expired') && { expired: shown('expired') }),
  };
}
