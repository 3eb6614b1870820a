import { Router } from 'express';
import { describeError } from '../log/index.js';
import type { Parts } from './parts.js';

// A probe that hangs tells the router nothing.
const CHECK_MS = 3_000;

/** `/healthz` (the process lives), `/readyz` (database, queue and blob store answer), `/metrics` (Prometheus). */
export function health({ store, queues, blobs, metrics, log }: Parts): Router {
  const checks = {
    database: () => store.check(),
    queue: () => queues.check(),
    content: () => blobs.check(),
  };
  const router = Router();

  router.get('/healthz', (_req, res) => {
    res.json({ status: 'alive' });
  });

  router.get('/readyz', async (_req, res) => {
    const entries = await Promise.all(
      Object.entries(checks).map(async ([part, check]) => {
        try {
          await withinTime(check());
          return [part, 'ready'] as const;
        } catch (error) {
          log.warn('not-ready', { part, ...describeError(error) });
          return [part, 'failing'] as const;
        }
      }),
    );
    const ready = entries.every(([, state]) => state === 'ready');
    res.status(ready ? 200 : 503).json({ status: ready ? 'ready' : 'failing', ...Object.fromEntries(entries) });
  });

  router.get('/metrics', async (_req, res) => {
    res.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });

  return router;
}

async function withinTime(check: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), CHECK_MS);
  });
  await Promise.race([check, tooLate]).finally(() => clearTimeout(timer));
}
