import { randomBytes } from 'node:crypto';
import type { BlobStore } from './blob-store.js';
import {
  ContainerCipher,
  DATA_KEY_SIZE,
  MAX_FILE_INDEX,
  SEALED_SEGMENT_SIZE,
  SEGMENT_SIZE,
  sealedSizeOfSegment,
} from './container.js';
import { FileHash } from './file-hash.js';
import type { HashingThread } from './hashing-thread.js';
import { dataKeyContext, type KeyRing, type WrappedKey } from './keys.js';
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
   * Takes the next bytes of the file, of any number. `undefined`: done. A promise: the store is behind; `bytes` stays in
   * use, and nothing else may be called, until it settles.
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

/** Begins the container of one message, with a fresh key. Nothing reaches the store before the first 384 KiB. */
export function createSealer(parts: {
  readonly blobs: BlobStore;
  readonly keys: KeyRing;
  readonly messageId: string;
  /** A container of at most so many bytes is given back by `commit`; 0 = every one goes to the store. */
  readonly smallBytes: number;
  /** Where large files are hashed. */
  readonly hashingThread: HashingThread;
}): Sealer {
  return new ContainerSealer(parts.blobs, parts.keys, parts.messageId, parts.smallBytes, parts.hashingThread);
}

class ContainerSealer implements Sealer {
  readonly #keys: KeyRing;
  readonly #messageId: string;
  readonly #smallBytes: number;
  readonly #dataKey = randomBytes(DATA_KEY_SIZE);
  readonly #cipher: ContainerCipher;
  readonly #output: WriteBehind;
  readonly #hashingThread: HashingThread;
  #file: SegmentedFile | undefined;
  #committing: Promise<SealedContainer | undefined> | undefined;

  constructor(blobs: BlobStore, keys: KeyRing, messageId: string, smallBytes: number, hashingThread: HashingThread) {
    this.#keys = keys;
    this.#messageId = messageId;
    this.#smallBytes = smallBytes;
    this.#cipher = new ContainerCipher(this.#dataKey, messageId);
    this.#output = new WriteBehind(blobs);
    this.#hashingThread = hashingThread;
  }

  openFile(index: number): FileSealer {
    this.#assertBetweenFiles();
    this.#assertFreshIndex(index);
    if (this.#file === undefined) this.#output.add(this.#cipher.sealHeader(this.#keys.currentKeyId));
    this.#file = new SegmentedFile(index, this.#cipher, this.#output, new FileHash(this.#hashingThread));
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
    this.#file?.drop();
    await this.#output.discard();
  }

  async #commit(municipality: string): Promise<SealedContainer | undefined> {
    if (this.#file === undefined) return undefined;
    const wrappedKey = await this.#keys.wrap(this.#dataKey, dataKeyContext(this.#messageId, municipality));
    const bytes = this.#output.whole(this.#smallBytes);
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
  readonly #hash: FileHash;
  #size = 0;
  #segment = 0;
  #waiting: Buffer = Buffer.alloc(0);
  #waitingLength = 0;
  #state: 'open' | 'behind' | 'ended' = 'open';

  constructor(index: number, cipher: ContainerCipher, output: WriteBehind, hash: FileHash) {
    this.index = index;
    this.#hash = hash;
    this.#offset = output.size;
    this.#cipher = cipher;
    this.#output = output;
  }

  get ended(): boolean {
    return this.#state === 'ended';
  }

  write(bytes: Buffer): Promise<void> | undefined {
    this.#assertOpen();
    this.#size += bytes.length;
    const hashing = this.#hash.update(bytes);
    const sealing = this.#takeAll(bytes); // while the thread hashes
    if (hashing === undefined && sealing === undefined) return undefined;
    this.#state = 'behind';
    return this.#openAfter([hashing, sealing]);
  }

  async end(): Promise<SealedFile> {
    this.#assertOpen();
    this.#state = 'behind';
    await this.#output.room(sealedSizeOfSegment(this.#waitingLength));
    this.#seal(this.#waiting.subarray(0, this.#waitingLength), true);
    const sha256 = await this.#hash.digest();
    this.#state = 'ended';
    return { index: this.index, offset: this.#offset, size: this.#size, sha256 };
  }

  /** Gives up what has not ended. */
  drop(): void {
    if (!this.ended) this.#hash.drop();
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
