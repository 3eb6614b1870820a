import { removalOfZipDownloads } from '@indbakke/shared/inbox';
import { enqueueDue, type Outbox } from '@indbakke/shared/queue';
import type { Parts } from '@indbakke/shared/service';
import { Prisma } from '@indbakke/shared/store';
import { MAKE_ZIP, type MakeZipData, OVERDUE_SECONDS } from './make-zip.js';

export const UNFINISHED_ZIPS: Outbox<MakeZipData> = {
  table: 'zip_downloads',
  which: `status IN ('waiting', 'running')`,
  overdueSeconds: OVERDUE_SECONDS,
  trace: 'trace',
  job: MAKE_ZIP,
  dataOf: ({ id: zipId, municipality, run }) => ({ zipId, municipality, run }),
};
const BATCH = 100;

/** Enqueues the zips whose job the queue may have lost. */
export async function sweepDueZips(parts: Pick<Parts, 'store' | 'queues'>, now: Date): Promise<void> {
  await enqueueDue(parts, UNFINISHED_ZIPS, now);
}

/** Removes zips that have expired, with their keys, and requests the removal of their content. */
export async function sweepExpiredZips({ store }: Pick<Parts, 'store'>, now: Date): Promise<void> {
  const expired = Prisma.sql`z.id IN (
    SELECT id FROM zip_downloads WHERE expires_at <= ${now}::timestamptz ORDER BY expires_at LIMIT ${BATCH}::int)`;
  const { text, values } = removalOfZipDownloads(expired, now);
  await store.sweep(text, values);
}
