import { currentTime } from '@indbakke/shared/clock';
import { SECOND } from '@indbakke/shared/config';
import type { HashingThread } from '@indbakke/shared/content';
import { worker } from '@indbakke/shared/queue';
import { type Parts, type Repeating, repeat, type Work } from '@indbakke/shared/service';
import type { ReceiverConfig } from '../config.js';
import { createFetchFileHandler, FETCH_FILE } from './files/fetch-file.js';
import { sweepDueFetches } from './files/sweep.js';
import { createSendReceiptHandler, SEND_BUSINESS_RECEIPT } from './receipts/send-receipt.js';
import { sweepDueReceipts } from './receipts/sweep.js';
import { createDistributeHandler, DISTRIBUTE_MESSAGE } from './sending/distribute-message.js';
import { sendingSettings } from './sending/settings.js';
import { sweepDueDistributions } from './sending/sweep.js';
import { openDistributionClient } from './service/client.js';
import { sftpSettings } from './sftp/settings.js';

// Each is a connection to the SFTP server.
const CONCURRENT_FETCHES = 4;
// Each is a connection to Serviceplatformen, and one that hangs holds its place for SF2900_SERVICE_SECONDS.
const CONCURRENT_RECEIPTS = 8;
// Each is a connection to the SFTP server, and then one to Serviceplatformen.
const CONCURRENT_DISTRIBUTIONS = 2;

/** What is done for documents after their technical receipt, and for messages that are sent on. */
export interface Sf2900Work extends Work {
  /** A document was stored: its file may be there already. */
  readonly wake: () => void;
}

/** @throws Error with a sentence that names the setting at fault */
export async function createSf2900Work(
  parts: Parts,
  config: ReceiverConfig,
  hashingThread: HashingThread,
): Promise<Sf2900Work> {
  const sftp = await sftpSettings(config);
  const fetches: Repeating[] = sftp
    ? [repeat('sweep-due-fetches', 2 * SECOND, parts.log, () => sweepDueFetches(parts, currentTime()), 0)]
    : [];
  const client = await openDistributionClient(config);
  if (!client) parts.log.warn('receipts-not-sent', { setting: 'SF2900_SERVICE_URL' });
  const sending = sendingSettings(config, sftp, client);
  return {
    wake: () => {
      for (const fetch of fetches) fetch.wake();
    },
    jobs: [
      ...(sftp
        ? [worker(FETCH_FILE, CONCURRENT_FETCHES, createFetchFileHandler({ ...parts, hashingThread, sftp, config }))]
        : []),
      ...(client
        ? [worker(SEND_BUSINESS_RECEIPT, CONCURRENT_RECEIPTS, createSendReceiptHandler({ ...parts, client }))]
        : []),
      ...(sending
        ? [worker(DISTRIBUTE_MESSAGE, CONCURRENT_DISTRIBUTIONS, createDistributeHandler({ ...parts, ...sending }))]
        : []),
    ],
    sweeps: [
      ...fetches,
      ...(client
        ? [repeat('sweep-due-receipts', 5 * SECOND, parts.log, () => sweepDueReceipts(parts, config, currentTime()), 0)]
        : []),
      ...(sending
        ? [
            repeat(
              'sweep-due-distributions',
              2 * SECOND,
              parts.log,
              () => sweepDueDistributions(parts, currentTime()),
              0,
            ),
          ]
        : []),
    ],
  };
}
