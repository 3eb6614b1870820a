import { Problem } from '@indbakke/shared/errors';
import type { Request, Response } from 'express';
import type { ReceiverConfig } from '../config.js';
import type { DeliveryMetrics } from './metrics.js';

/** Counts deliveries in progress, over all endpoints. */
export interface Uploads {
  /**
   * Counts one until it is answered or the caller disconnects.
   * @throws Problem send-again at MAX_UPLOADS
   */
  begin(req: Request, res: Response): void;
}

/** The limit bounds memory: a few retries are better than all deliveries becoming slow. */
export function countUploads({ MAX_UPLOADS }: ReceiverConfig, metrics: DeliveryMetrics): Uploads {
  const underWay = new Set<Response>();
  const report = () => metrics.uploads.set(underWay.size);
  return {
    begin({ socket }, res) {
      if (underWay.size >= MAX_UPLOADS) {
        throw new Problem(
          'send-again',
          `The limit of ${MAX_UPLOADS} concurrent uploads is reached. Send it again later.`,
        );
      }
      underWay.add(res);
      report();
      const end = () => {
        underWay.delete(res);
        report();
        socket.off('close', end);
      };
      res.once('close', end);
      // A pipelined answer that has not had its turn emits no close when the connection breaks.
      socket.once('close', end);
    },
  };
}
