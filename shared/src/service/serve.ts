import { once } from 'node:events';
import express, { type Express, type Router } from 'express';
import { type CommonConfig, MINUTE, SECOND } from '../config/index.js';
import {
  type Listening,
  listen,
  notFound,
  type OwnCertificate,
  type PortSetting,
  problemHandler,
  refuseOtherMethods,
  securityHeaders,
  trackRequests,
} from '../http/index.js';
import { createLog } from '../log/index.js';
import { observeSweeps } from '../metrics/index.js';
import type { StartWorker } from '../queue/index.js';
import { openTracing } from '../tracing/index.js';
import { abortOn } from './abort-on.js';
import { describesItself } from './describes-itself.js';
import { health, showMetrics } from './health.js';
import { HEARTBEAT_MS, Heartbeat } from './heartbeat.js';
import { onlyJson } from './only-json.js';
import { openParts, type Parts } from './parts.js';
import { isReady, type States, watchParts } from './readiness.js';
import { type Repeating, repeat } from './repeat.js';
import { within } from './within.js';

/** A sweep; by its name the metrics tell how often it has failed. */
type Sweep = Pick<Repeating, 'start' | 'stop'> & Partial<Pick<Repeating, 'name' | 'failures'>>;

/** The background work of a service. */
export interface Work {
  readonly jobs: readonly StartWorker[];
  readonly sweeps: readonly Sweep[];
}

/** A service, ready to be mounted: its routes and its background work. */
export interface Service extends Work {
  readonly name: string;
  readonly router: Router;
  /** What it serves to operations, where `/metrics` is: on OPS_PORT if that is set. */
  readonly operations?: Router;
  /** A port of its own, over TLS, for its routes alone. */
  readonly secure?: {
    readonly setting: 'SF1606_TLS_PORT';
    readonly port: number;
    readonly certificate: OwnCertificate;
  };
  /** Answers the calls that wait for something to happen, at the beginning of a shutdown. */
  readonly endWaiting?: () => void;
}

/** Makes a service from what the process works with, and what tells the state of each part. */
export type CreateService = (parts: Parts, askParts: () => Promise<States>) => Service | Promise<Service>;

export interface Running {
  readonly url: string;
  /** Where `/ops` and `/metrics` are; `url` unless OPS_PORT is set. */
  readonly operationsUrl: string;
  /** Where deliveries with a certificate go; undefined without SF1606_TLS_PORT. */
  readonly secureUrl?: string | undefined;
  /**
   * Stops accepting requests, finishes those in flight, closes workers, queues and database, in this order. What has not
   * ended after SHUTDOWN_SECONDS is abandoned. Its jobs are retried.
   */
  close(): Promise<void>;
  /** Resolves with a sentence when something it depends on has ended for good, so that it can only close. */
  readonly lost?: Promise<Error>;
}

// A database that is away does not keep the process.
const LAST_BEAT_MS = 3_000;

/**
 * Runs services in this process: one in production, all in the local stack. Health, metrics and the API description are here,
 * once for all of them. With OPS_PORT, metrics and what services serve to operations are on that port, and on no other.
 *
 * @throws Error with a sentence when a part cannot be opened or the port is not available; then nothing is left open
 */
export async function serve(config: CommonConfig, name: string, services: CreateService[]): Promise<Running> {
  const parts = await openParts(config, name);
  const { log, metrics, queues, store } = parts;
  const tracing = await openTracing(config, name, log);
  const askParts = watchParts(parts);
  const mounted = await Promise.all(services.map((create) => create(parts, askParts)));
  const heartbeat = new Heartbeat(
    parts,
    mounted.map((service) => service.name),
  );
  // Unasked too, for the log, the metrics and the heartbeat.
  const watching = repeat(
    'watch-parts',
    HEARTBEAT_MS,
    log,
    async () => {
      const states = await askParts();
      if (states.database === 'ready' || parts.tally.hasReceipts) await heartbeat.beat(isReady(states));
    },
    0,
  );
  const { standby } = store;
  const looking = repeat('look-at-standby', SECOND, log, async () => standby?.look(), 0);
  // Hears the clock of the database, unless that is away: sweeps and calls go by it.
  await askParts();
  observeSweeps(metrics, [watching, ...mounted.flatMap(({ sweeps }) => sweeps)]);
  watching.start();
  if (standby) looking.start();
  for (const service of mounted) {
    for (const startWorker of service.jobs) startWorker(queues);
    for (const sweep of service.sweeps) sweep.start();
  }
  const forAll = [health(askParts), describesItself(), ...mounted.map(({ router }) => router)];
  const forOperations = [showMetrics(metrics), ...mounted.flatMap(({ operations }) => operations ?? [])];
  const { OPS_PORT } = config;
  const onOwnPort = OPS_PORT !== undefined;

  const renewals: Repeating[] = [];
  const stopWork = async () => {
    await Promise.all(
      [watching, looking, ...renewals, ...mounted.flatMap(({ sweeps }) => sweeps)].map((each) => each.stop()),
    );
    await queues.close();
    await within(LAST_BEAT_MS, heartbeat.end());
    await store.close();
    await tracing.close();
  };
  const listenOn = (
    setting: PortSetting,
    PORT: number,
    routers: readonly Router[],
    certificate?: OwnCertificate,
  ): Promise<Listening> =>
    listen(
      createApp(config, parts, routers),
      { ...config, PORT },
      (status, code) => {
        metrics.unreadable.inc({ status });
        log.info('unreadable', { status, code });
      },
      setting,
      certificate,
    );
  const listening: Listening[] = [];
  let secureUrl: string | undefined;
  try {
    // The port of operations first: who reads the log line of the other one finds both open.
    if (onOwnPort) listening.push(await listenOn('OPS_PORT', OPS_PORT, [health(askParts), ...forOperations]));
    for (const { router, secure } of mounted) {
      if (!secure) continue;
      const listener = await listenOn(secure.setting, secure.port, [router], secure.certificate);
      secureUrl = listener.url;
      renewals.push(repeat('renew-certificate', MINUTE, log, listener.renew));
      listening.push(listener);
    }
    listening.push(await listenOn('PORT', config.PORT, onOwnPort ? forAll : [...forAll, ...forOperations]));
    const [{ url: operationsUrl }, { url }] = [
      listening[onOwnPort ? 0 : listening.length - 1] as Listening,
      listening.at(-1) as Listening,
    ];
    for (const renewal of renewals) renewal.start();
    log.info('ready', {
      url,
      ...(onOwnPort && { operations: operationsUrl }),
      ...(secureUrl && { secure: secureUrl }),
    });
    return {
      url,
      operationsUrl,
      secureUrl,
      async close() {
        const deadline = config.SHUTDOWN_SECONDS * 1_000;
        for (const { endWaiting } of mounted) endWaiting?.();
        await Promise.all(listening.map((each) => each.close(deadline)));
        const inTime = await within(deadline, stopWork());
        if (inTime) log.info('closed');
        else log.warn('closed-late');
      },
    };
  } catch (error) {
    await Promise.all(listening.map((each) => each.close(0)));
    await stopWork();
    throw error;
  }
}

/** What answers on one port. */
function createApp(config: CommonConfig, { log, metrics }: Parts, routers: readonly Router[]): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.set('trust proxy', config.TRUSTED_PROXIES ?? false);
  app.use(trackRequests(log, metrics));
  app.use(securityHeaders);
  app.use([...routers]);
  app.use(refuseOtherMethods(...routers));
  app.use(notFound);
  app.use(problemHandler(log));
  return app;
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
