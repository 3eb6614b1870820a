import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ByteRange } from '../content/index.js';
import { endRecords, headersOf, type ZipEntry } from './zip-format.js';

/** A file to be zipped: what is said of it, and its bytes. */
export interface ZipFile extends ZipEntry {
  readonly sha256: Uint8Array;
  /** Its bytes, or those of a range of it (`end` not included). */
  open(range: ByteRange): Iterable<Buffer> | AsyncIterable<Buffer>;
}

interface Part {
  readonly length: number;
  open(range: ByteRange): Iterable<Buffer> | AsyncIterable<Buffer>;
}

/**
 * A zip whose every byte has its place before any content is read: headers and contents in turn, then the directory. So its
 * length is known, and any range of it can be sent. Takes about a kilobyte of memory an entry.
 */
export class Zip {
  /** Bytes. */
  readonly size: number;
  /** A strong one, with its quotes: it changes when any byte does. RFC 9110, 8.8.3 */
  readonly etag: string;
  readonly #parts: readonly Part[];

  constructor(files: readonly ZipFile[]) {
    const parts: Part[] = [];
    const directories: Buffer[] = [];
    const hash = createHash('sha256');
    let offset = 0;
    for (const file of files) {
      const { local, directory } = headersOf(file, offset);
      parts.push(partOf(local), { length: file.size, open: (range) => file.open(range) });
      directories.push(directory);
      hash.update(local).update(file.sha256);
      offset += local.length + file.size;
    }
    const directory = Buffer.concat(directories);
    const end = Buffer.concat([directory, endRecords(files.length, directory.length, offset)]);
    this.#parts = [...parts, partOf(end)];
    this.size = offset + end.length;
    this.etag = `"${hash.update(end).digest('hex')}"`;
  }

  /** The zip, or a range of it (`end` not included). One content is open at a time, and is closed with the stream. */
  open(range: ByteRange = { start: 0, end: this.size }): Readable {
    return Readable.from(this.#bytesOf(range), { objectMode: false });
  }

  async *#bytesOf({ start, end }: ByteRange): AsyncGenerator<Buffer> {
    let at = 0;
    for (const { length, open } of this.#parts) {
      const wanted = { start: Math.max(0, start - at), end: Math.min(length, end - at) };
      if (wanted.start < wanted.end) yield* open(wanted);
      at += length;
    }
  }
}

/**
 * A zip that is written as its files become known. Only what the directory has of each stays in memory.
 *
 * @returns its bytes; they fail with what a file fails with
 */
export async function* writeZip(files: AsyncIterable<ZipFile>): AsyncGenerator<Buffer> {
  const directories: Buffer[] = [];
  let offset = 0;
  for await (const file of files) {
    const { local, directory } = headersOf(file, offset);
    yield local;
    yield* file.open({ start: 0, end: file.size });
    directories.push(directory);
    offset += local.length + file.size;
  }
  const directory = Buffer.concat(directories);
  yield directory;
  yield endRecords(directories.length, directory.length, offset);
}

function partOf(bytes: Buffer): Part {
  return { length: bytes.length, open: ({ start, end }) => [bytes.subarray(start, end)] };
}
