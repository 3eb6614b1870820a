import 'reflect-metadata'; // for @peculiar/x509
import { readFile, stat } from 'node:fs/promises';
import { HOUR } from '@indbakke/shared/config';
import { type X509Certificate, X509Crl } from '@peculiar/x509';

/** A clock of the issuer may be ahead of ours. */
const MAX_AHEAD = HOUR;

// 3 to 8 for each certificate: more than 100 000 of them. The default is for some thousands, and an issuer of a whole country has more.
const MAX_NODES = 1_000_000;
// RFC 5280, 5.2.5: a list may be one of several, which are all to be named then.
const ISSUING_DISTRIBUTION_POINT = '2.5.29.28';

/**
 * The certificates that an issuer revoked: a file that something else fetches, such as a timer with curl. It is read again when it has
 * changed. A file that cannot be read leaves what was read before, until that is too old.
 */
export class RevocationList {
  readonly #file: string;
  readonly #maxAgeMs: number;
  #list: X509Crl | undefined;
  #issuer: string | undefined;
  #revoked: ReadonlySet<string> = new Set();
  #changedAt: number | undefined;

  /** @param maxAgeHours how long a list is believed after it was made */
  constructor(file: string, maxAgeHours: number) {
    this.#file = file;
    this.#maxAgeMs = maxAgeHours * HOUR;
  }

  /**
   * @throws Error with a sentence when the file is away, no list that can be used, signed by none of the issuers, or older than what was
   * read before: it is mostly fetched over HTTP, where somebody may send a former one
   */
  async refresh(issuers: readonly X509Certificate[]): Promise<void> {
    const { mtimeMs } = await stat(this.#file);
    if (mtimeMs === this.#changedAt) return;
    const list = new X509Crl(new Uint8Array(await readFile(this.#file)), { berOptions: { maxNodes: MAX_NODES } });
    const unknown = list.extensions.find(({ critical, type }) => critical && type !== ISSUING_DISTRIBUTION_POINT);
    // RFC 5280, 5.2: what is not on such a list may be revoked all the same, as with one of the newest changes only (5.2.4).
    if (unknown) throw new Error(`${this.#file} has a critical extension that is not known (${unknown.type}).`);
    const signer = await signerOf(list, issuers);
    if (!signer) throw new Error(`${this.#file} is signed by none of the issuers.`);
    if (this.#list && list.thisUpdate < this.#list.thisUpdate) {
      throw new Error(`${this.#file} is older than the one that was read before.`);
    }
    this.#revoked = new Set(list.entries.map(({ serialNumber }) => plain(serialNumber)));
    this.#list = list;
    this.#issuer = idOf(signer);
    this.#changedAt = mtimeMs;
  }

  isOf(issuer: X509Certificate): boolean {
    return this.#issuer === idOf(issuer);
  }

  /** How long it is still believed, in seconds; not at all before one was read. */
  secondsLeft(now: number): number {
    return ((this.#list?.thisUpdate.getTime() ?? 0) + this.#maxAgeMs - now) / 1_000;
  }

  /** @param serialNumber in hex */
  check(serialNumber: string, now: number): 'revoked' | 'revocation-unknown' | undefined {
    const msLeft = this.secondsLeft(now) * 1_000;
    if (msLeft < 0 || msLeft > this.#maxAgeMs + MAX_AHEAD) return 'revocation-unknown';
    return this.#revoked.has(plain(serialNumber)) ? 'revoked' : undefined;
  }
}

async function signerOf(list: X509Crl, issuers: readonly X509Certificate[]): Promise<X509Certificate | undefined> {
  for (const issuer of issuers) {
    if (issuer.subject === list.issuer && (await list.verify({ publicKey: issuer }).catch(() => false))) return issuer;
  }
  return undefined;
}

const idOf = ({ publicKey }: X509Certificate) => Buffer.from(publicKey.rawData).toString('base64');
const plain = (serialNumber: string) => serialNumber.toUpperCase().replace(/^0+(?=.)/, '');
