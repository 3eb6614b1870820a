import { constants, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { DAY } from '../config/index.js';

/** The certificate that a port of ours shows: files, which are read again when they change. */
export class OwnCertificate {
  readonly #keyFile: string;
  readonly #certificateFile: string;
  readonly #clientIssuers: string;
  #changedAt = '';
  #validTo = 0;

  /** @param clientIssuers PEM: whose certificates clients are asked for */
  constructor(keyFile: string, certificateFile: string, clientIssuers: string) {
    this.#keyFile = keyFile;
    this.#certificateFile = certificateFile;
    this.#clientIssuers = clientIssuers;
  }

  /**
   * What TLS needs, when the files have changed since it was asked last, and fit each other.
   *
   * @throws Error when a file is away, or key and certificate do not belong together
   */
  async changed(): Promise<SecureContextOptions | undefined> {
    const times = await Promise.all(
      [this.#keyFile, this.#certificateFile].map(async (file) => (await stat(file)).mtimeMs),
    );
    if (times.join() === this.#changedAt) return undefined;
    const [key, cert] = await Promise.all([this.#keyFile, this.#certificateFile].map((file) => readFile(file, 'utf8')));
    const options: SecureContextOptions = {
      key,
      cert,
      ca: this.#clientIssuers,
      minVersion: 'TLSv1.2',
      // Who calls on a connection stays the same.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    };
    createSecureContext(options);
    this.#changedAt = times.join();
    this.#validTo = Date.parse(new X509Certificate(cert as string).validTo);
    return options;
  }

  /** Until it expires. */
  daysLeft(now = Date.now()): number {
    return (this.#validTo - now) / DAY;
  }
}
