import type { BlobStore } from '../content/index.js';
import { describeError, type Log } from '../log/index.js';
import type { Store } from '../store/index.js';

/** What removes content. */
export interface RemoverParts {
  readonly store: Store;
  readonly blobs: BlobStore;
  readonly log: Log;
}

// Younger ones are being removed by the call that requested them.
const SWEEP_AFTER_SECONDS = 10;
const BATCH = 100;

/**
 * Removes content whose removal a committed deletion has requested. Idempotent. Never fails: the message is deleted already,
 * and the sweep tries again.
 */
export async function removeContent({ store, blobs, log }: RemoverParts, blobName: string): Promise<void> {
  try {
    await blobs.remove(blobName);
    await store.sweep('DELETE FROM content_removals WHERE blob_name = $1', [blobName]);
  } catch (error) {
    log.warn('content-removal-failed', describeError(error));
  }
}

/** Removes the content of interrupted deletions. @returns how many there were */
export async function sweepContentRemovals(parts: RemoverParts): Promise<number> {
  // In random order, so that content that cannot be removed does not block the rest.
  const due = await parts.store.sweep<{ blob_name: string }>(
    `SELECT blob_name FROM content_removals
     WHERE requested_at < now() - make_interval(secs => $1) ORDER BY random() LIMIT $2`,
    [SWEEP_AFTER_SECONDS, BATCH],
  );
  for (const { blob_name } of due) await removeContent(parts, blob_name);
  return due.length;
}
