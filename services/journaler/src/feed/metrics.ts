import { type Metrics, readForScrape } from '@indbakke/shared/metrics';
import type { Listener, Store } from '@indbakke/shared/store';
import { Gauge } from 'prom-client';
import type { Feed } from './feed.js';

/** How far numbering lags behind, and who waits. */
export function observeFeed({ registry }: Metrics, store: Store, feed: Feed, listener: Listener): void {
  const registers = [registry];
  new Gauge({
    name: 'indbakke_unnumbered_age_seconds',
    help: 'Age of the oldest event and audit row without a position; 0 when all have one',
    labelNames: ['rows'],
    registers,
    async collect() {
      const ages = await readForScrape(() =>
        store.sweep<{ rows: string; age: number }>(
          `SELECT 'events' AS rows, coalesce(extract(epoch FROM now() - min(at)), 0)::float8 AS age FROM events WHERE position IS NULL
           UNION ALL SELECT 'audit', coalesce(extract(epoch FROM now() - min(at)), 0)::float8 FROM audit_events WHERE position IS NULL`,
        ),
      );
      for (const { rows, age } of ages ?? []) this.set({ rows }, age);
    },
  });
  new Gauge({
    name: 'indbakke_feed_waiting',
    help: 'Callers of the change feed that wait for the next event',
    registers,
    collect() {
      this.set(feed.waiters);
    },
  });
  new Gauge({
    name: 'indbakke_feed_hearing',
    help: '1 when LISTEN works; else changes are looked for every second',
    registers,
    collect() {
      this.set(Number(listener.isHearing));
    },
  });
}
