import type { CallerRules } from '../callers/callers.js';
import type { IntakeParts } from '../intake/receive-message.js';
import type { DeliveryMetrics } from './metrics.js';
import type { Uploads } from './uploads.js';

export interface EndpointParts extends IntakeParts, CallerRules {
  readonly uploads: Uploads;
  readonly metrics: DeliveryMetrics;
}
