import type { ReceiverConfig } from '../../config.js';
import type { DistributionClient } from '../service/client.js';
import type { SftpSettings } from '../sftp/session.js';
import type { SendingParts } from './distribute-message.js';

type SendingConfig = Pick<ReceiverConfig, 'SF2900' | 'SF2900_SENDING' | 'SF2900_SFTP_OUT' | 'SF2900_SYSTEM_ID'>;

/**
 * What messages are sent on with; `undefined` where none are.
 * @throws Error with a sentence that names the setting at fault
 */
export function sendingSettings(
  { SF2900_SENDING, SF2900_SFTP_OUT: folder, SF2900_SYSTEM_ID: systemId }: SendingConfig,
  sftp: SftpSettings | undefined,
  client: DistributionClient | undefined,
): Omit<SendingParts, 'store' | 'blobs' | 'keys' | 'log' | 'scanning'> | undefined {
  if (SF2900_SENDING === 'off') return undefined;
  if (!sftp) throw new Error('SF2900_SFTP_HOST is missing: SF2900_SENDING is on, and files are sent by SFTP.');
  if (!client) throw new Error('SF2900_SERVICE_URL is missing: SF2900_SENDING is on.');
  if (systemId === undefined) throw new Error('SF2900_SYSTEM_ID is missing: SF2900_SENDING is on.');
  return { sftp, client, folder, systemId };
}

/** @throws Error with a sentence, where the receipts of what is sent on could not come */
export function requireRecipient({ SF2900, SF2900_SENDING }: SendingConfig): void {
  if (SF2900 === 'on' || SF2900_SENDING === 'off') return;
  throw new Error('SF2900_SENDING needs SF2900=on: receipts of what is sent on come where documents come.');
}
