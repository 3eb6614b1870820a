import { mkdir, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Env } from '@indbakke/shared/config';
import { servedFolder } from '../../local/served-folder.js';
import { makeKeys, type SftpServer, startSftpServer } from '../../local/sftp-server.js';
import { type DistributionService, startDistributionService } from '../../testkit/distribution-service.js';

const USER = 'indbakke';

/** What a sender was told by a business receipt. */
interface ToldReceipt {
  readonly transactionId: string;
  readonly code: string;
  /** One for each decision, however often it is sent. */
  readonly callId: string;
}

/** Fordelingskomponenten: its SFTP server, and what receipts are sent to. */
export class FarEnd {
  /** Of the services. */
  readonly settings: Env;
  readonly #inFolder: string;
  readonly #sftp: SftpServer;
  readonly #service: DistributionService;

  private constructor(settings: Env, inFolder: string, sftp: SftpServer, service: DistributionService) {
    this.settings = settings;
    this.#inFolder = inFolder;
    this.#sftp = sftp;
    this.#service = service;
  }

  static async open(folder: string): Promise<FarEnd> {
    const served = join(folder, 'far-end');
    for (const name of ['IN', 'OUT']) await mkdir(join(served, name), { recursive: true });
    const { privateKey, publicKey } = makeKeys();
    const keyFile = join(folder, 'sftp-key');
    await writeFile(keyFile, privateKey, { mode: 0o600 });
    const hostKey = makeKeys().privateKey;
    const sftp = await startSftpServer({ files: servedFolder(served), user: USER, publicKey, hostKey });
    const service = await startDistributionService();
    const settings = {
      SF2900: 'on',
      SF2900_SFTP_HOST: sftp.host,
      SF2900_SFTP_PORT: String(sftp.port),
      SF2900_SFTP_USER: USER,
      SF2900_SFTP_KEY_FILE: keyFile,
      SF2900_SFTP_HOST_KEYS: sftp.hostKeys.join(','),
      SF2900_SERVICE_URL: service.url,
      SF2900_RECEIPT_DELAY_SECONDS: '0',
    };
    return new FarEnd(settings, join(served, 'IN'), sftp, service);
  }

  /** Puts a file there, whole from its first sight on. */
  async put(name: string, content: Buffer): Promise<void> {
    const part = join(this.#inFolder, '..', name);
    await writeFile(part, content);
    await rename(part, join(this.#inFolder, name));
  }

  /** The files that are there. */
  files(): Promise<string[]> {
    return readdir(this.#inFolder);
  }

  receipts(): ToldReceipt[] {
    return this.#service.calls
      .filter(({ operation }) => operation === 'FordelingskvitteringModtag')
      .map(({ request }) => ({
        transactionId: textAt(request, 'DistributionContext', 'AnvenderTransaktionsID'),
        code: textAt(request, 'Forretningskvittering', 'ForretningsValideringsKode'),
        callId: textAt(request, 'CallContext', 'CallersServiceCallIdentifier'),
      }));
  }

  async close(): Promise<void> {
    await Promise.all([this.#sftp.close(), this.#service.close()]);
  }
}

function textAt(request: unknown, ...names: string[]): string {
  const found = names.reduce<unknown>((here, name) => (here as Readonly<Record<string, unknown>>)[name], request);
  return String(found);
}
