import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Env } from '@indbakke/shared/config';
import { servedFolder } from '../served-folder.js';
import { makeKeys, publicKeyOf, startSftpServer } from '../sftp-server.js';
import { inStateFolder, type StatePaths } from '../state.js';
import { answerTo, type DistributionCall, send, serveDistribution } from './service.js';

/** A business receipt, as it reaches the system that sent the document. */
export interface SentReceipt {
  readonly transactionId: string;
  readonly sender: string;
  readonly code: string;
  readonly reason: string | undefined;
}

export interface StandIn {
  /** With which Indbakke uses it. */
  readonly settings: Env;
  /** Where files of documents are put for Indbakke; undefined when it has another SFTP server. */
  readonly inFolder: string | undefined;
  close(): Promise<void>;
}

/**
 * A stand-in for Fordelingskomponenten, on free ports of loopback: its SFTP server, and Serviceplatformen’s Distribution/3. What
 * `env` names itself is not started, and nothing is beside a database that it names: the receipts of real documents must not end here.
 */
export async function startStandIn(
  paths: StatePaths,
  env: Env,
  onReceipt: (receipt: SentReceipt) => void,
): Promise<StandIn> {
  const isWanted = env.SF2900 !== 'off' && !env.DATABASE_URL;
  const files = isWanted && !env.SF2900_SFTP_HOST ? await startFiles(paths) : undefined;
  const service = isWanted && !env.SF2900_SERVICE_URL ? await startService(onReceipt) : undefined;
  return {
    settings: { ...files?.settings, ...service?.settings },
    inFolder: files?.inFolder,
    async close() {
      await Promise.all([files?.close(), service?.close()]);
    },
  };
}

const USER = 'indbakke';

async function startFiles(paths: StatePaths): Promise<StandIn> {
  const inFolder = join(paths.sftp, 'IN');
  const [userKeyFile, hostKeyFile] = [join(paths.keys, 'sftp-user.pem'), join(paths.keys, 'sftp-host.pem')];
  await inStateFolder(paths.root, async () => {
    for (const folder of [paths.keys, inFolder, join(paths.sftp, 'OUT')]) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
    }
    for (const file of [userKeyFile, hostKeyFile]) if (!existsSync(file)) await writeKey(file);
  });
  const server = await startSftpServer({
    files: servedFolder(paths.sftp),
    user: USER,
    publicKey: publicKeyOf(await readFile(userKeyFile, 'utf8')),
    hostKey: await readFile(hostKeyFile, 'utf8'),
  });
  const settings = {
    SF2900_SFTP_HOST: server.host,
    SF2900_SFTP_PORT: String(server.port),
    SF2900_SFTP_USER: USER,
    SF2900_SFTP_KEY_FILE: userKeyFile,
    SF2900_SFTP_HOST_KEYS: server.hostKeys.join(','),
  };
  return { settings, inFolder, close: server.close };
}

async function writeKey(file: string): Promise<void> {
  await writeFile(`${file}.part`, makeKeys().privateKey, { mode: 0o600 });
  await rename(`${file}.part`, file);
}

async function startService(onReceipt: (receipt: SentReceipt) => void) {
  const service = await serveDistribution({
    respond(call, res) {
      send(res, answerTo(call));
      if (call.operation === 'FordelingskvitteringModtag') onReceipt(receiptIn(call));
    },
  });
  return { settings: { SF2900_SERVICE_URL: service.url }, close: service.close };
}

function receiptIn({ request }: DistributionCall): SentReceipt {
  const { Forretningskvittering: receipt, DistributionContext: context } = request as Record<
    'Forretningskvittering' | 'DistributionContext',
    Record<string, string>
  >;
  return {
    transactionId: context.AnvenderTransaktionsID ?? '',
    sender: context.AfsendendeMyndighed ?? '',
    code: receipt.ForretningsValideringsKode ?? '',
    reason: receipt.Begrundelse,
  };
}
