import { Problem } from '@indbakke/shared/errors';
import type { Response } from 'express';
import type { ReceiverConfig } from '../config.js';
import type { DeliveryMetrics } from './metrics.js';

/** Counts what is being taken in, by whatever endpoint. */
export interface Uploads {
  /**
   * Counts one, until its answer is out or the caller has gone.
   * @throws Problem send-again when there are as many as there may be
   */
  begin(res: Response): void;
}

/** Better that some are to be sent again than that all become slow, and the memory ends. */
export function countUploads({ MAX_UPLOADS: most }: ReceiverConfig, metrics: DeliveryMetrics): Uploads {
  let count = 0;
  const change = (by: 1 | -1) => {
    count += by;
    metrics.uploads.set(count);
  };
  return {
    begin(res) {
      if (count >= most) {
        throw new Problem('send-again', `There are ${most} uploads under way, the limit. Send it again later.`);
      }
      change(1);
      res.once('close', () => change(-1));
    },
  };
}
