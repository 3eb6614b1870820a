import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Env } from '@indbakke/shared/config';
import { makeKeys } from '../../local/sftp-server.js';
import { SftpPlace } from '../simulator/sftp.js';

const USER = 'indbakke';

/** Serviceplatformen’s SFTP server, which the simulator puts files on, and the settings with which services fetch them. */
export async function openSftp(folder: string): Promise<{ readonly place: SftpPlace; readonly env: Env }> {
  const served = join(folder, 'sftp');
  await mkdir(served, { recursive: true });
  const { privateKey, publicKey } = makeKeys();
  const keyFile = join(folder, 'key-of-simulated-sftp');
  await writeFile(keyFile, privateKey, { mode: 0o600 });
  const place = await SftpPlace.open({ folder: served, user: USER, publicKey, hostKey: makeKeys().privateKey });
  const { host, port, hostKeys } = place.server;
  const env = {
    SF2900_SFTP_HOST: host,
    SF2900_SFTP_PORT: String(port),
    SF2900_SFTP_USER: USER,
    SF2900_SFTP_KEY_FILE: keyFile,
    SF2900_SFTP_HOST_KEYS: hostKeys.join(','),
  };
  return { place, env };
}
