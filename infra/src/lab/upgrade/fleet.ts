import { setTimeout as pause } from 'node:timers/promises';
import type { Env } from '@indbakke/shared/config';
import { repository } from '../../../../tools/local-state.mjs';
import type { Balancer } from './balancer.js';
import { Copy, type LogLine, weightOf } from './copy.js';
import type { Version } from './version.js';

export interface FleetPlan {
  readonly env: Env;
  /** Of each service. */
  readonly copies: number;
  readonly signal: AbortSignal;
  readonly report: (line: string) => void;
}

/** A proxy that asks whether copies are ready notices after so long that one does not answer. */
const NOTICED_MS = 500;
/** Fields of a log line that are others each time. */
const UNIMPORTANT: ReadonlySet<string> = new Set(['time', 'level', 'service', 'jobId', 'attempt', 'correlationId']);

/** All copies of the services, behind a balancer. */
export class Fleet {
  readonly #plan: FleetPlan;
  readonly #balancer: Balancer;
  readonly #running: Copy[] = [];
  readonly #all: Copy[] = [];
  /** Those that a run killed. */
  readonly #killed = new Set<Copy>();

  constructor(plan: FleetPlan, balancer: Balancer) {
    this.#plan = plan;
    this.#balancer = balancer;
  }

  get running(): readonly Copy[] {
    return this.#running;
  }

  /** How many were started so far. */
  get started(): number {
    return this.#all.length;
  }

  async startAll(version: Version): Promise<void> {
    for (const service of version.services)
      for (let n = 0; n < this.#plan.copies; n += 1) await this.start(version, service);
  }

  async start(version: Version, service: string): Promise<void> {
    this.#plan.signal.throwIfAborted();
    const copy = await Copy.start(version, service, this.#plan.env);
    this.#all.push(copy);
    this.#running.push(copy);
    this.#balancer.add(service, copy.url);
  }

  /** One copy after the other: a new one beside the old one, which is taken out of the balancer and then stopped. */
  async replaceAll(version: Version): Promise<void> {
    const before = [...this.#running];
    const services = new Set([...version.services, ...before.map(({ service }) => service)]);
    for (const service of services) {
      const old = before.filter((copy) => copy.service === service);
      for (let n = 0; n < this.#plan.copies; n += 1) {
        const began = performance.now();
        if (version.services.includes(service)) await this.start(version, service);
        const started = performance.now();
        const copy = old[n];
        if (!copy) continue;
        this.#takeOut(copy);
        await copy.stop();
        const [start, end] = [started - began, performance.now() - started].map((ms) => (ms / 1_000).toFixed(1));
        this.#plan.report(`${service}: the new copy was ready after ${start} s, the old one ended in ${end} s`);
      }
    }
  }

  /** Kills a copy; the balancer notices a little later, and another one is started. */
  async killAndReplace(copy: Copy): Promise<void> {
    this.#killed.add(copy);
    copy.kill();
    await pause(NOTICED_MS);
    this.#takeOut(copy);
    await this.start(copy.version, copy.service);
  }

  async stop(): Promise<void> {
    for (const copy of this.#running.splice(0)) await copy.stop();
  }

  /** Kills all of them. */
  kill(): void {
    for (const copy of this.#all) copy.kill();
  }

  /** What copies printed that is no line of a log, and how they ended when nobody stopped them. */
  faults(): readonly string[] {
    const left = this.#all.filter((copy) => !this.#killed.has(copy));
    return left.flatMap(({ name, faults }) => faults.map((fault) => `${name} ${fault}`));
  }

  /**
   * The warnings or errors in all logs, and how many.
   *
   * @param isCounted which ones
   */
  countComplaints(
    level: 'warn' | 'error',
    isCounted: (line: LogLine) => boolean = () => true,
  ): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { name, complaints } of this.#all) {
      for (const line of complaints.filter((each) => weightOf(each) === level && isCounted(each))) {
        const { event, ...fields } = line;
        const details = Object.keys(fields).filter((field) => !UNIMPORTANT.has(field));
        const what = [`${name}: ${event}`, ...details.map((field) => `${field} ${shown(fields[field])}`)].join(', ');
        counts.set(what, (counts.get(what) ?? 0) + 1);
      }
    }
    return counts;
  }

  #takeOut(copy: Copy): void {
    this.#balancer.takeOut(copy.service, copy.url);
    this.#running.splice(this.#running.indexOf(copy), 1);
  }
}

/** Of a stack, where it was thrown, in this clone. */
function shown(value: unknown): string {
  const [first = ''] = String(value).split(' < ');
  return first.replaceAll(`${repository}/`, '');
}
