import { setTimeout as pause } from 'node:timers/promises';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { SECOND } from '../config/index.js';
import type { Queues } from '../queue/index.js';
import type { Store } from '../store/index.js';

/** The metrics of a process. Labels are codes and names of operations; nothing personal, no ids. */
export interface Metrics {
  readonly registry: Registry;
  readonly requests: Histogram<'operation' | 'status'>;
  readonly notSignedIn: Counter<'fault'>;
  readonly slowedSignIns: Counter<string>;
  readonly tooManyRequests: Counter<'kind'>;
  readonly unreadable: Counter<'status'>;
  readonly suggestions: Histogram<string>;
  readonly reads: Counter<'from'>;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    requests: new Histogram({
      name: 'indbakke_request_duration_seconds',
      help: 'Time from request to the end of the answer',
      labelNames: ['operation', 'status'],
      buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60],
      registers: [registry],
    }),
    notSignedIn: counterOf(
      registry,
      'not_signed_in_total',
      'Calls without a valid token, and refused sign-ins',
      'fault',
      ['missing', 'expired', 'refused'],
    ),
    slowedSignIns: new Counter({
      name: 'indbakke_slowed_sign_ins_total',
      help: 'Those of them over SIGN_IN_FAILURES_PER_MINUTE of their address',
      registers: [registry],
    }),
    tooManyRequests: counterOf(registry, 'too_many_requests_total', 'Calls over the limit of their caller', 'kind', [
      'user',
      'system',
    ]),
    unreadable: new Counter({
      name: 'indbakke_unreadable_requests_total',
      help: 'Requests that are not HTTP as it is spoken here, by status of the answer',
      labelNames: ['status'],
      registers: [registry],
    }),
    suggestions: new Histogram({
      name: 'indbakke_suggestion_seconds',
      help: 'Time from when a message came into the inbox to its first suggestion run',
      buckets: [0.1, 0.5, 1, 2, 5, 15, 60, 600],
      registers: [registry],
    }),
    reads: counterOf(registry, 'reads_total', 'Lists, counts and figures, by where they were read', 'from', [
      'primary',
      'standby',
    ]),
  };
}

/** A counter with all its series from the start: of one that begins at 1, Prometheus does not see the first increase. */
function counterOf<Label extends string>(
  registry: Registry,
  name: string,
  help: string,
  label: Label,
  values: readonly string[],
): Counter<Label> {
  const counter = new Counter({ name: `indbakke_${name}`, help, labelNames: [label], registers: [registry] });
  for (const value of values) counter.inc({ [label]: value } as Record<Label, string>, 0);
  return counter;
}

interface Sweep {
  readonly name?: string;
  readonly failures?: number;
}

/** Prometheus gives up after 10 seconds by default, and then lacks also the metrics that say what is away. */
const READ_MS = 8 * SECOND;

/** What a gauge shows: a number, one for each set of labels, or nothing. */
type Reading<Labels extends string> = number | undefined | readonly (readonly [Record<Labels, string>, number])[];

/** A gauge `indbakke_<name>` that is read at each scrape. What cannot be read in time has no value, not its last one. */
export function observe<Labels extends string>(
  { registry }: Pick<Metrics, 'registry'>,
  name: string,
  help: string,
  labelNames: readonly Labels[],
  read: () => Promise<Reading<Labels>>,
): void {
  const gauge: Gauge<string> = new Gauge({
    name: `indbakke_${name}`,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    async collect() {
      const reading = await unlessLate(read);
      gauge.reset(); // without labels it is 0 then
      if (reading === undefined) return labelNames.length === 0 ? gauge.remove() : undefined;
      if (typeof reading === 'number') return gauge.set(reading);
      for (const [labels, value] of reading) gauge.set(labels, value);
    },
  });
}

/** @returns undefined when it cannot be read, or not in the time of a scrape */
async function unlessLate<Value>(read: () => Promise<Value>): Promise<Value | undefined> {
  const inTime = new AbortController();
  try {
    return await Promise.race([read(), pause(READ_MS, undefined, { signal: inTime.signal })]);
  } catch {
    return undefined;
  } finally {
    inTime.abort();
  }
}

/** How often each sweep has failed in a row. */
export function observeSweeps({ registry }: Metrics, sweeps: readonly Sweep[]): void {
  new Gauge({
    name: 'indbakke_sweep_failures',
    help: 'Runs of a sweep that have failed in a row; 0 when the last one did not',
    labelNames: ['sweep'],
    registers: [registry],
    collect() {
      for (const { name, failures } of sweeps) if (name !== undefined) this.set({ sweep: name }, failures ?? 0);
    },
  });
}

/** How much later than the primary the standby is. */
export function observeStandby(metrics: Metrics, { standby }: Pick<Store, 'standby'>): void {
  const help = 'How much later than the primary the standby was when it was last looked at; no value without one';
  observe(metrics, 'standby_lag_seconds', help, [], async () => standby?.lagSeconds);
}

/** Counts of jobs by queue and state, read from the backend at each scrape. */
export function observeQueues(metrics: Metrics, queues: Queues): void {
  observe(metrics, 'queue_jobs', 'Jobs by queue and state', ['queue', 'state'], async () => {
    const counted = queues.list().map(async (queue) => {
      const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'failed');
      return Object.entries(counts).map(([state, count]) => [{ queue: queue.name, state }, count] as const);
    });
    return (await Promise.all(counted)).flat();
  });
}
