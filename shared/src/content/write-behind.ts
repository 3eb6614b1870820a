import type { BlobStore, BlobWriter } from './blob-store.js';
import { PIECE_SIZE } from './buffers.js';
import { HEADER_SIZE, SEALED_SEGMENT_SIZE, SEGMENT_SIZE } from './container.js';

// One piece per write, which is six segments, and the header with the first six. With four, sealing waits for the disk; eight
// are a little faster but take 30 MB more for eight large messages at once.
const CAPACITY = HEADER_SIZE + (PIECE_SIZE / SEGMENT_SIZE) * SEALED_SEGMENT_SIZE;

/**
 * Collects the bytes of one blob and writes them in the background: while one write is in flight, pieces are collected for
 * the next, up to 384 KiB. The first write creates the blob.
 */
export class WriteBehind {
  readonly #blobs: Pick<BlobStore, 'create'>;
  #blob: BlobWriter | undefined;
  #collected: Buffer[] = [];
  #collectedSize = 0;
  #size = 0;
  /** The write in flight. It never rejects: a failure is kept in `#failure` for the next call. */
  #writing: Promise<void> | undefined;
  #failure: unknown;

  constructor(blobs: Pick<BlobStore, 'create'>) {
    this.#blobs = blobs;
  }

  /** Bytes added so far: the offset of the next ones. */
  get size(): number {
    return this.#size;
  }

  /**
   * `undefined` when `length` bytes can be added now; else a promise that resolves when they can. It rejects with the
   * store's error when a write failed, and when everything was discarded.
   */
  room(length: number): Promise<void> | undefined {
    const fits = this.#collectedSize + length <= CAPACITY || this.#writing === undefined;
    return fits && this.#failure === undefined ? undefined : this.#written();
  }

  /** Adds the next bytes of the blob, which must not change afterwards. Requires `room` for all of them. */
  add(...pieces: readonly Buffer[]): void {
    const length = sizeOf(pieces);
    if (this.#collectedSize + length > CAPACITY) this.#startWriting();
    this.#collected.push(...pieces);
    this.#collectedSize += length;
    this.#size += length;
  }

  /** Everything added, if it is `limit` bytes or less and nothing has gone to the store. */
  whole(limit: number): Buffer | undefined {
    if (this.#size > limit || this.#collectedSize < this.#size) return undefined;
    return Buffer.concat(this.#collected, this.#size);
  }

  /** Writes the rest, commits the blob and returns its name. */
  async commit(): Promise<string> {
    await this.#written();
    this.#startWriting();
    await this.#written();
    if (this.#blob === undefined) throw new Error('There is nothing to commit.');
    return this.#blob.commit();
  }

  /** Removes what was written, unless it was committed; a caller waiting for room gets an error. */
  async discard(): Promise<void> {
    this.#failure ??= new Error('The container was discarded.');
    await this.#writing;
    await this.#blob?.abort();
  }

  #startWriting(): void {
    const write = this.#write(this.#collected);
    this.#collected = [];
    this.#collectedSize = 0;
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
