import type { HeldCause } from '@indbakke/shared/lifecycle';
import { readForScrape } from '@indbakke/shared/metrics';
import type { Parts } from '@indbakke/shared/service';
import { Gauge } from 'prom-client';

/** What is held, asked for at each scrape; nothing of training municipalities. */
export function observeHeldMessages({ store, metrics }: Pick<Parts, 'store' | 'metrics'>): void {
  new Gauge({
    name: 'indbakke_held',
    help: 'Held messages of all municipalities, by cause: messages, how many; seconds, the age of the oldest',
    labelNames: ['what', 'cause'],
    registers: [metrics.registry],
    async collect() {
      const rows = await readForScrape(() =>
        store.sweep<{ cause: HeldCause; messages: number; seconds: number }>(
          `SELECT held_cause AS cause, count(*)::int AS messages, extract(epoch FROM now() - min(received_at))::float8 AS seconds
           FROM messages JOIN municipalities ON cvr = municipality WHERE status = 'held' AND NOT is_training GROUP BY held_cause`,
        ),
      );
      this.reset();
      for (const { cause, messages, seconds } of rows ?? []) {
        this.set({ what: 'messages', cause }, messages);
        this.set({ what: 'seconds', cause }, seconds);
      }
    },
  });
}
