/**
 * Stores containers: a folder, S3, or another adapter that passes test/content/blob-store-contract.ts. Blobs are written once,
 * from start to end, under a random name that the store chooses, and never changed.
 *
 * A full or lost disk and the like pass through as the adapter's own error.
 */
export interface BlobStore {
  /**
   * Begins a blob. Until its writer commits it is unfinished and `open` does not see it. The first MiBs may be in memory only, and
   * then the list does not have it either.
   */
  create(): Promise<BlobWriter>;

  /** Opens part of a finished blob for reading; `undefined` when there is no such blob. */
  open(name: string, range: ByteRange): Promise<BlobReader | undefined>;

  /** Removes a blob, finished or not, durably. Does nothing when there is none, or none yet. */
  remove(name: string): Promise<void>;

  /** Removes what an unfinished blob of that name has left; a finished one stays. Nobody may be writing it. */
  discard(name: string): Promise<void>;

  /** Every blob, in any order. One that is added or removed meanwhile may be missing. */
  list(): AsyncIterable<BlobEntry>;

  /** Bytes that can still be written; undefined when nobody knows. */
  free(): Promise<number | undefined>;

  /** @throws when the store cannot be written to */
  check(): Promise<void>;
}

export interface BlobWriter {
  /** Of the blob, finished or not. */
  readonly name: string;

  /** Appends bytes. One call at a time; the caller may reuse the pieces once the promise settles. */
  write(...pieces: readonly Buffer[]): Promise<void>;

  /** Finishes the blob and returns its name. Once this resolves the blob survives a power cut. */
  commit(): Promise<string>;

  /** Removes what was written, even after a failed commit; does nothing after a successful one. */
  abort(): Promise<void>;
}

export interface BlobReader {
  /**
   * Fills `into` with the next bytes and returns their number. Fewer than `into.length` means that the range, or the blob,
   * ends there.
   */
  read(into: Buffer): Promise<number>;

  close(): Promise<void>;
}

export interface BlobEntry {
  readonly name: string;
  /** Bytes; of an unfinished one perhaps 0. */
  readonly size: number;
  readonly modifiedAt: Date;
  /** False while it is being written, and forever if its writer died. */
  readonly finished: boolean;
}

/** From byte `start` up to `end`, which is not included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}
