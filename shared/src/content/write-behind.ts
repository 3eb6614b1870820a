import type { BlobStore, BlobWriter } from './blob-store.js';
import { PIECE_SIZE } from './buffers.js';
import { HEADER_SIZE, SEALED_SEGMENT_SIZE, SEGMENT_SIZE } from './container.js';

// The segments of a piece a write, which are six, and the header with the first six. With four the sealing waits for the disk;
// eight are a little faster, with 30 MB more for eight large letters at once.
const CAPACITY = HEADER_SIZE + (PIECE_SIZE / SEGMENT_SIZE) * SEALED_SEGMENT_SIZE;

/**
 * Gathers what is to be written to one blob and writes it behind the caller's back: while one write is under way, pieces
 * are gathered for the next, 384 KiB at most. The blob itself is made by the first write.
 */
export class WriteBehind {
  readonly #blobs: BlobStore;
  #blob: BlobWriter | undefined;
  #gathered: Buffer[] = [];
  #gatheredSize = 0;
  #size = 0;
  /** The write under way. It never rejects: a failure waits in `#failure` for whoever comes next. */
  #writing: Promise<void> | undefined;
  #failure: unknown;

  constructor(blobs: BlobStore) {
    this.#blobs = blobs;
  }

  /** Bytes added so far, so the offset of what is added next. */
  get size(): number {
    return this.#size;
  }

  /**
   * `undefined` when `length` bytes can be added at once; else a promise of the moment when they can.
   * The promise rejects with the store's error when a write failed, and when it was all discarded.
   */
  room(length: number): Promise<void> | undefined {
    const fits = this.#gatheredSize + length <= CAPACITY || this.#writing === undefined;
    return fits && this.#failure === undefined ? undefined : this.#written();
  }

  /** Adds the next bytes of the blob, which are never changed again. Needs `room` for all of them. */
  add(...pieces: readonly Buffer[]): void {
    const length = sizeOf(pieces);
    if (this.#gatheredSize + length > CAPACITY) this.#startWriting();
    this.#gathered.push(...pieces);
    this.#gatheredSize += length;
    this.#size += length;
  }

  /** All that was added, when it is at most `limit` bytes and none of it has gone to the store. */
  whole(limit: number): Buffer | undefined {
    if (this.#size > limit || this.#gatheredSize < this.#size) return undefined;
    return Buffer.concat(this.#gathered, this.#size);
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
    const write = this.#write(this.#gathered);
    this.#gathered = [];
    this.#gatheredSize = 0;
    this.#writing = write
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => {
        this.#writing = undefined;
      });
  }

  async #write(pieces: readonly Buffer[]): Promise<void> {
    this.#blob ??= await this.#blobs.create();
    await this.#blob.write(...pieces);
  }

  async #written(): Promise<void> {
    await this.#writing;
    if (this.#failure !== undefined) throw this.#failure;
  }
}

function sizeOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}
