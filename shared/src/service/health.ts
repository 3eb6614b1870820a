import { Router } from 'express';
import { describeError } from '../log/index.js';
import type { Parts } from './parts.js';
import { within } from './within.js';

// A probe that hangs tells the router nothing.
const CHECK_MS = 3_000;

/**
 * `/healthz` (the process lives), `/readyz` (database and blob store answer; the queue is reported), `/metrics`
 * (Prometheus).
 */
export function health({ store, queues, blobs, metrics, log }: Parts): Router {
  const checks = {
    database: { needed: true, check: () => store.check() },
    content: { needed: true, check: () => blobs.check() },
    // Without its queue a service still takes mail in and shows it; a router must not turn either away.
    queue: { needed: false, check: () => queues.check() },
  };
  const router = Router();

  router.get('/healthz', (_req, res) => {
    res.json({ status: 'alive' });
  });

  router.get('/readyz', async (_req, res) => {
    const entries = await Promise.all(
      Object.entries(checks).map(async ([part, { needed, check }]) => {
        try {
          if (!(await within(CHECK_MS, check()))) throw new Error('no answer in time');
          return { part, needed, state: 'ready' };
        } catch (error) {
          log.warn('not-ready', { part, ...describeError(error) });
          return { part, needed, state: 'failing' };
        }
      }),
    );
    const ready = entries.every(({ needed, state }) => !needed || state === 'ready');
    const states = Object.fromEntries(entries.map(({ part, state }) => [part, state]));
    res.status(ready ? 200 : 503).json({ status: ready ? 'ready' : 'failing', ...states });
  });

  router.get('/metrics', async (_req, res) => {
    res.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });

  return router;
}
