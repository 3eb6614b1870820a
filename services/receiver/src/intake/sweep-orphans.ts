import { DAY, HOUR } from '@indbakke/shared/config';
import type { BlobEntry } from '@indbakke/shared/content';
import { Problem } from '@indbakke/shared/errors';
import { WHAT_NAMES_CONTENT } from '@indbakke/shared/inbox';
import type { Parts } from '@indbakke/shared/service';

// No upload takes longer than half an hour (MAX_UPLOAD_SECONDS).
const UNFINISHED_AFTER = HOUR;
// Content without a row cannot be read, as the row had its key. A month leaves time to notice that the database is the wrong
// one, or restored from an older backup.
const WITHOUT_ROW_AFTER = 30 * DAY;
const BATCH = 500;
// A few are orphans; if most have no row, the database is the wrong one.
const SUSPICIOUS = 10;

/**
 * Removes content that no message, extract, access package, zip download or entry in quarantine has, left by interrupted uploads and by
 * transactions that failed after the content was written. Several processes may sweep at once.
 *
 * @returns how many were removed
 */
export async function sweepOrphans({ store, blobs }: Pick<Parts, 'store' | 'blobs'>, now: Date): Promise<number> {
  const isOlder = ({ modifiedAt }: BlobEntry, age: number) => modifiedAt.getTime() < now.getTime() - age;
  let removed = 0;

  let finished: string[] = [];
  const removeOrphans = async () => {
    const rows = await store.sweep<{ blob_name: string }>(WHAT_NAMES_CONTENT, [finished]);
    const withRow = new Set(rows.map((row) => row.blob_name));
    const orphans = finished.filter((name) => !withRow.has(name));
    if (orphans.length > SUSPICIOUS && orphans.length > finished.length / 2) {
      throw new Problem('internal', 'Most old content has no row. Is this the right database? Nothing was removed.');
    }
    for (const name of orphans) await blobs.remove(name);
    removed += orphans.length;
    finished = [];
  };

  for await (const blob of blobs.list()) {
    if (!blob.finished && isOlder(blob, UNFINISHED_AFTER)) {
      await blobs.discard(blob.name); // a finished one of that name may have a row
      removed += 1;
    }
    if (blob.finished && isOlder(blob, WITHOUT_ROW_AFTER)) finished.push(blob.name);
    if (finished.length === BATCH) await removeOrphans();
  }
  await removeOrphans();
  return removed;
}
