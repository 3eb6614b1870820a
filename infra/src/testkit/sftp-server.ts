import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { servedFolder } from '../local/served-folder.js';
import { makeKeys, type ServedFile, type ServedFiles, type SftpServer, startSftpServer } from '../local/sftp-server.js';

/** A request, before it is done. */
export interface SftpRequest {
  readonly does: 'status' | 'open' | 'read' | 'write' | 'close' | 'rename' | 'remove';
  readonly path: string;
  /** Of `read` and `write`: from which byte. */
  readonly at: number;
}

/** What the server does instead: answers nothing, cuts the connection, refuses, or fails as with a full disk. */
export type Misbehaviour = 'hang' | 'cut' | 'refuse' | 'fail';

/** An SFTP server that can be told to misbehave. */
export interface FaultySftpServer extends SftpServer {
  readonly user: string;
  readonly keyFile: string;
  /** The folder that it serves, with /IN and /OUT. */
  readonly folder: string;
  readonly requests: readonly SftpRequest[];
  /** Asked before each request; it may also change the folder meanwhile. */
  obey(rule: Rule): void;
  /** From now on files consist of `zeros`, of which it says that they are `size`. */
  pretend(file: PretendedFile): void;
  /** A good server again. */
  behave(): void;
}

interface PretendedFile {
  readonly size: number;
  readonly zeros: number;
}

export type Rule = (request: SftpRequest) => Misbehaviour | undefined | Promise<Misbehaviour | undefined>;

/** @param hostKey private; default: a new one */
export async function startFaultySftpServer(hostKey = makeKeys().privateKey): Promise<FaultySftpServer> {
  const folder = await mkdtemp(join(tmpdir(), 'indbakke-sftp-server-'));
  const served = join(folder, 'served');
  for (const name of ['IN', 'OUT']) await mkdir(join(served, name), { recursive: true });
  const { privateKey, publicKey } = makeKeys();
  const keyFile = join(folder, 'key');
  await writeFile(keyFile, privateKey, { mode: 0o600 });

  const requests: SftpRequest[] = [];
  let rule: Rule = () => undefined;
  let pretended: PretendedFile | undefined;
  const ask = async (does: SftpRequest['does'], path: string, at = 0): Promise<void> => {
    const request = { does, path, at };
    requests.push(request);
    const misbehaviour = await rule(request);
    if (misbehaviour === 'cut') server.cut();
    if (misbehaviour === 'hang' || misbehaviour === 'cut') return new Promise<never>(() => {});
    if (misbehaviour)
      throw Object.assign(new Error(`${misbehaviour} ${path}`), { code: misbehaviour === 'refuse' ? 'EACCES' : 'EIO' });
  };
  const good = servedFolder(served);
  const files: ServedFiles = {
    async status(path) {
      await ask('status', path);
      return { ...(await good.status(path)), ...(pretended && { size: pretended.size }) };
    },
    async open(path, flags) {
      await ask('open', path);
      return faultyFile(await good.open(path, flags), path);
    },
    list: (path) => good.list(path),
    async rename(from, to) {
      await ask('rename', from);
      await good.rename(from, to);
    },
    async remove(path) {
      await ask('remove', path);
      await good.remove(path);
    },
  };
  const faultyFile = (file: ServedFile, path: string): ServedFile => ({
    status: () => files.status(path),
    async read(at, length) {
      await ask('read', path, at);
      if (!pretended) return file.read(at, length);
      return Buffer.alloc(Math.min(length, Math.max(0, pretended.zeros - at)));
    },
    async write(at, bytes) {
      await ask('write', path, at);
      await file.write(at, bytes);
    },
    async close() {
      await file.close();
      await ask('close', path);
    },
  });

  const server = await startSftpServer({ files, user: 'indbakke', publicKey, hostKey });
  return {
    ...server,
    user: 'indbakke',
    keyFile,
    folder: served,
    requests,
    obey(given) {
      rule = given;
    },
    pretend(file) {
      pretended = file;
    },
    behave() {
      rule = () => undefined;
      pretended = undefined;
      requests.length = 0;
    },
    async close() {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Settings by which it is used, and given up soon. */
export const sftpEnv = ({
  host,
  port,
  user,
  keyFile,
  hostKeys,
}: Pick<FaultySftpServer, 'host' | 'port' | 'user' | 'keyFile' | 'hostKeys'>) => ({
  SF2900_SFTP_HOST: host,
  SF2900_SFTP_PORT: String(port),
  SF2900_SFTP_USER: user,
  SF2900_SFTP_KEY_FILE: keyFile,
  SF2900_SFTP_HOST_KEYS: hostKeys.join(','),
  SF2900_SFTP_IDLE_SECONDS: '1',
});
