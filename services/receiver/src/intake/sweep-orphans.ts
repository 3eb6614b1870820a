import { DAY, HOUR } from '@indbakke/shared/config';
import type { BlobEntry } from '@indbakke/shared/content';
import { Problem } from '@indbakke/shared/errors';
import type { Parts } from '@indbakke/shared/service';

/** No upload takes longer than half an hour (shared/src/http). */
const CUT_OFF_AFTER = HOUR;
/**
 * Finished content without a row cannot be read: its key was in that row only. It is left for a month all the same, to notice
 * that a wrong database, or an older backup of it, stands beside this content.
 */
const WITHOUT_ROW_AFTER = 30 * DAY;
const BATCH = 500;
// A stray few are orphans; if most have no row, the wrong database stands beside the content.
const SUSPICIOUS = 10;

/**
 * Removes content that no message has: of uploads that were cut off, of transactions that failed after the content was
 * written. Any number of copies may sweep at once.
 *
 * @returns how many were removed
 */
export async function sweepOrphans({ store, blobs }: Pick<Parts, 'store' | 'blobs'>, now: Date): Promise<number> {
  const isOlder = ({ modifiedAt }: BlobEntry, age: number) => modifiedAt.getTime() < now.getTime() - age;
  let removed = 0;
  const remove = async (name: string) => {
    await blobs.remove(name);
    removed += 1;
  };

  let finished: string[] = [];
  const removeThoseWithoutRow = async () => {
    const sql = 'SELECT blob_name FROM messages WHERE blob_name = ANY($1)';
    const rows = await store.sweep<{ blob_name: string }>(sql, [finished]);
    const withRow = new Set(rows.map((row) => row.blob_name));
    const orphans = finished.filter((name) => !withRow.has(name));
    if (orphans.length > SUSPICIOUS && orphans.length > finished.length / 2) {
      throw new Problem('internal', 'Most of the old content has no row: is this its database? Nothing was removed.');
    }
    for (const name of orphans) await remove(name);
    finished = [];
  };

  for await (const blob of blobs.list()) {
    if (!blob.finished && isOlder(blob, CUT_OFF_AFTER)) await remove(blob.name);
    if (blob.finished && isOlder(blob, WITHOUT_ROW_AFTER)) finished.push(blob.name);
    if (finished.length === BATCH) await removeThoseWithoutRow();
  }
  await removeThoseWithoutRow();
  return removed;
}
