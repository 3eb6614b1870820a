import { createHash, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { posix } from 'node:path';
import ssh2, { type Attributes, type AuthContext, type Connection, type ParsedKey, type SFTPWrapper } from 'ssh2';

const { STATUS_CODE, flagsToString } = ssh2.utils.sftp;

/** What an SFTP server serves, by absolute paths. Errors have the codes of Node's file system. */
export interface ServedFiles {
  /** Of a link, not of what it leads to. */
  status(path: string): Promise<Attributes>;
  /** @param flags as of Node's `open`: `r`, `w`, `wx` … */
  open(path: string, flags: string): Promise<ServedFile>;
  list(path: string): Promise<readonly { readonly name: string; readonly attributes: Attributes }[]>;
  /** Not over another file. */
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
}

/** A file of it that is open. */
export interface ServedFile {
  status(): Promise<Attributes>;
  /** Fewer bytes at the end of the file, none after it. */
  read(at: number, length: number): Promise<Buffer>;
  write(at: number, bytes: Buffer): Promise<void>;
  close(): Promise<void>;
}

export interface SftpServerOptions {
  readonly files: ServedFiles;
  readonly user: string;
  /** Of the user: a line of OpenSSH. */
  readonly publicKey: string;
  /** Of the server, private: PEM or OpenSSH. */
  readonly hostKey: string;
  /** 0 = any free one. */
  readonly port?: number;
}

/** An SFTP server on loopback, for one user. */
export interface SftpServer {
  readonly host: string;
  readonly port: number;
  /** Fingerprint of its host key. */
  readonly hostKeys: readonly string[];
  /** Cuts all connections. */
  cut(): void;
  close(): Promise<void>;
}

/** A new key pair: PEM, and a line of OpenSSH. Not by ssh2, whose Ed25519 keys break when their first byte is 0. */
export function makeKeys(): { readonly privateKey: string; readonly publicKey: string } {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
  });
  return { privateKey, publicKey: publicKeyOf(privateKey) };
}

/** As a line of OpenSSH. */
export function publicKeyOf(privateKey: string): string {
  const key = parsed(privateKey);
  return `${key.type} ${key.getPublicSSH().toString('base64')}`;
}

/** As ssh-keygen shows it. @param key private: PEM */
export function fingerprintOf(key: string): string {
  return `SHA256:${createHash('sha256').update(parsed(key).getPublicSSH()).digest('base64').replace(/=+$/, '')}`;
}

export async function startSftpServer(options: SftpServerOptions): Promise<SftpServer> {
  const userKey = parsed(options.publicKey);
  const sockets = new Set<Socket>();
  const ssh = new ssh2.Server({ hostKeys: [options.hostKey] }, (client) => serve(client, options, userKey));
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    ssh.injectSocket(socket);
  });
  await once(server.listen(options.port ?? 0, '127.0.0.1'), 'listening');
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    hostKeys: [fingerprintOf(options.hostKey)],
    cut,
    async close() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}

function serve(client: Connection, { files, user }: SftpServerOptions, userKey: ParsedKey): void {
  client.on('error', () => {}); // the client went away
  client.on('authentication', (context) => {
    if (context.username === user && hasKey(context, userKey)) context.accept();
    else context.reject(['publickey']);
  });
  client.on('session', (accept) => {
    accept().on('sftp', (acceptSftp) => serveFiles(acceptSftp(), files));
  });
}

/** A client asks first whether a key would do, without a signature. */
function hasKey(context: AuthContext, userKey: ParsedKey): boolean {
  if (context.method !== 'publickey' || !userKey.getPublicSSH().equals(context.key.data)) return false;
  if (!context.signature || !context.blob) return true;
  return userKey.verify(context.blob, context.signature, context.hashAlgo) === true;
}

type Opened =
  | { readonly file: ServedFile }
  | { readonly names: Awaited<ReturnType<ServedFiles['list']>>; isRead: boolean };

