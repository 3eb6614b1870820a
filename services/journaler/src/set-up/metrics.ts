import type { HeldCause } from '@indbakke/shared/lifecycle';
import { observe } from '@indbakke/shared/metrics';
import type { Parts } from '@indbakke/shared/service';

/** What is held, asked for at each scrape; nothing of training municipalities. */
export function observeHeldMessages({ store, metrics }: Pick<Parts, 'store' | 'metrics'>): void {
  observe(
    metrics,
    'held',
    'Held messages of all municipalities, by cause: messages, how many; seconds, the age of the oldest',
    ['what', 'cause'],
    async () => {
      const rows = await store.sweep<{ cause: HeldCause; messages: number; seconds: number }>(
        `SELECT held_cause AS cause, count(*)::int AS messages, extract(epoch FROM now() - min(received_at))::float8 AS seconds
         FROM messages JOIN municipalities ON cvr = municipality WHERE status = 'held' AND NOT is_training GROUP BY held_cause`,
      );
      return rows.flatMap(({ cause, messages, seconds }) => [
        [{ what: 'messages', cause }, messages] as const,
        [{ what: 'seconds', cause }, seconds] as const,
      ]);
    },
  );
}
