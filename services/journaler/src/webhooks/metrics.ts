import { DISABLED_CAUSES } from '@indbakke/shared/api';
import { type Metrics, observe } from '@indbakke/shared/metrics';
import type { Store } from '@indbakke/shared/store';
import { Counter } from 'prom-client';

export interface WebhookMetrics {
  readonly attempts: Counter<'outcome'>;
}

const STATES = ['working', 'retrying', ...Object.keys(DISABLED_CAUSES)];

/** Of whom nobody is woken at night. */
const OF_TRAINING = 'SELECT cvr FROM municipalities WHERE is_training';

/** How webhooks do, and what waits for them; those of training municipalities are not counted. */
export function observeWebhooks(metrics: Metrics, store: Store): WebhookMetrics {
  const states = 'Webhooks by state: working, retrying, or why they are disabled';
  observe(metrics, 'webhooks', states, ['state'], async () => {
    const rows = await store.sweep<{ state: string; count: number }>(
      `SELECT coalesce(disabled_cause, CASE WHEN failing_since IS NULL THEN 'working' ELSE 'retrying' END) AS state, count(*)::int
       FROM webhooks WHERE municipality NOT IN (${OF_TRAINING}) GROUP BY 1`,
    );
    return STATES.map((state) => [{ state }, rows.find((row) => row.state === state)?.count ?? 0] as const);
  });
  const waiting = 'Age of the oldest delivery that waits for a webhook that is not disabled; 0 when none does';
  observe(metrics, 'webhook_waiting_seconds', waiting, [], async () => {
    const [row] = await store.sweep<{ age: number }>(
      `SELECT coalesce(extract(epoch FROM now() - min(oldest.created_at)), 0)::float8 AS age
       FROM webhooks w CROSS JOIN LATERAL (
         SELECT created_at FROM webhook_deliveries WHERE webhook_id = w.id AND status = 'waiting' ORDER BY created_at LIMIT 1
       ) AS oldest WHERE w.status = 'active' AND w.municipality NOT IN (${OF_TRAINING})`,
    );
    return row?.age;
  });
  return {
    attempts: new Counter({
      name: 'indbakke_webhook_attempts_total',
      help: 'Attempts to send an event to a webhook',
      labelNames: ['outcome'],
      registers: [metrics.registry],
    }),
  };
}