/** draft-ietf-secsh-filexfer-02. Requests are done one after the other, as OpenSSH does. */
function serveFiles(sftp: SFTPWrapper, files: ServedFiles): void {
  const opened = new Map<number, Opened>();
  let last = 0;
  let done: Promise<void> = Promise.resolve();

  const on = <Args extends unknown[]>(event: string, answer: (id: number, ...args: Args) => Promise<void>) =>
    sftp.on(event, (id: number, ...args: Args) => {
      done = done.then(() => answer(id, ...args)).catch((error) => sftp.status(id, statusOf(error), error.message)); // which names the file
    });
  const add = (id: number, each: Opened) => {
    const handle = Buffer.alloc(4);
    handle.writeUInt32BE(++last);
    opened.set(last, each);
    sftp.handle(id, handle);
  };
  const fileOf = (handle: Buffer): ServedFile => {
    const found = opened.get(handle.readUInt32BE());
    if (!found || !('file' in found)) throw new Error('There is no such file open.');
    return found.file;
  };
  const ok = (id: number) => sftp.status(id, STATUS_CODE.OK);

  on('REALPATH', async (id, path: string) => {
    const filename = posix.resolve('/', path);
    sftp.name(id, [{ filename, longname: filename, attrs: {} as Attributes }]);
  });
  for (const event of ['STAT', 'LSTAT']) {
    on(event, async (id, path: string) => sftp.attrs(id, await files.status(path)));
  }
  on('FSTAT', async (id, handle: Buffer) => sftp.attrs(id, await fileOf(handle).status()));
  for (const event of ['SETSTAT', 'FSETSTAT']) on(event, async (id) => ok(id)); // owners and rights are ours
  on('OPEN', async (id, path: string, flags: number) => {
    add(id, { file: await files.open(path, flagsToString(flags) ?? 'unknown') });
  });
  on('READ', async (id, handle: Buffer, at: number, length: number) => {
    const bytes = await fileOf(handle).read(at, length);
    if (bytes.length > 0) sftp.data(id, bytes);
    else sftp.status(id, STATUS_CODE.EOF);
  });
  on('WRITE', async (id, handle: Buffer, at: number, bytes: Buffer) => {
    await fileOf(handle).write(at, bytes);
    ok(id);
  });
  on('CLOSE', async (id, handle: Buffer) => {
    const found = opened.get(handle.readUInt32BE());
    opened.delete(handle.readUInt32BE());
    if (found && 'file' in found) await found.file.close();
    ok(id);
  });
  on('OPENDIR', async (id, path: string) => add(id, { names: await files.list(path), isRead: false }));
  on('READDIR', async (id, handle: Buffer) => {
    const found = opened.get(handle.readUInt32BE());
    if (!found || 'file' in found) throw new Error('There is no such folder open.');
    if (found.isRead || found.names.length === 0) return sftp.status(id, STATUS_CODE.EOF);
    found.isRead = true;
    sftp.name(
      id,
      found.names.map(({ name, attributes }) => ({ filename: name, longname: name, attrs: attributes })),
    );
  });
  on('RENAME', async (id, from: string, to: string) => {
    await files.rename(from, to);
    ok(id);
  });
  on('REMOVE', async (id, path: string) => {
    await files.remove(path);
    ok(id);
  });
  sftp.on('end', () => sftp.end()); // OpenSSH's client waits for it
  sftp.on('close', () => {
    for (const each of opened.values()) if ('file' in each) each.file.close().catch(() => {});
    opened.clear();
  });
}

const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  ENOENT: STATUS_CODE.NO_SUCH_FILE,
  EACCES: STATUS_CODE.PERMISSION_DENIED,
  EPERM: STATUS_CODE.PERMISSION_DENIED,
};

/** A full disk, a file in the way: this version of the protocol knows no more than that it failed. */
const statusOf = (error: NodeJS.ErrnoException) => STATUS_OF_CODE[error.code ?? ''] ?? STATUS_CODE.FAILURE;

function parsed(key: string): ParsedKey {
  const found = ssh2.utils.parseKey(key);
  if (found instanceof Error) throw found;
  return found;
}
