import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { SECOND } from '@indbakke/shared/config';
import ssh2, { type ClientErrorExtensions, type SFTPWrapper } from 'ssh2';
import SftpClient from 'ssh2-sftp-client';
import { faultOf, SftpFault, type SftpFaultCode } from './faults.js';

/** Where the SFTP server is, who we are there, and how it is known. */
export interface SftpSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** File with our private key, read for each connection. */
  readonly keyFile: string;
  /** Fingerprints of its host keys, as OpenSSH prints them: `SHA256:…`. */
  readonly hostKeys: readonly string[];
  /** How long it may stand still: connecting, and before each answer. */
  readonly idleSeconds: number;
}

type Answer<T> = (error?: Error | null, value?: T) => void;

const GOODBYE_SECONDS = 2;
const ignore = () => {};

/** A connection that is given up when the server stands still. One request at a time. */
export class Connection {
  readonly #settings: SftpSettings;
  readonly #socket: Socket;
  // Without callbacks it writes to the console.
  readonly #client = new SftpClient('sf2900', { error: ignore, end: ignore, close: ignore });
  #sftp: SFTPWrapper | undefined;
  #fault: SftpFaultCode | undefined;

  private constructor(settings: SftpSettings) {
    this.#settings = settings;
    this.#socket = connect(settings.port, settings.host).on('error', ignore);
    this.#socket.setNoDelay(true);
  }

  /** @throws SftpFault own-key, cannot-connect, wrong-host-key, sign-in-refused */
  static async open(settings: SftpSettings): Promise<Connection> {
    const privateKey = await readPrivateKey(settings.keyFile);
    const connection = new Connection(settings);
    try {
      await connection.#signIn(privateKey);
      return connection;
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  /**
   * Runs what asks the server; never for longer than it may stand still.
   * @throws SftpFault
   */
  async run<T>(request: (client: SftpClient) => Promise<T>, seconds = this.#settings.idleSeconds): Promise<T> {
    const timer = setTimeout(() => this.#giveUp(), seconds * SECOND);
    let onClose = ignore;
    const closed = new Promise<never>((_, reject) => {
      onClose = () => reject(new SftpFault('cut'));
    });
    this.#socket.once('close', onClose);
    try {
      if (this.#socket.closed) throw new SftpFault('cut');
      return await Promise.race([request(this.#client), closed]);
    } catch (error) {
      throw this.#fault ? new SftpFault(this.#fault) : faultOf(error);
    } finally {
      clearTimeout(timer);
      this.#socket.removeListener('close', onClose);
    }
  }

  /** Runs one request of the protocol, where the client's own word for it says less of what went wrong. */
  ask<T>(request: (sftp: SFTPWrapper, answer: Answer<T>) => void): Promise<T> {
    return this.run(
      () =>
        new Promise((resolve, reject) => {
          if (!this.#sftp) throw new SftpFault('cut');
          request(this.#sftp, (error, value) => (error ? reject(error) : resolve(value as T)));
        }),
    );
  }

  /** Safe at any time. */
  async close(): Promise<void> {
    await this.run((client) => client.end(), GOODBYE_SECONDS).catch(ignore);
    this.#socket.destroy();
  }

  #giveUp(): void {
    this.#fault ??= 'cut';
    this.#socket.destroy();
  }

  async #signIn(privateKey: Buffer): Promise<void> {
    const { user, hostKeys } = this.#settings;
    // The first to know wins: later ones are only its consequences.
    const because = (fault: SftpFaultCode) => {
      this.#fault ??= fault;
    };
    const noteError = (error: ClientErrorExtensions) =>
      because(error.level === 'client-authentication' ? 'sign-in-refused' : 'cannot-connect');
    this.#client.on('error', noteError);
    try {
      this.#sftp = await this.run((client) =>
        client.connect({
          sock: this.#socket,
          username: user,
          privateKey,
          readyTimeout: 0, // `run` has one that counts all of it
          hostVerifier: (key: Buffer) => {
            const isKnown = hostKeys.includes(fingerprintOf(key));
            if (!isKnown) because('wrong-host-key');
            return isKnown;
          },
        }),
      );
    } catch (error) {
      throw this.#fault === undefined || this.#fault === 'cut' ? new SftpFault('cannot-connect') : error;
    } finally {
      this.#client.removeListener('error', noteError);
    }
  }
}

/** @throws SftpFault own-key */
export async function readPrivateKey(file: string): Promise<Buffer> {
  const key = await readFile(file).catch(() => Buffer.alloc(0));
  const parsed = ssh2.utils.parseKey(key);
  if (parsed instanceof Error || !parsed.isPrivateKey()) throw new SftpFault('own-key');
  return key;
}

/** Of a host key, as OpenSSH prints it. */
const fingerprintOf = (key: Buffer): string =>
  `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
