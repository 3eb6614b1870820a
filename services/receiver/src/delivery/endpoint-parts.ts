import type { IntakeParts } from '../intake/take-in.js';
import type { DeliveryMetrics } from './metrics.js';
import type { Uploads } from './uploads.js';

/** What every endpoint is given. */
export interface EndpointParts extends IntakeParts {
  readonly uploads: Uploads;
  readonly metrics: DeliveryMetrics;
}
