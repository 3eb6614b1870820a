import type { ReceiverConfig } from '../../config.js';
import { readPrivateKey, type SftpSettings } from './connection.js';

type Setting = Extract<keyof ReceiverConfig, `SF2900_SFTP_${string}`>;
type SftpConfig = Pick<ReceiverConfig, Setting>;

/**
 * The SFTP server of the settings; `undefined` without SF2900_SFTP_HOST.
 * @throws Error with a sentence that names the setting at fault
 */
export async function sftpSettings(config: SftpConfig): Promise<SftpSettings | undefined> {
  const host = config.SF2900_SFTP_HOST;
  if (host === undefined) return undefined;
  const keyFile = required(config, 'SF2900_SFTP_KEY_FILE');
  await readPrivateKey(keyFile).catch((cause) => {
    throw new Error('SF2900_SFTP_KEY_FILE: the file cannot be read, or has no private key without a passphrase.', {
      cause,
    });
  });
  return {
    host,
    port: config.SF2900_SFTP_PORT,
    user: required(config, 'SF2900_SFTP_USER'),
    keyFile,
    hostKeys: required(config, 'SF2900_SFTP_HOST_KEYS'),
    idleSeconds: config.SF2900_SFTP_IDLE_SECONDS,
  };
}

function required<Name extends Setting>(config: SftpConfig, name: Name): NonNullable<SftpConfig[Name]> {
  const value = config[name];
  if (value === undefined) throw new Error(`${name} is missing: SF2900_SFTP_HOST is set.`);
  return value as NonNullable<SftpConfig[Name]>;
}
