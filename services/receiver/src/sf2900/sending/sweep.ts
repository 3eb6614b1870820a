import { takeDue } from '@indbakke/shared/queue';
import type { Parts } from '@indbakke/shared/service';
import { DISTRIBUTE_MESSAGE, DISTRIBUTION_OVERDUE_SECONDS } from './distribute-message.js';

const UNSENT = {
  table: 'onward_distributions',
  which: `status IN ('waiting', 'uploaded')`,
  overdueSeconds: DISTRIBUTION_OVERDUE_SECONDS,
  trace: 'trace',
} as const;

/** Enqueues the messages that are to be sent on and whose next attempt is due, or whose job the queue may have lost. */
export async function sweepDueDistributions(
  { store, queues }: Pick<Parts, 'store' | 'queues'>,
  now: Date,
): Promise<void> {
  for (const { id: distributionId, municipality, run, trace } of await takeDue(store, UNSENT, now)) {
    queues.enqueue(DISTRIBUTE_MESSAGE, { distributionId, municipality, run }, trace);
  }
}
