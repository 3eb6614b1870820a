import { removalOfAccessPackages } from '@indbakke/shared/inbox';
import { takeDue } from '@indbakke/shared/queue';
import type { Parts } from '@indbakke/shared/service';
import { Prisma } from '@indbakke/shared/store';
import { MAKE_PACKAGE, OVERDUE_SECONDS } from './make-package.js';

const WAITING = {
  table: 'access_packages',
  which: `status = 'waiting'`,
  overdueSeconds: OVERDUE_SECONDS,
  trace: 'trace',
} as const;
const BATCH = 100;

/** Enqueues the packages that are asked for, and those whose job the queue may have lost. */
export async function sweepDuePackages({ store, queues }: Pick<Parts, 'store' | 'queues'>, now: Date): Promise<void> {
  for (const { id: packageId, municipality, run, trace } of await takeDue(store, WAITING, now)) {
    queues.enqueue(MAKE_PACKAGE, { packageId, municipality, run }, trace);
  }
}

/** Removes packages that have expired, with their keys and what was asked for, and requests the removal of their content. */
export async function sweepExpiredPackages({ store }: Pick<Parts, 'store'>, now: Date): Promise<void> {
  const expired = Prisma.sql`p.id IN (
    SELECT id FROM access_packages WHERE expires_at <= ${now}::timestamptz ORDER BY expires_at LIMIT ${BATCH}::int)`;
  const { text, values } = removalOfAccessPackages(expired, now);
  await store.sweep(text, values);
}
