import 'reflect-metadata'; // for @peculiar/x509
import { X509Certificate as NodeCertificate } from 'node:crypto';
import { X509Certificate } from '@peculiar/x509';
import { type OcesSubject, ocesSubjectOf } from './oces-subject.js';
import type { RevocationList } from './revocation-list.js';

/** Why a certificate is not taken. */
export type CertificateFault =
  | 'missing'
  | 'unreadable'
  | 'unknown-issuer'
  | 'not-yet-valid'
  | 'expired'
  | 'not-named'
  | 'revoked'
  | 'revocation-unknown';

export type Checked =
  | { readonly subject: OcesSubject; readonly fault?: undefined }
  | { readonly fault: CertificateFault };

interface Options {
  /** Certificates of those who may issue: PEM, one or several. */
  readonly issuers: string;
  /** Who may call. */
  readonly clients: readonly OcesSubject[];
  /** What the issuers revoked; none = it is not asked. */
  readonly revocationLists?: readonly RevocationList[];
  readonly now?: () => number;
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Twice: Node knows the signatures, the other names, times and lists. */
interface Issuer {
  readonly certificate: X509Certificate;
  readonly signed: NodeCertificate;
}

/**
 * Which certificates are taken: from one of the issuers, for one of the clients (CVR and UUID), valid now, and not revoked. Their
 * extended key usage is not looked at, since Serviceplatformen's production certificate has none.
 */
export class ClientCertificates {
  readonly #issuers: readonly Issuer[];
  readonly #clients: ReadonlySet<string>;
  readonly #lists: readonly RevocationList[];
  readonly #now: () => number;
  readonly #known = new Map<string, Read>();

  /** @throws Error with a sentence when there is no issuer, or one cannot be read */
  constructor({ issuers, clients, revocationLists = [], now = Date.now }: Options) {
    this.#issuers = (issuers.match(PEM) ?? []).map((pem) => ({
      certificate: new X509Certificate(pem),
      signed: new NodeCertificate(pem),
    }));
    if (this.#issuers.length === 0) throw new Error('There is no certificate of an issuer (PEM).');
    this.#clients = new Set(clients.map(keyOf));
    this.#lists = revocationLists;
    this.#now = now;
  }

  /** Reads the lists of what was revoked, where they have changed. @throws Error when one cannot be read, after the others were */
  async refresh(): Promise<void> {
    const issuers = this.#issuers.map(({ certificate }) => certificate);
    const refreshed = await Promise.allSettled(this.#lists.map((list) => list.refresh(issuers)));
    for (const each of refreshed) if (each.status === 'rejected') throw each.reason;
  }

  /** @param der the certificate as it was shown; undefined when none was */
  check(der: Uint8Array<ArrayBuffer> | undefined): Checked {
    if (!der || der.length === 0) return { fault: 'missing' };
    const read = this.#read(der);
    if (read.fault) return read;
    const { certificate, issuer, subject } = read;
    const now = this.#now();
    if (now < certificate.notBefore.getTime()) return { fault: 'not-yet-valid' };
    if (now > Math.min(certificate.notAfter.getTime(), issuer.notAfter.getTime())) return { fault: 'expired' };
    if (!subject || !this.#clients.has(keyOf(subject))) return { fault: 'not-named' };
    if (this.#lists.length === 0) return { subject };
    const fault = this.#revocationOf(certificate, issuer, now);
    return fault ? { fault } : { subject };
  }

  /** What of a certificate is the same at any time. The few that come again and again are remembered: to verify one takes a millisecond. */
  #read(der: Uint8Array<ArrayBuffer>): Read {
    const key = Buffer.from(der).toString('latin1');
    const known = this.#known.get(key);
    if (known) return known;
    const read = readCertificate(der, this.#issuers);
    if (read.fault) return read; // or strangers would fill it
    this.#known.set(key, read);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_KNOWN) this.#known.delete(oldest as string);
    return read;
  }

  #revocationOf(certificate: X509Certificate, issuer: X509Certificate, now: number) {
    const lists = this.#lists.filter((each) => each.isOf(issuer));
    if (lists.length === 0) return 'revocation-unknown';
    const faults = lists.map((list) => list.check(certificate.serialNumber, now));
    return faults.find((fault) => fault === 'revoked') ?? faults.find((fault) => fault !== undefined);
  }
}

const MAX_KNOWN = 100;

/** A certificate of one of the issuers. */
type Read =
  | {
      readonly certificate: X509Certificate;
      readonly issuer: X509Certificate;
      /** Undefined when it is not that of an organisation. */
      readonly subject: OcesSubject | undefined;
      readonly fault?: undefined;
    }
  | { readonly fault: 'unreadable' | 'unknown-issuer' };

function readCertificate(der: Uint8Array<ArrayBuffer>, issuers: readonly Issuer[]): Read {
  let certificate: X509Certificate;
  let signed: NodeCertificate;
  let subject: OcesSubject | undefined;
  try {
    certificate = new X509Certificate(der);
    signed = new NodeCertificate(der);
    // Node looks for a PEM in the bytes first: in the subject of a made-up certificate it would find a real one of another.
    const isReadAsShown = [signed.raw, Buffer.from(certificate.rawData)].every((read) => read.equals(der));
    if (!isReadAsShown) return { fault: 'unreadable' };
    subject = ocesSubjectOf(certificate.subjectName.toArrayBuffer());
  } catch {
    return { fault: 'unreadable' };
  }
  const issuer = issuers.find((each) => isIssuedBy(signed, each.signed))?.certificate;
  return issuer ? { certificate, issuer, subject } : { fault: 'unknown-issuer' };
}

const keyOf = ({ cvr, uuid }: OcesSubject) => `${cvr}/${uuid.toLowerCase()}`;

/** By name and by signature. */
const isIssuedBy = (certificate: NodeCertificate, issuer: NodeCertificate) =>
  issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
