import { once } from 'node:events';
import express, { type Router } from 'express';
import { type CommonConfig, SECOND } from '../config/index.js';
import { listen, notFound, problemHandler, refuseOtherMethods, securityHeaders, trackRequests } from '../http/index.js';
import { createLog } from '../log/index.js';
import type { StartWorker } from '../queue/index.js';
import { openTracing } from '../tracing/index.js';
import { abortOn } from './abort-on.js';
import { describesItself } from './describes-itself.js';
import { health } from './health.js';
import { onlyJson } from './only-json.js';
import { operationsPages } from './operations-pages.js';
import { openParts, type Parts } from './parts.js';
import { watchParts } from './readiness.js';
import { type Repeating, repeat } from './repeat.js';
import { within } from './within.js';

/** The background work of a service. */
export interface Work {
  readonly jobs: readonly StartWorker[];
  readonly sweeps: readonly Pick<Repeating, 'start' | 'stop'>[];
}

/** A service, ready to be mounted: its routes and its background work. */
export interface Service extends Work {
  readonly name: string;
  readonly router: Router;
  /** Answers the calls that wait for something to happen, at the beginning of a shutdown. */
  readonly endWaiting?: () => void;
}

export interface Running {
  readonly url: string;
  /**
   * Stops accepting requests, finishes those in flight, closes workers, queues and database, in this order. What has not
   * ended after SHUTDOWN_SECONDS is abandoned, since a queue that is away would never end. Its jobs are retried.
   */
  close(): Promise<void>;
  /** Resolves with a sentence when something it depends on has ended for good, so that it can only close. */
  readonly lost?: Promise<Error>;
}

const WATCH_EVERY_MS = 10 * SECOND;

/**
 * Runs services in this process on one port: one in production, all three in the local stack. Health, metrics, the API
 * description and the operations pages are here, once for all of them.
 *
 * @throws Error with a sentence when a part cannot be opened or the port is not available; then nothing is left open
 */
export async function serve(
  config: CommonConfig,
  name: string,
  services: ((parts: Parts) => Service)[],
): Promise<Running> {
  const parts = await openParts(config, name);
  const { log, metrics, queues, store } = parts;
  const tracing = await openTracing(config, name, log);
  const mounted = services.map((create) => create(parts));

  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.set('trust proxy', config.TRUSTED_PROXIES ?? false);
  app.use(trackRequests(log, metrics));
  app.use(securityHeaders);
  const askParts = watchParts(parts);
  // Unasked too, for the log and the metrics.
  const watching = repeat('watch-parts', WATCH_EVERY_MS, log, askParts, 0);
  watching.start();
  const pages = [health(metrics, askParts), describesItself()];
  app.use(pages);
  for (const service of mounted) {
    app.use(service.router);
    for (const startWorker of service.jobs) startWorker(queues);
    for (const sweep of service.sweeps) sweep.start();
  }
  app.use(operationsPages(parts)); // after the workers, whose queues it shows
  app.use(refuseOtherMethods(...pages, ...mounted.map(({ router }) => router)));
  app.use(notFound);
  app.use(problemHandler(log));

  const stopWork = async () => {
    await Promise.all([watching, ...mounted.flatMap(({ sweeps }) => sweeps)].map((each) => each.stop()));
    await queues.close();
    await store.close();
    await tracing.close();
  };
  try {
    const listening = await listen(app, config, (status, code) => {
      metrics.unreadable.inc({ status });
      log.info('unreadable', { status, code });
    });
    log.info('ready', { url: listening.url });
    return {
      url: listening.url,
      async close() {
        const deadline = config.SHUTDOWN_SECONDS * 1_000;
        for (const { endWaiting } of mounted) endWaiting?.();
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
 * What every main.ts does: starts, and closes at SIGINT or SIGTERM, once it has started. Another signal, over a second later,
 * ends the process at once. If it cannot start, or loses something it depends on, it prints a sentence to standard error and
 * exits with 1; everything else that it prints is lines of the log.
 */
export async function runUntilSignal(name: string, start: () => Promise<Running>): Promise<void> {
  onlyJson(createLog(name, 'warn'));
  try {
    // Before the start, so that no signal ends a process that has told others that it runs.
    const signalled = once(abortOn(['SIGINT', 'SIGTERM']).signal, 'abort').then(() => undefined);
    const running = await start();
    const lost = await Promise.race([signalled, ...(running.lost ? [running.lost] : [])]);
    if (lost) process.stderr.write(`${lost.message}\n`);
    await (lost ? within(CLOSE_WHEN_LOST_MS, running.close()) : running.close());
    process.exit(lost ? 1 : 0);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : 'The service did not start.'}\n`);
    process.exit(1);
  }
}

// No request can succeed any more; this is time for the answers that say so.
const CLOSE_WHEN_LOST_MS = 5_000;
