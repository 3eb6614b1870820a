/**
 * Where containers are kept: a folder, or another adapter that holds what test/content/blob-store-contract.ts asks.
 * Blobs are written once, from front to end, under a random name that the store chooses, and never changed.
 *
 * Running out of space, a lost disk and the like pass through as the adapter's own error; the caller knows what its
 * failure means to whoever waits.
 */
export interface BlobStore {
  /** Begins a blob. It is unfinished, and `open` does not see it, until its writer commits. */
  create(): Promise<BlobWriter>;

  /** Opens part of a finished blob for reading; `undefined` when there is no blob of that name. */
  open(name: string, range: ByteRange): Promise<BlobReader | undefined>;

  /** Removes a blob, finished or not, durably. One that is not there is as good as removed. */
  remove(name: string): Promise<void>;

  /** Every blob, in no order. One that comes or goes meanwhile may be missing. */
  list(): AsyncIterable<BlobEntry>;

  /** Resolves when the store can be written to now; rejects with the reason when not. */
  check(): Promise<void>;
}

export interface BlobWriter {
  /** Adds bytes at the end. One call at a time; the pieces are the caller's again when the promise settles. */
  write(...pieces: readonly Buffer[]): Promise<void>;

  /** Finishes the blob and gives its name. When this resolves the blob survives a power cut. */
  commit(): Promise<string>;

  /** Removes what was written, also after a commit that failed. After one that succeeded it does nothing. */
  abort(): Promise<void>;
}

export interface BlobReader {
  /**
   * Fills `into` with the bytes that follow the last read, and gives how many. Fewer than `into.length` means that the
   * range, or the blob, ends there.
   */
  read(into: Buffer): Promise<number>;

  close(): Promise<void>;
}

export interface BlobEntry {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly modifiedAt: Date;
  /** False while it is being written, and for good when its writer died. */
  readonly finished: boolean;
}

/** Bytes `start` up to, not including, `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}
