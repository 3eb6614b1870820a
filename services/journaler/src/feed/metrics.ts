import { type Metrics, observe } from '@indbakke/shared/metrics';
import type { Listener, Store } from '@indbakke/shared/store';
import type { Feed } from './feed.js';

/** How far numbering lags behind, and who waits. */
export function observeFeed(metrics: Metrics, store: Store, feed: Feed, listener: Listener): void {
  const unnumbered = 'Age of the oldest event and audit row without a position; 0 when all have one';
  observe(metrics, 'unnumbered_age_seconds', unnumbered, ['rows'], async () => {
    const ages = await store.sweep<{ rows: string; age: number }>(
      `SELECT 'events' AS rows, coalesce(extract(epoch FROM now() - min(at)), 0)::float8 AS age FROM events WHERE position IS NULL
       UNION ALL SELECT 'audit', coalesce(extract(epoch FROM now() - min(at)), 0)::float8 FROM audit_events WHERE position IS NULL`,
    );
    return ages.map(({ rows, age }) => [{ rows }, age] as const);
  });
  const waiting = 'Callers of the change feed that wait for the next event';
  observe(metrics, 'feed_waiting', waiting, [], async () => feed.waiters);
  const hearing = '1 when LISTEN works; else changes are looked for every second';
  observe(metrics, 'feed_hearing', hearing, [], async () => Number(listener.isHearing));
}
