import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Env } from '@indbakke/shared/config';
import {
  answerTo,
  type DistributionCall,
  type ServedDistribution,
  send,
  serveDistribution,
} from '../../local/distribution/service.js';
import { servedFolder } from '../../local/served-folder.js';
import { makeKeys, type SftpServer, startSftpServer } from '../../local/sftp-server.js';
import { SYSTEM_ID } from '../../testkit/sending-on.js';

const USER = 'indbakke';

/** To whom messages are sent on: one that takes them, and one that Fordelingskomponenten does not know. */
export const RECIPIENTS = ['11111111', '99999999'] as const;
const UNKNOWN = RECIPIENTS[1];
const REFUSAL = { code: 'RUT-404', text: 'Modtageren er ukendt.' };

/** What a sender was told by a business receipt. */
interface ToldReceipt {
  readonly transactionId: string;
  readonly code: string;
  /** One for each decision, however often it is sent. */
  readonly callId: string;
}

/** What was sent on, as a call tells it. */
export interface ToldObject {
  readonly transactionId: string;
  /** Of its file in the folder for what is sent on. */
  readonly fileName: string;
  /** Of the receipt that it was answered. */
  readonly code: 'MODTAGET' | 'AFVIST';
}

/** Fordelingskomponenten: its SFTP server, and what receipts and messages that are sent on are told to. */
export class FarEnd {
  /** Of the services. */
  readonly settings: Env;
  readonly #served: string;
  readonly #sftp: SftpServer;
  readonly #service: ServedDistribution;
  readonly #calls: readonly DistributionCall[];

  private constructor(
    settings: Env,
    served: string,
    sftp: SftpServer,
    service: ServedDistribution,
    calls: readonly DistributionCall[],
  ) {
    this.settings = settings;
    this.#served = served;
    this.#sftp = sftp;
    this.#service = service;
    this.#calls = calls;
  }

  static async open(folder: string): Promise<FarEnd> {
    const served = join(folder, 'far-end');
    for (const name of ['IN', 'OUT']) await mkdir(join(served, name), { recursive: true });
    const { privateKey, publicKey } = makeKeys();
    const keyFile = join(folder, 'sftp-key');
    await writeFile(keyFile, privateKey, { mode: 0o600 });
    const hostKey = makeKeys().privateKey;
    const sftp = await startSftpServer({ files: servedFolder(served), user: USER, publicKey, hostKey });
    const calls: DistributionCall[] = [];
    const service = await serveDistribution({
      respond(call, res) {
        calls.push(call);
        send(res, answerTo(call, isRefused(call) ? REFUSAL : undefined));
      },
    });
    const settings = {
      SF2900: 'on',
      SF2900_SFTP_HOST: sftp.host,
      SF2900_SFTP_PORT: String(sftp.port),
      SF2900_SFTP_USER: USER,
      SF2900_SFTP_KEY_FILE: keyFile,
      SF2900_SFTP_HOST_KEYS: sftp.hostKeys.join(','),
      SF2900_SERVICE_URL: service.url,
      SF2900_RECEIPT_DELAY_SECONDS: '0',
      SF2900_SENDING: 'on',
      SF2900_SYSTEM_ID: SYSTEM_ID,
    };
    return new FarEnd(settings, served, sftp, service, calls);
  }

  /** Puts a file there, whole from its first sight on. */
  async put(name: string, content: Buffer): Promise<void> {
    const part = join(this.#served, name);
    await writeFile(part, content);
    await rename(part, join(this.#served, 'IN', name));
  }

  /** The files that wait to be fetched. */
  files(): Promise<string[]> {
    return readdir(join(this.#served, 'IN'));
  }

  /** The files that were sent on. */
  filesSentOn(): Promise<string[]> {
    return readdir(join(this.#served, 'OUT'));
  }

  fileSentOn(name: string): Promise<Buffer> {
    return readFile(join(this.#served, 'OUT', name));
  }

  /** What was sent on; the same call again tells nothing new. */
  objects(): ToldObject[] {
    const sendings = this.#calls.filter(({ operation }) => operation === 'FordelingsobjektAfsend');
    return [...new Map(sendings.map((call) => [call.envelope, call])).values()].map((call) => ({
      transactionId: textAt(call.request, ...CONTEXT, 'AnvenderTransaktionsID'),
      fileName: textAt(call.request, ...CONTEXT, 'DokumentFilNavn'),
      code: isRefused(call) ? 'AFVIST' : 'MODTAGET',
    }));
  }

  receipts(): ToldReceipt[] {
    return this.#calls
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

const CONTEXT = ['anmodning', 'DistributionContext'];

function isRefused({ operation, request }: DistributionCall): boolean {
  return operation === 'FordelingsobjektAfsend' && textAt(request, ...CONTEXT, 'RoutingMyndighed') === UNKNOWN;
}

function textAt(request: unknown, ...names: string[]): string {
  const found = names.reduce<unknown>((here, name) => (here as Readonly<Record<string, unknown>>)[name], request);
  return String(found);
}
