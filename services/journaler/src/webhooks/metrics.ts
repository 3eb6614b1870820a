import { DISABLED_CAUSES } from '@indbakke/shared/api';
import { type Metrics, readForScrape } from '@indbakke/shared/metrics';
import type { Store } from '@indbakke/shared/store';
import { Counter, Gauge } from 'prom-client';

export interface WebhookMetrics {
  readonly attempts: Counter<'outcome'>;
}

const STATES = ['working', 'retrying', ...Object.keys(DISABLED_CAUSES)];

/** Of whom nobody is woken at night. */
const OF_TRAINING = 'SELECT cvr FROM municipalities WHERE is_training';

/** How webhooks do, and what waits for them; those of training municipalities are not counted. */
export function observeWebhooks({ registry }: Metrics, store: Store): WebhookMetrics {
  const registers = [registry];
  new Gauge({
    name: 'indbakke_webhooks',
    help: 'Webhooks by state: working, retrying, or why they are disabled',
    labelNames: ['state'],
    registers,
    async collect() {
      const rows = await readForScrape(() =>
        store.sweep<{ state: string; count: number }>(
          `SELECT coalesce(disabled_cause, CASE WHEN failing_since IS NULL THEN 'working' ELSE 'retrying' END) AS state, count(*)::int
           FROM webhooks WHERE municipality NOT IN (${OF_TRAINING}) GROUP BY 1`,
        ),
      );
      if (!rows) return;
      for (const state of STATES) this.set({ state }, rows.find((row) => row.state === state)?.count ?? 0);
    },
  });
  new Gauge({
    name: 'indbakke_webhook_waiting_seconds',
    help: 'Age of the oldest delivery that waits for a webhook that is not disabled; 0 when none does',
    registers,
    async collect() {
      const rows = await readForScrape(() =>
        store.sweep<{ age: number }>(
          `SELECT coalesce(extract(epoch FROM now() - min(oldest.created_at)), 0)::float8 AS age
           FROM webhooks w CROSS JOIN LATERAL (
             SELECT created_at FROM webhook_deliveries WHERE webhook_id = w.id AND status = 'waiting' ORDER BY created_at LIMIT 1
           ) AS oldest WHERE w.status = 'active' AND w.municipality NOT IN (${OF_TRAINING})`,
        ),
      );
      for (const { age } of rows ?? []) this.set(age);
    },
  });
  return {
    attempts: new Counter({
      name: 'indbakke_webhook_attempts_total',
      help: 'Attempts to send an event to a webhook',
      labelNames: ['outcome'],
      registers,
    }),
  };
}
