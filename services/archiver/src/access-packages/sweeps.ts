import { removalOfAccessPackages } from '@indbakke/shared/inbox';
import { enqueueDue, type Outbox } from '@indbakke/shared/queue';
import type { Parts } from '@indbakke/shared/service';
import { Prisma } from '@indbakke/shared/store';
import { MAKE_PACKAGE, type MakePackageData, OVERDUE_SECONDS } from './make-package.js';

const WAITING: Outbox<MakePackageData> = {
  table: 'access_packages',
  which: `status = 'waiting'`,
  overdueSeconds: OVERDUE_SECONDS,
  trace: 'trace',
  job: MAKE_PACKAGE,
  dataOf: ({ id: packageId, municipality, run }) => ({ packageId, municipality, run }),
};
const BATCH = 100;

/** Enqueues the packages that are asked for, and those whose job the queue may have lost. */
export async function sweepDuePackages(parts: Pick<Parts, 'store' | 'queues'>, now: Date): Promise<void> {
  await enqueueDue(parts, WAITING, now);
}

/** Removes packages that have expired, with their keys and what was asked for, and requests the removal of their content. */
export async function sweepExpiredPackages({ store }: Pick<Parts, 'store'>, now: Date): Promise<void> {
  const expired = Prisma.sql`p.id IN (
    SELECT id FROM access_packages WHERE expires_at <= ${now}::timestamptz ORDER BY expires_at LIMIT ${BATCH}::int)`;
  const { text, values } = removalOfAccessPackages(expired, now);
  await store.sweep(text, values);
}
