import type { BlobStore, BlobWriter } from './blob-store.js';
import { HEADER_SIZE, SEALED_SEGMENT_SIZE } from './container.js';

/**
 * Four segments a write, and the header with the first four. Measured with 78 MB: eight and sixteen segments
 * save a fiftieth of the processor time at most. Two buffers of it are half a MiB for each upload under way, if it is large.
 */
const CAPACITY = HEADER_SIZE + 4 * SEALED_SEGMENT_SIZE;

/**
 * Gathers what is to be written to one blob and writes it behind the caller's back: two buffers, one being filled, one
 * being written. The buffers grow with what they get, so that a small message costs little, and never beyond a
 * quarter of a megabyte each. The blob itself is made by the first write.
 */
export class WriteBehind {
  readonly #blobs: BlobStore;
  #blob: BlobWriter | undefined;
  #filling: Buffer = Buffer.alloc(0);
  #spare: Buffer = Buffer.alloc(0);
  #filled = 0;
  #size = 0;
  /** The write under way. It never rejects: a failure waits in `#failure` for whoever comes next. */
  #writing: Promise<void> | undefined;
  #failure: unknown;

  constructor(blobs: BlobStore) {
    this.#blobs = blobs;
  }

  /** Bytes claimed so far, so the offset of what is claimed next. */
  get size(): number {
    return this.#size;
  }

  /**
   * `undefined` when `length` bytes can be claimed at once; else a promise of the moment when they can.
   * The promise rejects with the store's error when a write failed, and when it was all discarded.
   */
  room(length: number): Promise<void> | undefined {
    const fits = this.#filled + length <= CAPACITY || this.#writing === undefined;
    return fits && this.#failure === undefined ? undefined : this.#written();
  }

  /** The next `length` bytes of the blob, for the caller to fill before anything else happens. Needs `room`. */
  claim(length: number): Buffer {
    if (this.#filled + length > CAPACITY) this.#startWriting();
    this.#filling = grown(this.#filling, this.#filled, this.#filled + length, CAPACITY);
    const claimed = this.#filling.subarray(this.#filled, this.#filled + length);
    this.#filled += length;
    this.#size += length;
    return claimed;
  }

  /** All that was claimed, when it is at most `limit` bytes and none of it has gone to the store. */
  whole(limit: number): Buffer | undefined {
    if (this.#size > limit || this.#filled < this.#size) return undefined;
    return this.#filling.subarray(0, this.#filled);
  }

  /** Writes what is left and commits the blob. Gives its name. */
  async commit(): Promise<string> {
    await this.#written();
    this.#startWriting();
    await this.#written();
    if (this.#blob === undefined) throw new Error('There is nothing to commit.');
    return this.#blob.commit();
  }

  /** Removes what was written, unless it was committed; whoever waits for room gets an error. */
  async discard(): Promise<void> {
    this.#failure ??= new Error('The container was discarded.');
    await this.#writing;
    await this.#blob?.abort();
  }

  #startWriting(): void {
    const full = this.#filling;
    const write = this.#write(full.subarray(0, this.#filled));
    this.#filling = this.#spare;
    this.#spare = full;
    this.#filled = 0;
    this.#writing = write
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => {
        this.#writing = undefined;
      });
  }

  async #write(bytes: Buffer): Promise<void> {
    this.#blob ??= await this.#blobs.create();
    await this.#blob.write(bytes);
  }

  async #written(): Promise<void> {
    await this.#writing;
    if (this.#failure !== undefined) throw this.#failure;
  }
}

/**
 * `buffer` when it holds `needed` bytes, else a larger one (at most `limit`) that begins with its first `used` bytes.
 * Doubling, so that growing step by step copies each byte about twice, not once a step.
 */
export function grown(buffer: Buffer, used: number, needed: number, limit: number): Buffer {
  if (needed <= buffer.length) return buffer;
  const larger = Buffer.allocUnsafe(Math.min(limit, Math.max(needed, 2 * buffer.length)));
  buffer.copy(larger, 0, 0, used);
  return larger;
}
