import { removalOfZipDownloads } from '@indbakke/shared/inbox';
import { takeDue } from '@indbakke/shared/queue';
import type { Parts } from '@indbakke/shared/service';
import { Prisma } from '@indbakke/shared/store';
import { MAKE_ZIP, OVERDUE_SECONDS } from './make-zip.js';

const UNFINISHED = {
  table: 'zip_downloads',
  which: `status IN ('waiting', 'running')`,
  overdueSeconds: OVERDUE_SECONDS,
  trace: 'trace',
} as const;
const BATCH = 100;

/** Enqueues the zips whose job the queue may have lost. */
export async function sweepDueZips({ store, queues }: Pick<Parts, 'store' | 'queues'>, now: Date): Promise<void> {
  for (const { id: zipId, municipality, run, trace } of await takeDue(store, UNFINISHED, now)) {
    queues.enqueue(MAKE_ZIP, { zipId, municipality, run }, trace);
  }
}

/** Removes zips that have expired, with their keys, and requests the removal of their content. */
export async function sweepExpiredZips({ store }: Pick<Parts, 'store'>, now: Date): Promise<void> {
  const expired = Prisma.sql`z.id IN (
    SELECT id FROM zip_downloads WHERE expires_at <= ${now}::timestamptz ORDER BY expires_at LIMIT ${BATCH}::int)`;
  const { text, values } = removalOfZipDownloads(expired, now);
  await store.sweep(text, values);
}
