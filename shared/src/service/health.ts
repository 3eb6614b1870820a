import { Router } from 'express';
import type { Metrics } from '../metrics/index.js';
import { isReady, type States } from './readiness.js';

/** `/healthz` (the process is alive), `/readyz` (it should get requests: the state of each part). */
export function health(askParts: () => Promise<States>): Router {
  const router = Router();

  router.get('/healthz', (_req, res) => {
    res.json({ status: 'alive' });
  });

  router.get('/readyz', async (_req, res) => {
    const states = await askParts();
    const ready = isReady(states);
    res.status(ready ? 200 : 503).json({ status: ready ? 'ready' : 'failing', ...states });
  });

  return router;
}

/** `/metrics`, as Prometheus reads them. */
export function showMetrics({ registry }: Metrics): Router {
  const router = Router();
  router.get('/metrics', async (_req, res) => {
    res.type(registry.contentType).send(await registry.metrics());
  });
  return router;
}
