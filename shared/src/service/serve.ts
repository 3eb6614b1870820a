import { once } from 'node:events';
import express, { type Router } from 'express';
import type { CommonConfig } from '../config/index.js';
import { listen, notFound, problemHandler, trackRequests } from '../http/index.js';
import type { StartWorker } from '../queue/index.js';
import { abortOn } from './abort-on.js';
import { describesItself } from './describes-itself.js';
import { health } from './health.js';
import { operationsPages } from './operations-pages.js';
import { openParts, type Parts } from './parts.js';
import type { Repeating } from './repeat.js';
import { within } from './within.js';

/** What a service does that no request asks for. */
export interface Work {
  readonly jobs: readonly StartWorker[];
  readonly sweeps: readonly Repeating[];
}

/** A service, ready to be mounted: its routes, and its work. */
export interface Service extends Work {
  readonly name: string;
  readonly router: Router;
}

export interface Running {
  readonly url: string;
  /**
   * Stops taking in, finishes what is in flight, closes workers, queues and database, in this order. What does not end in
   * SHUTDOWN_SECONDS is left: a queue that is away would be waited for without end. Its jobs come again.
   */
  close(): Promise<void>;
  /** Resolves with a sentence when what it stands on has ended for good, so that it can do nothing but close. */
  readonly lost?: Promise<Error>;
}

/**
 * Runs services in this process on one port: one in production, all three in the local stack. Health, metrics, the API
 * description and the operations pages stand here once, whatever is mounted.
 *
 * @throws Error in a sentence when a part cannot be opened or the port cannot be had; then nothing is left open
 */
export async function serve(
  config: CommonConfig,
  name: string,
  services: ((parts: Parts) => Service)[],
): Promise<Running> {
  const parts = await openParts(config, name);
  const { log, metrics, queues, store } = parts;
  const mounted = services.map((create) => create(parts));

  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.use(trackRequests(log, metrics));
  app.use(health(parts));
  app.use(describesItself());
  for (const service of mounted) {
    app.use(service.router);
    for (const startWorker of service.jobs) startWorker(queues);
    for (const sweep of service.sweeps) sweep.start();
  }
  app.use(operationsPages(parts)); // after the workers: it shows the queues that they have opened
  app.use(notFound);
  app.use(problemHandler(log));

  const stopWork = async () => {
    await Promise.all(mounted.flatMap(({ sweeps }) => sweeps.map((sweep) => sweep.stop())));
    await queues.close();
    await store.close();
  };
  try {
    const listening = await listen(app, config.HOST, config.PORT);
    log.info('ready', { url: listening.url });
    return {
      url: listening.url,
      async close() {
        const deadline = config.SHUTDOWN_SECONDS * 1_000;
        await listening.close(deadline);
        const inTime = await within(deadline, stopWork());
        if (inTime) log.info('closed');
        else log.warn('closed-late');
      },
    };
  } catch (error) {
    await stopWork();
    throw error;
  }
}

/**
 * What every main.ts does: starts, and closes at SIGINT or SIGTERM. Another signal, a second or more later, ends the process
 * at once. A fault at the start, or losing what it stands on, is one sentence on standard error and exit status 1.
 */
export async function runUntilSignal(start: () => Promise<Running>): Promise<void> {
  try {
    const running = await start();
    const told = once(abortOn(['SIGINT', 'SIGTERM']).signal, 'abort').then(() => undefined);
    const lost = await Promise.race([told, ...(running.lost ? [running.lost] : [])]);
    if (lost) process.stderr.write(`${lost.message}\n`);
    await (lost ? within(CLOSE_WHEN_LOST_MS, running.close()) : running.close());
    process.exit(lost ? 1 : 0);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : 'It does not start.'}\n`);
    process.exit(1);
  }
}

// Nothing can be finished any more; this is for the answers that say so.
const CLOSE_WHEN_LOST_MS = 5_000;
