import { Counter, Gauge, type Registry } from 'prom-client';

export interface DeliveryMetrics {
  /** Answers; outcome = accepted, held, duplicate, after-deletion, or the code of the refusal. */
  readonly intake: Counter<'endpoint' | 'outcome'>;
  /** Deliveries in progress. */
  readonly uploads: Gauge;
  /** Deliveries that lost their place before they had arrived. */
  readonly cut: Counter<'why'>;
}

export function createDeliveryMetrics(registry: Registry, maxUploads: number): DeliveryMetrics {
  const limit = 'indbakke_uploads_limit';
  new Gauge({ name: limit, help: 'Most deliveries in progress (MAX_UPLOADS)', registers: [registry] }).set(maxUploads);
  const metrics = {
    intake: new Counter<'endpoint' | 'outcome'>({
      name: 'indbakke_intake_total',
      help: 'Deliveries answered, by endpoint and outcome',
      labelNames: ['endpoint', 'outcome'],
      registers: [registry],
    }),
    uploads: new Gauge({ name: 'indbakke_uploads', help: 'Deliveries in progress', registers: [registry] }),
    cut: new Counter<'why'>({
      name: 'indbakke_uploads_cut_total',
      help: 'Deliveries that were cut off: too-long, too-slow, idle, over-share',
      labelNames: ['why'],
      registers: [registry],
    }),
  };
  // From 0 on, so that the first one is an increase.
  for (const endpoint of ['rest', 'soap']) metrics.intake.inc({ endpoint, outcome: 'send-again' }, 0);
  return metrics;
}
