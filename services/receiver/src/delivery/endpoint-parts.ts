import type { IntakeParts } from '../intake/receive-message.js';
import type { DeliveryMetrics } from './metrics.js';
import type { Uploads } from './uploads.js';

export interface EndpointParts extends IntakeParts {
  readonly uploads: Uploads;
  readonly metrics: DeliveryMetrics;
}
