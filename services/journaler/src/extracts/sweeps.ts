import { removalOfExtractFiles } from '@indbakke/shared/inbox';
import { enqueueDue, type Outbox } from '@indbakke/shared/queue';
import type { Parts } from '@indbakke/shared/service';
import { Prisma } from '@indbakke/shared/store';
import { MAKE_EXTRACT, type MakeExtractData } from './make-extract.js';

const DUE: Outbox<MakeExtractData> = {
  table: 'extracts',
  which: 'true',
  overdueSeconds: 600, // twice the deadline of a job
  trace: 'NULL',
  job: MAKE_EXTRACT,
  dataOf: ({ id: extractId, municipality, run }) => ({ extractId, municipality, run }),
};
const BATCH = 100;

/** Enqueues the extracts that are due, and those whose job the queue may have lost. */
export async function sweepDueExtracts(parts: Pick<Parts, 'store' | 'queues'>, now: Date): Promise<void> {
  await enqueueDue(parts, DUE, now);
}

/** Removes files that have expired, with their keys, and requests the removal of their content. */
export async function sweepExpiredExtractFiles({ store }: Pick<Parts, 'store'>, now: Date): Promise<void> {
  const expired = Prisma.sql`f.id IN (
    SELECT id FROM extract_files WHERE expires_at <= ${now}::timestamptz ORDER BY expires_at LIMIT ${BATCH}::int)`;
  const { text, values } = removalOfExtractFiles(expired, now);
  await store.sweep(text, values);
}
