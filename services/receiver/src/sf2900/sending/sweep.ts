import { enqueueDue, type Outbox } from '@indbakke/shared/queue';
import type { Parts } from '@indbakke/shared/service';
import { DISTRIBUTE_MESSAGE, DISTRIBUTION_OVERDUE_SECONDS, type DistributeData } from './distribute-message.js';

const UNSENT: Outbox<DistributeData> = {
  table: 'onward_distributions',
  which: `status IN ('waiting', 'uploaded')`,
  overdueSeconds: DISTRIBUTION_OVERDUE_SECONDS,
  trace: 'trace',
  job: DISTRIBUTE_MESSAGE,
  dataOf: ({ id: distributionId, municipality, run }) => ({ distributionId, municipality, run }),
};

/** Enqueues the messages that are to be sent on and whose next attempt is due, or whose job the queue may have lost. */
export async function sweepDueDistributions(parts: Pick<Parts, 'store' | 'queues'>, now: Date): Promise<void> {
  await enqueueDue(parts, UNSENT, now);
}
