import { HOUR } from '@indbakke/shared/config';
import type { Parts } from '@indbakke/shared/service';

/** Older than this no request can still be at it: the longest may take half an hour (shared/http). */
const ORPHAN_AFTER = HOUR;
const BATCH = 500;

/**
 * Removes content that no message has: of uploads that were cut off, of transactions that failed after the content was
 * written, of the loser of two equal messages. Any number of copies may sweep at once.
 *
 * @returns how many were removed
 */
export async function sweepOrphans({ store, blobs }: Pick<Parts, 'store' | 'blobs'>, now: Date): Promise<number> {
  const before = now.getTime() - ORPHAN_AFTER;
  let removed = 0;
  let batch: string[] = [];
  const removeBatch = async () => {
    const used = await store.sweep<{ blob_name: string }>('SELECT blob_name FROM messages WHERE blob_name = ANY($1)', [
      batch,
    ]);
    const names = new Set(used.map((row) => row.blob_name));
    for (const name of batch.filter((candidate) => !names.has(candidate))) {
      await blobs.remove(name);
      removed += 1;
    }
    batch = [];
  };
  for await (const { name, modifiedAt, finished } of blobs.list()) {
    if (modifiedAt.getTime() > before) continue;
    if (finished) batch.push(name);
    else {
      await blobs.remove(name);
      removed += 1;
    }
    if (batch.length === BATCH) await removeBatch();
  }
  await removeBatch();
  return removed;
}
