import { createHash } from 'node:crypto';
import { mkdir, open, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { servedFolder } from '../../local/served-folder.js';
import { type SftpServer, startSftpServer } from '../../local/sftp-server.js';

/** Serviceplatformen’s SFTP server, on this machine: the receiver fetches from /IN, and removes. */
export interface SimulatorSftp {
  /** Where the files are meanwhile. */
  readonly folder: string;
  readonly user: string;
  /** Of the receiver: a line of OpenSSH. */
  readonly publicKey: string;
  /** Of the server, private: PEM. */
  readonly hostKey: string;
  /** Default: any free one. */
  readonly port?: number;
}

export class SftpPlace {
  readonly server: SftpServer;
  readonly #in: string;

  private constructor(server: SftpServer, folder: string) {
    this.server = server;
    this.#in = folder;
  }

  static async open({ folder, user, publicKey, hostKey, port }: SimulatorSftp): Promise<SftpPlace> {
    const inFolder = join(folder, 'IN');
    for (const name of ['IN', 'OUT']) await mkdir(join(folder, name), { recursive: true });
    const files = servedFolder(folder);
    const server = await startSftpServer({ files, user, publicKey, hostKey, ...(port !== undefined && { port }) });
    return new SftpPlace(server, inFolder);
  }

  /** Puts a file there whole. @returns its SHA-256 in hex, and its bytes */
  async put(name: string, pieces: Iterable<Buffer>): Promise<{ readonly sha256: string; readonly bytes: number }> {
    const hash = createHash('sha256');
    let bytes = 0;
    const part = join(this.#in, '..', `${name}.part`);
    const file = await open(part, 'wx', 0o600);
    try {
      for (const piece of pieces) {
        hash.update(piece);
        bytes += piece.length;
        await file.write(piece);
      }
    } finally {
      await file.close();
    }
    await rename(part, join(this.#in, name));
    return { sha256: hash.digest('hex'), bytes };
  }

  /** How many are not fetched. */
  async left(): Promise<number> {
    return (await readdir(this.#in)).length;
  }

  close(): Promise<void> {
    return this.server.close();
  }
}
