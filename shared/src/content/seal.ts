import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { dataKeyContext, type KeyRing, type WrappedKey } from '../keys/key-ring.js';
import type { BlobStore } from './blob-store.js';
import { Buffers } from './buffers.js';
import {
  ContainerCipher,
  DATA_KEY_SIZE,
  MAX_FILE_INDEX,
  SEALED_SEGMENT_SIZE,
  SEGMENT_SIZE,
  sealedSizeOfSegment,
} from './container.js';
import type { HashingThread, HashOnThread, Sums } from './hashing-thread.js';
import { WriteBehind } from './write-behind.js';

/** What the database keeps of a sealed file. */
export interface SealedFile extends Sums {
  readonly index: number;
  /** Where in the container the file begins, in bytes. */
  readonly offset: number;
  /** Bytes of the file itself. */
  readonly size: number;
}

/** What the database keeps of a container. */
export interface SealedContainer {
  /** Its name in the store, or the container itself when it is small. */
  readonly place: { readonly blobName: string } | { readonly bytes: Buffer };
  /** Bytes of the container. */
  readonly size: number;
  readonly wrappedKey: WrappedKey;
}

/** Writes one file into the container. */
export interface FileSealer {
  /**
   * Memory for the next bytes, to save copying them: whole segments, and `extra` bytes more (up to 64) for a decoder that
   * overshoots. While a `write` is in flight it is another buffer, to be filled meanwhile.
   */
  lend(extra: number): Buffer;

  /**
   * Takes the next bytes of the file, any number of them: the first ones of a lent buffer, or others, but not both kinds
   * in one file. Lent ones are whole segments, except at the end of the file. `undefined`: done. A promise: the store is
   * behind, or the bytes are being hashed; until it settles `bytes` is in use and only `lend` may be called.
   * @throws through the promise: the store's own error.
   */
  write(bytes: Buffer): Promise<void> | undefined;

  /** Ends the file. The result is valid only once the container is committed. */
  end(): Promise<SealedFile>;
}

/** Seals the files of one message, one after the other, as they arrive. */
export interface Sealer {
  /** Begins the next file. Indexes increase from file to file, 0 to 4294967294; gaps are fine. */
  openFile(index: number): FileSealer;

  /** Those that have ended, in order. */
  readonly files: readonly SealedFile[];

  /**
   * Wraps the key for the message's municipality, which is known only once the whole message has been read, and makes
   * the container durable; a small one is returned instead, to be stored with the rows of the message. `undefined` when
   * there was no file: then nothing was stored and there is no key.
   * @throws the store's or the key ring's own error; then call `abort`.
   */
  commit(owner: { readonly municipality: string }): Promise<SealedContainer | undefined>;

  /**
   * Gives up and leaves nothing behind. Safe at any time and more than once; does nothing after a successful commit (to
   * undo that, remove the blob, if there is one).
   */
  abort(): Promise<void>;
}

export interface SealerParts {
  readonly blobs: Pick<BlobStore, 'create'>;
  readonly keys: KeyRing;
  /** Hashes large files. */
  readonly hashingThread: HashingThread;
  readonly messageId: string;
  /** `commit` returns a container up to this size instead of storing it; 0 = never. */
  readonly smallBytes: number;
}

/**
 * Begins the container of one message, with a fresh key. Nothing reaches the store before the first 384 KiB. Call `commit`
 * or `abort` in the end: until then it occupies memory that other messages need.
 */
export function createSealer(parts: SealerParts): Sealer {
  return new ContainerSealer(parts);
}

class ContainerSealer implements Sealer {
  readonly #parts: SealerParts;
  readonly #dataKey = randomBytes(DATA_KEY_SIZE);
  readonly #cipher: ContainerCipher;
  readonly #output: WriteBehind;
  readonly #buffers = new Buffers();
  readonly files: SealedFile[] = [];
  #file: SegmentedFile | undefined;
  #committing: Promise<SealedContainer | undefined> | undefined;

  constructor(parts: SealerParts) {
    this.#parts = parts;
    this.#cipher = new ContainerCipher(this.#dataKey, parts.messageId);
    this.#output = new WriteBehind(parts.blobs);
  }

