import { createHash, randomBytes } from 'node:crypto';
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
import type { HashingThread, HashOnThread } from './hashing-thread.js';
import { WriteBehind } from './write-behind.js';

/** What a file's row keeps of a sealed file. */
export interface SealedFile {
  readonly index: number;
  /** Where in the container the file begins, in bytes. */
  readonly offset: number;
  /** Bytes of the file itself. */
  readonly size: number;
  /** Of the file itself, in lower-case hexadecimal. */
  readonly sha256: string;
}

/** What a message's rows keep of its container. */
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
   * Memory for the next bytes, which saves copying them: whole segments, and `extra` bytes more (at most 64) for a decoder
   * that writes further than it is asked to. Another buffer while a `write` is under way, to be filled meanwhile.
   */
  lend(extra: number): Buffer;

  /**
   * Takes the next bytes of the file, of any number: the first ones of what was lent, or others. One way for a whole
   * file; lent ones are whole segments, but for the last of the file. `undefined`: done. A promise: the store is behind, or
   * the bytes are being hashed; `bytes` stays in use, and nothing but `lend` may be called, until it settles.
   * @throws through the promise: the store's own error.
   */
  write(bytes: Buffer): Promise<void> | undefined;

  /** Ends the file. What it resolves with is good only once the container is committed. */
  end(): Promise<SealedFile>;
}

/** Seals the files of one message, one after the other, as they come. */
export interface Sealer {
  /** Begins the next file. Indexes rise from file to file, 0 to 4294967294; gaps are fine. */
  openFile(index: number): FileSealer;

  /**
   * Wraps the key for the message's municipality, which is known only when the whole message has been read, and makes
   * the container durable; a small one is given back instead, to be stored with the rows of the message. `undefined` when
   * there was no file: then nothing was stored and no key is needed.
   * @throws the store's or the key ring's own error; then call `abort`.
   */
  commit(owner: { readonly municipality: string }): Promise<SealedContainer | undefined>;

  /**
   * Gives up and leaves nothing behind. Safe at any time and more than once; after a commit that succeeded it does
   * nothing (to undo that one, remove the blob, if there is one).
   */
  abort(): Promise<void>;
}

export interface SealerParts {
  readonly blobs: BlobStore;
  readonly keys: KeyRing;
  /** Where large files are hashed. */
  readonly hashingThread: HashingThread;
  readonly messageId: string;
  /** A container of at most so many bytes is given back by `commit`; 0 = every one goes to the store. */
  readonly smallBytes: number;
}

/**
 * Begins the container of one message, with a fresh key. Nothing reaches the store before the first 384 KiB. Call `commit`
 * or `abort` in the end: until then it holds memory that the next messages need.
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
    this.#file = new SegmentedFile(index, this.#cipher, this.#output, this.#buffers, this.#parts.hashingThread);
    return this.#file;
  }

  async commit(owner: { readonly municipality: string }): Promise<SealedContainer | undefined> {
    this.#assertBetweenFiles();
    this.#committing = this.#commit(owner.municipality);
    return this.#committing;
  }

  async abort(): Promise<void> {
    // Whoever waits for a running commit may answer "stored" when it ends well: it must then still be there.
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

  /** An index used twice would use nonces twice, which gives AES-GCM away. */
  #assertFreshIndex(index: number): void {
    const lowest = this.#file === undefined ? 0 : this.#file.index + 1;
    if (!Number.isInteger(index) || index < lowest || index > MAX_FILE_INDEX) {
      throw new Error(`File index ${index} is not a whole number from ${lowest} to ${MAX_FILE_INDEX}.`);
    }
  }
}

/**
 * Cuts a file into segments. A segment is sealed only once a byte after it is seen, or the end: its last-flag must be
 * known first. So at most one segment waits here, and whole ones inside a large write are sealed where they lie.
 */
class SegmentedFile implements FileSealer {
  readonly index: number;
  readonly #offset: number;
  readonly #cipher: ContainerCipher;
  readonly #output: WriteBehind;
  readonly #buffers: Buffers;
  readonly #hashingThread: HashingThread;
  #hash: FileHash | undefined;
  #size = 0;
  #segment = 0;
  #waiting: Buffer = Buffer.alloc(0);
  #waitingLength = 0;
  #state: 'open' | 'behind' | 'ended' = 'open';
  /** The write under way, if there is one. */
  #writing: Promise<void> | undefined;

  constructor(
    index: number,
    cipher: ContainerCipher,
    output: WriteBehind,
    buffers: Buffers,
    hashingThread: HashingThread,
  ) {
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
    const sha256 = await (this.#hash ?? new HashHere()).digest();
    this.#state = 'ended';
    return { index: this.index, offset: this.#offset, size: this.#size, sha256 };
  }

  /** Gives up what has not ended. When it resolves, no thread reads what was lent. */
  async drop(): Promise<void> {
    await this.#writing?.catch(() => {});
    if (!this.ended) this.#hash?.drop();
  }

  /**
   * A file whose first piece is a segment or more is large as a rule, and hashed on the thread, so that its bytes are
   * sealed meanwhile; a small one is done before a message has reached the thread.
   *
   * @returns the first bytes, where the hash finds them
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

  /** Both have ended when this settles, whatever became of them: the bytes are the caller's again. */
  async #openAfter(waits: readonly (Promise<void> | undefined)[]): Promise<void> {
    const ends = await Promise.allSettled(waits);
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed) throw failed.reason;
    this.#state = 'open';
  }

  /** Seals or sets aside the first of `bytes` (not empty), and gives the rest. */
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
    if (this.#state === 'behind') throw new Error(`The call before on file ${this.index} has not settled, or failed.`);
  }
}

type FileHash = Pick<HashOnThread, 'digest' | 'drop'> & { update(bytes: Buffer): Promise<void> | undefined };

/** The SHA-256 of a file, made on this thread. */
class HashHere implements FileHash {
  readonly #hash = createHash('sha256');

  update(bytes: Buffer): undefined {
    this.#hash.update(bytes);
  }

  async digest(): Promise<string> {
    return this.#hash.digest('hex');
  }

  drop(): void {}
}

/**
 * `buffer` when it holds `needed` bytes, else a larger one (at most `limit`) that begins with its first `used` bytes.
 * Doubling, so that growing step by step copies each byte about twice, not once a step.
 */
function grown(buffer: Buffer, used: number, needed: number, limit: number): Buffer {
  if (needed <= buffer.length) return buffer;
  const larger = Buffer.allocUnsafe(Math.min(limit, Math.max(needed, 2 * buffer.length)));
  buffer.copy(larger, 0, 0, used);
  return larger;
}
