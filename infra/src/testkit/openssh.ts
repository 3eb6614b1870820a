import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { freePort } from '../local/free-port.js';
import { isInstalled } from './installed.js';

const SSHD = '/usr/sbin/sshd'; // it starts itself again for each connection, so it wants the whole path
const run = promisify(execFile);

/** Warns when it is false. */
export const HAS_SSHD = (await isInstalled(SSHD, ['-V'])) && (await isInstalled('ssh-keygen', ['-?']));
if (!HAS_SSHD) {
  console.warn('sshd is not installed (Debian package openssh-server): tests that need OpenSSH are skipped.');
}

/** An OpenSSH server of SFTP on loopback, as the user of this process, with keys of its own. */
export interface OpenSsh {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** The private key that it lets in. */
  readonly keyFile: string;
  /** Fingerprints of its host keys: Ed25519 and RSA. */
  readonly hostKeys: readonly string[];
  /** Folders for both directions, here and there. */
  readonly inFolder: string;
  readonly outFolder: string;
  close(): Promise<void>;
}

/**
 * @param options of its `internal-sftp`, such as `-P open`, which refuses that request
 * @param keyType of the key that it lets in
 */
export async function startOpenSsh(options = '', keyType: 'ed25519' | 'rsa' = 'ed25519'): Promise<OpenSsh> {
  const folder = await mkdtemp(join(tmpdir(), 'indbakke-openssh-'));
  const [keyFile, ed25519, rsa] = ['user', 'ed25519', 'rsa'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await makeKey(keyFile, keyType);
  const hostKeys = [await makeKey(ed25519), await makeKey(rsa, 'rsa')];
  const [inFolder, outFolder] = [join(folder, 'IN'), join(folder, 'OUT')];
  for (const each of [inFolder, outFolder]) await mkdir(each);
  const port = await freePort();
  const lines = [
    `ListenAddress 127.0.0.1:${port}`,
    `HostKey ${ed25519}`,
    `HostKey ${rsa}`,
    `AuthorizedKeysFile ${keyFile}.pub`,
    'StrictModes no', // of the folder above ours, which everybody may write to
    'UsePAM no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    'PidFile none',
    `Subsystem sftp internal-sftp ${options}`,
  ];
  await writeFile(join(folder, 'sshd_config'), `${lines.join('\n')}\n`);
  // As root it demands the folder of Debian's service, which may never have run.
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  const server = spawn(SSHD, ['-D', '-e', '-f', join(folder, 'sshd_config')], { stdio: ['ignore', 'ignore', 'pipe'] });
  await isListening(server.stderr);
  return {
    host: '127.0.0.1',
    port,
    user: userInfo().username,
    keyFile,
    hostKeys,
    inFolder,
    outFolder,
    async close() {
      const ended = once(server, 'exit');
      server.kill();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A new key without a passphrase in `file`, and its public part beside it; returns its fingerprint, `SHA256:…`. */
export async function makeKey(file: string, type: 'ed25519' | 'rsa' = 'ed25519'): Promise<string> {
  await run('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', 'indbakke', '-f', file]);
  const { stdout } = await run('ssh-keygen', ['-lf', file]);
  return stdout.split(' ')[1] ?? '';
}

async function isListening(stderr: NodeJS.ReadableStream): Promise<void> {
  const said: string[] = [];
  for await (const line of createInterface({ input: stderr })) {
    said.push(line);
    if (line.includes('Server listening on')) break;
  }
  if (!said.at(-1)?.includes('Server listening on')) throw new Error(`sshd did not start: ${said.join('\n')}`);
  stderr.resume();
}
