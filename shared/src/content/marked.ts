import { NotReady } from '../readiness/index.js';
import type { BlobStore } from './blob-store.js';

/** A blob store with a mark, which an empty folder in place of a mount lacks. */
export interface Markable extends BlobStore {
  /** A folder may be that of a mount that is away; S3 is not. */
  readonly isFolder: boolean;
  isMarked(): Promise<boolean>;
  /** Marks it durably. */
  mark(): Promise<void>;
}

/**
 * A blob store that takes no content unless it is the one that the database names: what is written into an empty folder would
 * be out of reach as soon as the right one is mounted over it.
 *
 * @param isInUse whether the database names any content
 */
export function onlyMarked(blobs: Markable, isInUse: () => Promise<boolean>): BlobStore {
  const require = () => requireMark(blobs, isInUse);
  return {
    // Each time, since a mount may go.
    async create() {
      await require();
      return blobs.create();
    },
    open: (name, range) => blobs.open(name, range),
    remove: (name) => blobs.remove(name),
    discard: (name) => blobs.discard(name),
    list: () => blobs.list(),
    free: () => blobs.free(),
    async check() {
      await blobs.check();
      await require();
    },
  };
}

/** A new store is marked, and so is one from before there were marks. */
async function requireMark(blobs: Markable, isInUse: () => Promise<boolean>): Promise<void> {
  if (await blobs.isMarked()) return;
  const inUse = await isInUse().catch((cause: unknown) => {
    throw new NotReady('unknown', { cause });
  });
  if (inUse && (await isEmpty(blobs))) throw new NotReady('empty');
  await blobs.mark();
}

export async function isEmpty(blobs: BlobStore): Promise<boolean> {
  for await (const _blob of blobs.list()) return false;
  return true;
}
