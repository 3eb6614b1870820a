import { Problem } from '@indbakke/shared/errors';
import type { Response } from 'express';
import type { ReceiverConfig } from '../config.js';
import type { DeliveryMetrics } from './metrics.js';

/** Counts deliveries in progress, over all endpoints. */
export interface Uploads {
  /**
   * Counts one until it is answered or the caller disconnects.
   * @throws Problem send-again at MAX_UPLOADS
   */
  begin(res: Response): void;
}

/** The limit bounds memory: a few retries are better than all deliveries becoming slow. */
export function countUploads({ MAX_UPLOADS }: ReceiverConfig, metrics: DeliveryMetrics): Uploads {
  let count = 0;
  const change = (by: 1 | -1) => {
    count += by;
    metrics.uploads.set(count);
  };
  return {
    begin(res) {
      if (count >= MAX_UPLOADS) {
        throw new Problem(
          'send-again',
          `The limit of ${MAX_UPLOADS} concurrent uploads is reached. Send it again later.`,
        );
      }
      change(1);
      res.once('close', () => change(-1));
    },
  };
}
