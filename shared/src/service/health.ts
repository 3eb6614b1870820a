import { Router } from 'express';
import { describeError } from '../log/index.js';
import type { Parts } from './parts.js';
import { within } from './within.js';

// A probe that hangs is useless to the router.
const CHECK_MS = 3_000;

/**
 * `/healthz` (the process is alive), `/readyz` (database and blob store answer; the queue is only reported), `/metrics`
 * (Prometheus).
 */
export function health({ store, queues, blobs, metrics, log }: Parts): Router {
  const checks = {
    database: { required: true, check: () => store.check() },
    content: { required: true, check: () => blobs.check() },
    // Without the queue a service still accepts and shows messages, so it stays ready.
    queue: { required: false, check: () => queues.check() },
  };
  const router = Router();

  router.get('/healthz', (_req, res) => {
    res.json({ status: 'alive' });
  });

  router.get('/readyz', async (_req, res) => {
    const entries = await Promise.all(
      Object.entries(checks).map(async ([part, { required, check }]) => {
        try {
          if (!(await within(CHECK_MS, check()))) throw new Error('no answer in time');
          return { part, required, state: 'ready' };
        } catch (error) {
          log.warn('not-ready', { part, ...describeError(error) });
          return { part, required, state: 'failing' };
        }
      }),
    );
    const ready = entries.every(({ required, state }) => !required || state === 'ready');
    const states = Object.fromEntries(entries.map(({ part, state }) => [part, state]));
    res.status(ready ? 200 : 503).json({ status: ready ? 'ready' : 'failing', ...states });
  });

  router.get('/metrics', async (_req, res) => {
    res.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });

  return router;
}
