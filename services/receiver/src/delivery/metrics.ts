import { Counter, Gauge, type Registry } from 'prom-client';

/** What the endpoints count. */
export interface DeliveryMetrics {
  /** Answers; outcome = accepted, held, duplicate, after-deletion, or the code of the refusal. */
  readonly intake: Counter<'endpoint' | 'outcome'>;
  /** What is being taken in now. */
  readonly uploads: Gauge;
}

export function createDeliveryMetrics(registry: Registry): DeliveryMetrics {
  return {
    intake: new Counter({
      name: 'indbakke_intake_total',
      help: 'Messages answered, by endpoint and outcome',
      labelNames: ['endpoint', 'outcome'],
      registers: [registry],
    }),
    uploads: new Gauge({ name: 'indbakke_uploads', help: 'Messages being taken in now', registers: [registry] }),
  };
}
