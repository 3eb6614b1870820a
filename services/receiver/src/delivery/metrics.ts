import { Counter, Gauge, type Registry } from 'prom-client';

export interface DeliveryMetrics {
  /** Answers; outcome = accepted, held, duplicate, after-deletion, or the code of the refusal. */
  readonly intake: Counter<'endpoint' | 'outcome'>;
  /** Deliveries in progress. */
  readonly uploads: Gauge;
  /** Deliveries that lost their place before they had arrived. */
  readonly cut: Counter<'why'>;
}

export function createDeliveryMetrics(registry: Registry): DeliveryMetrics {
  return {
    intake: new Counter({
      name: 'indbakke_intake_total',
      help: 'Deliveries answered, by endpoint and outcome',
      labelNames: ['endpoint', 'outcome'],
      registers: [registry],
    }),
    uploads: new Gauge({ name: 'indbakke_uploads', help: 'Deliveries in progress', registers: [registry] }),
    cut: new Counter({
      name: 'indbakke_uploads_cut_total',
      help: 'Deliveries that were cut off: too-long, too-slow, idle, over-share',
      labelNames: ['why'],
      registers: [registry],
    }),
  };
}
