import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Env } from '@indbakke/shared/config';
import { makeKeys } from '../local/sftp-server.js';
import type { Setup } from './stack.js';

/** UUID of the system that sends on. */
export const SYSTEM_ID = '5a1f0e9c-0c4b-4c5f-9d0e-6a2b9c1d7e30';

/** Settings by which messages may be sent on; nobody listens where they are sent to. */
export async function sendingOn({ contentFolder }: Setup): Promise<Env> {
  const keyFile = join(dirname(contentFolder), 'sftp-key');
  await writeFile(keyFile, makeKeys().privateKey, { mode: 0o600 });
  return {
    SF2900_SENDING: 'on',
    SF2900_SYSTEM_ID: SYSTEM_ID,
    SF2900_SFTP_HOST: '127.0.0.1',
    SF2900_SFTP_PORT: '1',
    SF2900_SFTP_USER: 'indbakke',
    SF2900_SFTP_KEY_FILE: keyFile,
    SF2900_SFTP_HOST_KEYS: `SHA256:${'A'.repeat(43)}`,
    SF2900_SERVICE_URL: 'http://127.0.0.1:1/',
  };
}
