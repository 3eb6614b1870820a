import { INSTALLATION } from '@indbakke/shared/audit';
import type { Parts } from '@indbakke/shared/service';

const BATCH = 100;

/** Removes entries in quarantine whose bytes have not come for so long. @returns how many there were */
export async function sweepOldQuarantine({ store }: Pick<Parts, 'store'>, keepDays: number): Promise<number> {
  const [swept] = await store.sweep<{ count: number }>(
    `WITH removed AS (
       DELETE FROM quarantine_entries WHERE id IN (
         SELECT id FROM quarantine_entries WHERE last_at < now() - make_interval(days => $1) ORDER BY last_at LIMIT $2)
       RETURNING blob_name
     ), removal AS (
       INSERT INTO content_removals (blob_name, municipality, requested_at)
       SELECT blob_name, $3, now() FROM removed WHERE blob_name IS NOT NULL
     )
     SELECT count(*)::int FROM removed`,
    [keepDays, BATCH, INSTALLATION],
  );
  return swept?.count ?? 0;
}
