import { readdirSync, readFileSync } from 'node:fs';
import { cpuMsOf, cpuMsOfFamily } from '../bench/cpu.js';
import type { Stage } from '../crash/stage.js';
import type { Copy } from '../upgrade/copy.js';

/** What a process has at some time. */
export interface ProcessSample {
  readonly pid: number;
  readonly service: string;
  /** Resident memory, in MiB. */
  readonly rssMiB: number;
  /** Open files and sockets. */
  readonly handles: number;
  readonly cpuMs: number;
}

/** What all have at some time. */
export interface Sample {
  /** Seconds since sampling began. */
  readonly at: number;
  readonly processes: readonly ProcessSample[];
  /** To PostgreSQL, of the services. */
  readonly connections: number;
  /** Rows of the queues. */
  readonly jobs: number;
  /** Its first process; processor time with all of its connections, ended ones too. Undefined while it is down. */
  readonly postgres: { readonly pid: number; readonly cpuMs: number } | undefined;
  /** Of the simulator, the simulated core and the balancer. */
  readonly driverCpuMs: number;
}

const KIB = 1_024;

/** Looks at processes and database at an interval, until it is stopped. */
export class Sampler {
  readonly samples: Sample[] = [];
  readonly #stage: Stage;
  readonly #copies: () => readonly Copy[];
  readonly #timer: NodeJS.Timeout;
  readonly #began = performance.now();
  #sampling: Promise<void> = Promise.resolve();

  constructor(stage: Stage, copies: () => readonly Copy[], everyMs: number) {
    this.#stage = stage;
    this.#copies = copies;
    this.#timer = setInterval(() => {
      this.#sampling = this.#sampling.then(() => this.#sample());
    }, everyMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sampling;
  }

  async #sample(): Promise<void> {
    const at = (performance.now() - this.#began) / 1_000;
    const processes = this.#copies().flatMap(({ pid, service }) => sampleProcess(pid, service) ?? []);
    const [row] = await this.#stage.sql<{ connections: number; jobs: number }>(
      `SELECT (SELECT count(*)::int FROM pg_stat_activity
         WHERE datname = current_database() AND usename <> current_user) AS connections,
         (SELECT count(*)::int FROM bullmq.job) AS jobs`,
    );
    const pid = this.#stage.postgresPid;
    const { user, system } = process.cpuUsage();
    this.samples.push({
      at,
      processes,
      connections: row?.connections ?? 0,
      jobs: row?.jobs ?? 0,
      postgres: pid === undefined ? undefined : { pid, cpuMs: cpuMsOfFamily(pid) },
      driverCpuMs: (user + system) / 1_000,
    });
  }
}

/** @returns undefined when it has ended */
function sampleProcess(pid: number, service: string): ProcessSample | undefined {
  try {
    const [, rss] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    if (rss === undefined) return undefined;
    const handles = readdirSync(`/proc/${pid}/fd`).length;
    return { pid, service, rssMiB: Number(rss) / KIB, handles, cpuMs: cpuMsOf(pid) };
  } catch {
    return undefined;
  }
}

/** Processor time in all, in ms, by part; what a process used after its last sample is missing. */
export function cpuByPart(samples: readonly Sample[]): ReadonlyMap<string, number> {
  const last = new Map<string, { part: string; cpuMs: number }>();
  for (const { processes, postgres } of samples) {
    for (const { pid, service, cpuMs } of processes) last.set(`${pid}`, { part: service, cpuMs });
    if (postgres) last.set(`PostgreSQL ${postgres.pid}`, { part: 'PostgreSQL', cpuMs: postgres.cpuMs });
  }
  const sums = new Map<string, number>();
  for (const { part, cpuMs } of last.values()) sums.set(part, (sums.get(part) ?? 0) + cpuMs);
  const [first, end] = [samples[0], samples.at(-1)];
  if (first && end) sums.set('simulator, simulated core and balancer', end.driverCpuMs - first.driverCpuMs);
  return sums;
}
