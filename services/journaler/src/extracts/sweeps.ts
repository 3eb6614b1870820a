import { removalOfExtractFiles } from '@indbakke/shared/inbox';
import { takeDue } from '@indbakke/shared/queue';
import type { Parts } from '@indbakke/shared/service';
import { Prisma } from '@indbakke/shared/store';
import { MAKE_EXTRACT } from './make-extract.js';

// Twice the deadline of a job.
const OVERDUE_SECONDS = 600;
const BATCH = 100;

/** Enqueues the extracts that are due, and those whose job the queue may have lost. */
export async function sweepDueExtracts({ store, queues }: Pick<Parts, 'store' | 'queues'>, now: Date): Promise<void> {
  const due = await takeDue(
    store,
    { table: 'extracts', which: 'true', overdueSeconds: OVERDUE_SECONDS, trace: 'NULL' },
    now,
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