  openFile(index: number): FileSealer {
    this.#assertBetweenFiles();
    this.#assertFreshIndex(index);
    if (this.#file === undefined) this.#output.add(this.#cipher.sealHeader(this.#parts.keys.currentKeyId));
    const onEnd = (file: SealedFile) => this.files.push(file);
    this.#file = new SegmentedFile(index, this.#cipher, this.#output, this.#buffers, this.#parts.hashingThread, onEnd);
    return this.#file;
  }

  async commit(owner: { readonly municipality: string }): Promise<SealedContainer | undefined> {
    this.#assertBetweenFiles();
    this.#committing = this.#commit(owner.municipality);
    return this.#committing;
  }

  async abort(): Promise<void> {
    // The caller of a running commit may report success, so what it stores must stay.
    await this.#committing?.catch(() => {});
    try {
      await this.#output.discard();
    } finally {
      await this.#file?.drop();
      this.#buffers.release();
    }
  }

  async #commit(municipality: string): Promise<SealedContainer | undefined> {
    this.#buffers.release();
    if (this.#file === undefined) return undefined;
    const { keys, messageId, smallBytes } = this.#parts;
    const wrappedKey = await keys.wrap(this.#dataKey, dataKeyContext(messageId, municipality));
    const bytes = this.#output.whole(smallBytes);
    const place = bytes ? { bytes } : { blobName: await this.#output.commit() };
    return { place, size: this.#output.size, wrappedKey };
  }

  #assertBetweenFiles(): void {
    if (this.#committing !== undefined) throw new Error('The container is already committed.');
    if (this.#file?.ended === false) throw new Error(`File ${this.#file.index} has not ended.`);
  }

  /** An index used twice would repeat nonces, which breaks AES-GCM. */
  #assertFreshIndex(index: number): void {
    const lowest = this.#file === undefined ? 0 : this.#file.index + 1;
    if (!Number.isInteger(index) || index < lowest || index > MAX_FILE_INDEX) {
      throw new Error(`File index ${index} is not a whole number from ${lowest} to ${MAX_FILE_INDEX}.`);
    }
  }
}

/**
 * Cuts a file into segments. A segment is sealed only once the next byte, or the end, is known, for its last-flag. So at
 * most one segment waits here; whole ones inside a large write are sealed in place.
 */
class SegmentedFile implements FileSealer {
  readonly index: number;
  readonly #offset: number;
  readonly #cipher: ContainerCipher;
  readonly #output: WriteBehind;
  readonly #buffers: Buffers;
  readonly #hashingThread: HashingThread;
  readonly #onEnd: (file: SealedFile) => void;
  #hash: FileHash | undefined;
  #size = 0;
  #segment = 0;
  #waiting: Buffer = Buffer.alloc(0);
  #waitingLength = 0;
  #state: 'open' | 'behind' | 'ended' = 'open';
  /** The write in flight, if there is one. */
  #writing: Promise<void> | undefined;

  constructor(
    index: number,
    cipher: ContainerCipher,
    output: WriteBehind,
    buffers: Buffers,
    hashingThread: HashingThread,
    onEnd: (file: SealedFile) => void,
  ) {
    this.#onEnd = onEnd;
    this.index = index;
    this.#offset = output.size;
    this.#cipher = cipher;
    this.#output = output;
    this.#buffers = buffers;
    this.#hashingThread = hashingThread;
  }

  get ended(): boolean {
    return this.#state === 'ended';
  }

  lend(extra: number): Buffer {
    return this.#buffers.lend(extra);
  }

  write(given: Buffer): Promise<void> | undefined {
    this.#assertOpen();
    const bytes = this.#hash ? given : this.#beginHash(given);
    this.#size += bytes.length;
    const hashing = this.#hash?.update(bytes);
    const sealing = this.#takeAll(bytes); // while the thread hashes
    if (hashing === undefined && sealing === undefined) return undefined;
    if (this.#buffers.hold(bytes)) this.#buffers.swap();
    this.#state = 'behind';
    this.#writing = this.#openAfter([hashing, sealing]);
    return this.#writing;
  }

  async end(): Promise<SealedFile> {
    this.#assertOpen();
    this.#state = 'behind';
    await this.#output.room(sealedSizeOfSegment(this.#waitingLength));
    this.#seal(this.#waiting.subarray(0, this.#waitingLength), true);
    const sums = await (this.#hash ?? new HashHere()).digest();
    this.#state = 'ended';
    const file = { index: this.index, offset: this.#offset, size: this.#size, ...sums };
    this.#onEnd(file);
    return file;
  }

  /** Gives up a file that has not ended. Once this resolves, no thread reads the lent buffers. */
  async drop(): Promise<void> {
    await this.#writing?.catch(() => {});
    if (!this.ended) this.#hash?.drop();
  }

  /**
   * A file whose first piece is a segment or more is usually large, and is hashed on the thread while it is sealed here; a
   * small one is done before a message has reached the thread.
   *
   * @returns the first bytes, where the hash can read them
   */
  #beginHash(first: Buffer): Buffer {
    const isLarge = first.length >= SEGMENT_SIZE && this.#buffers.hold(first);
    const shared = isLarge ? this.#buffers.share(first) : undefined;
    this.#hash = shared ? this.#hashingThread.begin() : new HashHere();
    return shared ?? first;
  }

  #takeAll(bytes: Buffer): Promise<void> | undefined {
    for (let rest = bytes; rest.length > 0; rest = this.#takeSome(rest)) {
      const room = this.#output.room(SEALED_SEGMENT_SIZE);
      if (room !== undefined) return this.#takeAllAfter(room, rest);
    }
    return undefined;
  }

  async #takeAllAfter(room: Promise<void>, bytes: Buffer): Promise<void> {
    await room;
    await this.#takeAll(bytes);
  }

  /** Settles when both have, even if one failed: the caller may then reuse the bytes. */
  async #openAfter(waits: readonly (Promise<void> | undefined)[]): Promise<void> {
    const ends = await Promise.allSettled(waits);
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed) throw failed.reason;
    this.#state = 'open';
  }

  /** Seals or sets aside the first of `bytes` (not empty) and returns the rest. */
  #takeSome(bytes: Buffer): Buffer {
    if (this.#waitingLength === SEGMENT_SIZE) {
      this.#seal(this.#waiting, false);
      this.#waitingLength = 0;
      return bytes;
    }
    if (this.#waitingLength === 0 && bytes.length > SEGMENT_SIZE) {
      this.#seal(bytes.subarray(0, SEGMENT_SIZE), false);
      return bytes.subarray(SEGMENT_SIZE);
    }
    const length = Math.min(bytes.length, SEGMENT_SIZE - this.#waitingLength);
    this.#setAside(bytes.subarray(0, length));
    return bytes.subarray(length);
  }

  #setAside(bytes: Buffer): void {
    const length = this.#waitingLength + bytes.length;
    this.#waiting = grown(this.#waiting, this.#waitingLength, length, SEGMENT_SIZE);
    bytes.copy(this.#waiting, this.#waitingLength);
    this.#waitingLength = length;
  }

  #seal(plain: Buffer, last: boolean): void {
    const place = { file: this.index, segment: this.#segment, last };
    this.#output.add(...this.#cipher.sealSegment(plain, place));
    this.#segment += 1;
  }

  #assertOpen(): void {
    if (this.#state === 'ended') throw new Error(`File ${this.index} has ended.`);
    if (this.#state === 'behind')
      throw new Error(`The previous call on file ${this.index} has not settled, or failed.`);
  }
}

type FileHash = Pick<HashOnThread, 'digest' | 'drop'> & { update(bytes: Buffer): Promise<void> | undefined };

/** The sums of a file, computed on this thread. */
class HashHere implements FileHash {
  readonly #sha256 = createHash('sha256');
  #crc32 = 0;

  update(bytes: Buffer): undefined {
    this.#sha256.update(bytes);
    this.#crc32 = crc32(bytes, this.#crc32);
  }

  async digest(): Promise<Sums> {
    return { sha256: this.#sha256.digest('hex'), crc32: this.#crc32 };
  }

  drop(): void {}
}

/**
 * `buffer` if it has room for `needed` bytes, else a larger one (up to `limit`) that begins with its first `used` bytes.
 * The size doubles, so that growing step by step copies each byte about twice.
 */
function grown(buffer: Buffer, used: number, needed: number, limit: number): Buffer {
  if (needed <= buffer.length) return buffer;
  const larger = Buffer.allocUnsafe(Math.min(limit, Math.max(needed, 2 * buffer.length)));
  buffer.copy(larger, 0, 0, used);
  return larger;
}
