import { createHash } from 'node:crypto';
import { KiB, SECOND } from '@indbakke/shared/config';
import type { Stats } from 'ssh2';
import { Connection, type SftpSettings } from './connection.js';
import { SftpFault, type SftpFaultCode } from './faults.js';
import { remoteNameOf } from './remote-name.js';

export type { SftpSettings } from './connection.js';

const BLOCK_BYTES = 64 * KiB; // small, so that a slow line shows that it moves

/** Takes the next bytes, which it may use until the promise settles, such as a FileSealer. */
export interface ByteSink {
  write(bytes: Buffer): Promise<void> | undefined;
}

/** What the server said of a file, the same before and after it was read. */
export interface RemoteFile {
  readonly size: number;
  /** To the second. */
  readonly modifiedAt: Date;
}

/**
 * Connects to the SFTP server, for one call after the other, and disconnects in the end, whatever happens.
 * @throws SftpFault own-key, cannot-connect, wrong-host-key, sign-in-refused; and what `work` throws
 */
export async function withSftp<T>(settings: SftpSettings, work: (session: SftpSession) => Promise<T>): Promise<T> {
  const connection = await Connection.open(settings);
  try {
    return await work(new SftpSession(connection));
  } finally {
    await connection.close();
  }
}

/**
 * Files in folders of the SFTP server; a name is checked by `remoteNameOf`.
 * @throws SftpFault, of every call: wrong-name, cut, refused, failed
 */
export class SftpSession {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Reads a file. What `into` got counts only once this resolves: it is whole, and was not changed meanwhile.
   * @throws SftpFault not-there, no-file, empty, too-large, changed; what `into` throws
   */
  async download(
    folder: string,
    name: string,
    { maxBytes }: { readonly maxBytes: number },
    into: ByteSink,
  ): Promise<RemoteFile> {
    const path = pathOf(folder, name);
    const before = await this.look(folder, name, { maxBytes });
    const bytes = await this.#read(path, before.size, into);
    const after = await this.#fileAt(path);
    const isSame = after.size === before.size && after.mtime * SECOND === before.modifiedAt.getTime();
    if (!isSame || bytes !== before.size) throw new SftpFault('changed');
    return before;
  }

  /**
   * What a file is, if it can be read.
   * @throws SftpFault not-there, no-file, empty, too-large
   */
  async look(folder: string, name: string, { maxBytes }: { readonly maxBytes: number }): Promise<RemoteFile> {
    const { size, mtime } = await this.#fileAt(pathOf(folder, name));
    if (size === 0) throw new SftpFault('empty');
    if (size > maxBytes) throw new SftpFault('too-large');
    return { size, modifiedAt: new Date(mtime * SECOND) };
  }

  /**
   * Writes a file under another name first, so that nobody sees half of it. What a call that was cut has left there is removed, not written
   * over: if that call is still going on, it finds its file gone, and neither puts one there that the other is still writing.
   * @throws SftpFault exists (perhaps from a call that was cut after it was done), no-room; what `source` throws
   */
  async upload(folder: string, name: string, source: AsyncIterable<Buffer>): Promise<void> {
    const path = pathOf(folder, name);
    const partPath = pathOf(folder, partNameOf(name));
    if (await this.#exists(path)) throw new SftpFault('exists');
    try {
      await this.#delete(partPath);
      const bytes = await this.#write(partPath, source);
      if ((await this.#fileAt(partPath)).size !== bytes) throw new SftpFault('failed');
      await this.#rename(partPath, path);
    } catch (error) {
      await this.#delete(partPath).catch(() => {});
      throw error;
    }
  }

  /** Does nothing when it is gone already, or is of another size or time: then it is another file, which has come since. */
  async remove(folder: string, name: string, file: RemoteFile): Promise<void> {
    const path = pathOf(folder, name);
    if (!(await this.#exists(path))) return;
    const { size, mtime } = await this.#fileAt(path);
    if (size === file.size && mtime * SECOND === file.modifiedAt.getTime()) await this.#delete(path);
  }

  async #fileAt(path: string): Promise<Stats> {
    const found = await this.#status(path);
    if (!found.isFile()) throw new SftpFault('no-file');
    return found;
  }

  async #exists(path: string): Promise<boolean> {
    try {
      await this.#status(path);
      return true;
    } catch (error) {
      if (isFault(error, 'not-there')) return false;
      throw error;
    }
  }

  /** Not by `lstat` of the library, for which a server that fails has no such file. */
  #status(path: string): Promise<Stats> {
    return this.#connection.ask((sftp, answer) => sftp.lstat(path, answer));
  }

  async #delete(path: string): Promise<void> {
    await this.#connection.run((client) => client.delete(path, true));
  }

  /**
   * One block after the other: several at once, as `fastGet` has them, may come out of order (mscdex/ssh2#1166).
   * @param size that it should have; it is read no further
   */
  async #read(path: string, size: number, into: ByteSink): Promise<number> {
    const handle = await this.#open(path, 'r');
    const block = Buffer.allocUnsafe(BLOCK_BYTES);
    let at = 0;
    try {
      for (;;) {
        const bytes = await this.#connection.ask<number>((sftp, answer) =>
          sftp.read(handle, block, 0, block.length, at, answer),
        );
        if (bytes === 0) return at;
        at += bytes;
        if (at > size) throw new SftpFault('changed');
        await into.write(block.subarray(0, bytes));
      }
    } finally {
      await this.#close(handle).catch(() => {});
    }
  }

  /** Not by `put` of the library, which resolves when a block could not be written. */
  async #write(path: string, source: AsyncIterable<Buffer>): Promise<number> {
    const handle = await this.#open(path, 'wx');
    let at = 0;
    try {
      for await (const bytes of source) {
        for (let from = 0; from < bytes.length; from += BLOCK_BYTES) {
          const block = bytes.subarray(from, from + BLOCK_BYTES);
          await this.#writeBlock(handle, block, at);
          at += block.length;
        }
      }
    } catch (error) {
      await this.#close(handle).catch(() => {});
      throw error;
    }
    await this.#close(handle);
    return at;
  }

  async #writeBlock(handle: Buffer, block: Buffer, at: number): Promise<void> {
    try {
      await this.#connection.ask<void>((sftp, answer) => sftp.write(handle, block, 0, block.length, at, answer));
    } catch (error) {
      throw isFault(error, 'failed') ? new SftpFault('no-room') : error;
    }
  }

  #open(path: string, mode: 'r' | 'wx'): Promise<Buffer> {
    return this.#connection.ask((sftp, answer) => sftp.open(path, mode, answer));
  }

  #close(handle: Buffer): Promise<void> {
    return this.#connection.ask((sftp, answer) => sftp.close(handle, answer));
  }

  /** Not over another file: servers refuse that, and say no more than that they failed. */
  async #rename(from: string, to: string): Promise<void> {
    try {
      await this.#connection.run((client) => client.rename(from, to));
    } catch (error) {
      throw isFault(error, 'failed') && (await this.#exists(to)) ? new SftpFault('exists') : error;
    }
  }
}

const isFault = (error: unknown, code: SftpFaultCode) => error instanceof SftpFault && error.code === code;

const pathOf = (folder: string, name: string) => `${folder.replace(/\/$/, '')}/${remoteNameOf(name)}`;

/** The same for each retry, and never longer than a name may be. */
const partNameOf = (name: string) => `.${createHash('sha256').update(name).digest('hex').slice(0, 32)}.part`;
