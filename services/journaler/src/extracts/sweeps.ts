import { removalOfExtractFiles } from '@indbakke/shared/inbox';
import type { Parts } from '@indbakke/shared/service';
import { Prisma } from '@indbakke/shared/store';
import { MAKE_EXTRACT } from './make-extract.js';

// Twice the deadline of a job.
const OVERDUE_SECONDS = 600;
const BATCH = 100;

/**
 * Enqueues the extracts that are due, and those whose job the queue may have lost. Several processes may sweep at once; each
 * takes other rows.
 */
export async function sweepDueExtracts({ store, queues }: Pick<Parts, 'store' | 'queues'>, now: Date): Promise<void> {
  const due = await store.sweep<{ id: string; municipality: string; run: number }>(
    `UPDATE extracts SET run = run + 1, next_enqueue_at = $1::timestamptz + make_interval(secs => $2)
     WHERE id IN (
       SELECT id FROM extracts WHERE next_enqueue_at <= $1 ORDER BY next_enqueue_at LIMIT $3 FOR UPDATE SKIP LOCKED)
     RETURNING id, municipality, run`,
    [now, OVERDUE_SECONDS, BATCH],
  );
  for (const { id: extractId, municipality, run } of due) {
    queues.enqueue(MAKE_EXTRACT, { extractId, municipality, run });
  }
}

/** Removes files that have expired, with their keys, and requests the removal of their content. */
export async function sweepExpiredExtractFiles({ store }: Pick<Parts, 'store'>, now: Date): Promise<void> {
  const expired = Prisma.sql`f.id IN (
    SELECT id FROM extract_files WHERE expires_at <= ${now}::timestamptz ORDER BY expires_at LIMIT ${BATCH}::int)`;
  const { text, values } = removalOfExtractFiles(expired, now);
  await store.sweep(text, values);
}
