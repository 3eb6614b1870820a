import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeKeys } from '../src/local/sftp-server.js';
import { isInstalled } from '../src/testkit/installed.js';
import { type FaultySftpServer, startFaultySftpServer } from '../src/testkit/sftp-server.js';

const HAS_SFTP = await isInstalled('sftp', ['-?']);

describe.skipIf(!HAS_SFTP)('with the client of OpenSSH', () => {
  let server: FaultySftpServer;
  let folder: string;

  beforeAll(async () => {
    server = await startFaultySftpServer();
    folder = await mkdtemp(join(tmpdir(), 'indbakke-sftp-client-'));
  });

  afterAll(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs commands of `sftp`, and answers what it prints. */
  async function sftp(...commands: string[]): Promise<string> {
    const batch = join(folder, 'batch');
    await writeFile(batch, `${commands.join('\n')}\n`);
    const known = ['-o', 'StrictHostKeyChecking=no', '-o', `UserKnownHostsFile=${join(folder, 'known')}`];
    const args = ['-F', 'none', ...known, '-i', server.keyFile, '-b', batch, '-P', String(server.port)];
    const { stdout } = await promisify(execFile)('sftp', [...args, `${server.user}@${server.host}`], { cwd: folder });
    return stdout;
  }

  it('serves and takes files byte by byte, lists, renames and removes them', async () => {
    const content = randomBytes(1_000_003);
    await writeFile(join(folder, 'brev æøå.bin'), content);
    const listed = await sftp(
      'put "brev æøå.bin" /IN/ny.part',
      'rename /IN/ny.part "/IN/brev æøå.bin"',
      'get "/IN/brev æøå.bin" back.bin',
      'put back.bin /OUT/back.bin',
      'rm /OUT/back.bin',
      'ls -1 /IN',
    );
    expect(listed).toContain('/IN/brev');
    expect(await readdir(join(server.folder, 'IN'))).toEqual(['brev æøå.bin']);
    expect(await readdir(join(server.folder, 'OUT'))).toEqual([]);
    expect((await readFile(join(folder, 'back.bin'))).equals(content)).toBe(true);
  });

  it('refuses another key, and paths out of the folder', async () => {
    await expect(sftp('get /../../../../etc/passwd stolen')).rejects.toThrow('not found');
    await writeFile(server.keyFile, makeKeys().privateKey, { mode: 0o600 });
    await expect(sftp('ls')).rejects.toThrow('Permission denied');
  });
});
