import 'reflect-metadata'; // for @peculiar/x509
import { randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import { DAY, HOUR } from '@indbakke/shared/config';
import {
  BasicConstraintsExtension,
  type Extension,
  type JsonName,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
  X509CrlGenerator,
} from '@peculiar/x509';

/** As OCES3 signs: RSASSA-PSS with SHA-256. */
const PSS = {
  name: 'RSA-PSS',
  hash: 'SHA-256',
  saltLength: 32,
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 2_048,
};

/** A certificate with its key, PEM both. */
export interface Issued {
  readonly certificate: string;
  readonly der: Uint8Array<ArrayBuffer>;
  readonly key: string;
  /** In hex. */
  readonly serialNumber: string;
}

export interface CertificateSpec {
  readonly subject?: JsonName;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** Names of a server. */
  readonly hosts?: readonly string[];
}

/** The subject of an OCES3 system certificate. */
export const ocesSubject = (cvr: string, uuid: string, name = 'Test system'): JsonName => [
  { C: ['DK'] },
  { '2.5.4.97': [`NTRDK-${cvr}`] },
  { O: ['Test organisation'] },
  { '2.5.4.5': [`UI:DK-O:G:${uuid}`] },
  { CN: [name] },
];

/** An issuer of certificates and of lists of what it revoked. */
export interface TestIssuer {
  /** PEM. */
  readonly certificate: string;
  readonly der: Uint8Array<ArrayBuffer>;
  issue(spec?: CertificateSpec): Promise<Issued>;
  /** DER of its list. */
  revoke(serialNumbers: readonly string[], thisUpdate?: Date, extensions?: Extension[]): Promise<Buffer>;
}

const ISSUER: JsonName = [{ C: ['DK'] }, { O: ['Test'] }, { CN: ['Test OCES issuer'] }];

/** @param mayIssue false: what it signs must not be taken */
export async function createTestIssuer(name = ISSUER, mayIssue = true): Promise<TestIssuer> {
  const keys = await newKeys();
  const own = await X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name,
    keys,
    signingAlgorithm: PSS,
    ...during(),
    extensions: mayIssue
      ? [
          new BasicConstraintsExtension(true, 0, true),
          new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        ]
      : [],
  });
  return {
    certificate: own.toString('pem'),
    der: new Uint8Array(own.rawData),
    async issue({ subject = ocesSubject('11111111', newUuid()), notBefore, notAfter, hosts = [] } = {}) {
      const { privateKey, publicKey } = await newKeys();
      const names = hosts.map((value) => ({ type: isIP(value) > 0 ? ('ip' as const) : ('dns' as const), value }));
      const made = await X509CertificateGenerator.create({
        serialNumber: newSerial(),
        subject,
        issuer: own.subject,
        publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: PSS,
        ...during(notBefore, notAfter),
        extensions: names.length > 0 ? [new SubjectAlternativeNameExtension(names)] : [],
      });
      const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey)).toString('base64');
      return {
        certificate: made.toString('pem'),
        der: new Uint8Array(made.rawData),
        key: `-----BEGIN PRIVATE KEY-----\n${pkcs8.replace(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`,
        serialNumber: made.serialNumber,
      };
    },
    async revoke(serialNumbers, thisUpdate = new Date(), extensions = []) {
      const list = await X509CrlGenerator.create({
        issuer: own.subject,
        thisUpdate,
        nextUpdate: new Date(thisUpdate.getTime() + DAY),
        signingAlgorithm: PSS,
        signingKey: keys.privateKey,
        extensions,
        entries: serialNumbers.map((serialNumber) => ({ serialNumber, revocationDate: thisUpdate })),
      });
      return Buffer.from(list.rawData);
    },
  };
}

const newKeys = () => webcrypto.subtle.generateKey(PSS, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;
const newUuid = () => webcrypto.randomUUID();
/** Positive, as RFC 5280 has it. */
const newSerial = () => `4${randomBytes(8).toString('hex').slice(1)}`;
const during = (notBefore = new Date(Date.now() - HOUR), notAfter = new Date(Date.now() + 10 * DAY)) => ({
  notBefore,
  notAfter,
});
