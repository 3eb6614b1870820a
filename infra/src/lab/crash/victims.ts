import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Env } from '@indbakke/shared/config';
import type { Fault } from './faults.js';
import type { FeedFault } from './feed/faults.js';
import type { Point } from './kills.js';

/** How transactions differ from production’s. */
export interface Pace {
  /** The limit of one. */
  readonly timeoutMs?: number | undefined;
  /** Whether some wait before COMMIT, so that they commit after others that began later. */
  readonly areSomeSlow?: boolean | undefined;
}

/** From the harness to a victim. */
export type Order =
  | ({ do: 'start'; env: Env; fault?: Fault | FeedFault | undefined } & Pace)
  | { do: 'arm'; point: Point; count: number }
  | { do: 'sweep-due' }
  | { do: 'sweep-orphans' }
  | { do: 'drop-audit-months' };

/** From a victim to the harness. */
export type Report = { is: 'warm' } | { is: 'ready'; url: string } | { is: 'swept' } | { is: 'failed'; reason: string };

/** Names its connections to the database. */
export const VICTIM = 'crash';
const PROGRAM = fileURLToPath(new URL('./victim.js', import.meta.url));
const REPORT_WITHIN_MS = 30_000;

/** A process with all services. */
export class Victim {
  readonly #child: ChildProcess;
  readonly #env: Env;
  readonly #fault: Fault | FeedFault | undefined;
  /** Resolves when the process is gone. */
  readonly died: Promise<void>;
  #alive = true;
  #status: number | null = null;
  url = '';

  constructor(env: Env, fault: Fault | FeedFault | undefined) {
    this.#env = env;
    this.#fault = fault;
    // Its own process group: Ctrl-C reaches only the harness, which kills it.
    this.#child = fork(PROGRAM, { detached: true, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.#child.on('error', () => {}); // the process may have just died
    this.died = new Promise((resolve) => {
      this.#child.once('exit', (status) => {
        this.#alive = false;
        this.#status = status;
        resolve();
      });
    });
  }

  /** Of a process that ended by itself, which none should; null of one that lives or was killed. */
  get exitStatus(): number | null {
    return this.#status;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /**
   * @param own settings that differ from those of the stage
   * @throws Error when the services do not start
   */
  async start({ env, ...pace }: { env?: Env } & Pace = {}): Promise<void> {
    const ready = this.#report('ready');
    this.#send({ do: 'start', env: { ...this.#env, ...env }, fault: this.#fault, ...pace });
    this.url = (await ready).url;
  }

  /** Starts without waiting. */
  startUnwatched(): void {
    this.#send({ do: 'start', env: this.#env, fault: this.#fault });
  }

  /** Makes it kill itself when it passes the point for the `count`-th time from now. */
  arm(point: Point, count: number): void {
    this.#send({ do: 'arm', point, count });
  }

  /** Enqueues the extracts and access packages that are due, without waiting for its sweeps. */
  sweepDue(): void {
    this.#send({ do: 'sweep-due' });
  }

  /** Sweeps orphans as if a month had passed. */
  async sweepOrphans(): Promise<void> {
    const swept = this.#report('swept');
    this.#send({ do: 'sweep-orphans' });
    await swept;
  }

  /** Drops old months of the audit log. */
  async dropAuditMonths(): Promise<void> {
    const swept = this.#report('swept');
    this.#send({ do: 'drop-audit-months' });
    await swept;
  }

  async kill(): Promise<void> {
    if (this.#alive) this.#child.kill('SIGKILL');
    await this.died;
  }

  #send(order: Order): void {
    if (this.#child.connected) this.#child.send(order, () => {});
  }

  #report<Is extends Report['is']>(is: Is): Promise<Extract<Report, { is: Is }>> {
    return new Promise((resolve, reject) => {
      const settle = (end: () => void) => {
        clearTimeout(timer);
        this.#child.off('message', listen);
        end();
      };
      const fail = (reason: string) => settle(() => reject(new Error(reason)));
      const listen = (report: Report) => {
        if (report.is === 'failed') fail(`The services failed: ${report.reason}`);
        if (report.is === is) settle(() => resolve(report as Extract<Report, { is: Is }>));
      };
      const timer = setTimeout(fail, REPORT_WITHIN_MS, `The services did not become ${is} in time.`);
      this.#child.on('message', listen);
      void this.died.then(() => fail(`The services died before they were ${is}.`));
    });
  }
}

/** Keeps the next victim warm: it loads its modules while the current one runs. */
export class Victims {
  readonly #env: Env;
  readonly #fault: Fault | FeedFault | undefined;
  readonly #all = new Set<Victim>();
  #warm: Victim;

  constructor(env: Env, fault: Fault | FeedFault | undefined) {
    this.#env = env;
    this.#fault = fault;
    this.#warm = this.#fork();
  }

  next(): Victim {
    const victim = this.#warm;
    this.#warm = this.#fork();
    return victim;
  }

  async end(): Promise<void> {
    await Promise.all([...this.#all].map((victim) => victim.kill()));
  }

  #fork(): Victim {
    const victim = new Victim(this.#env, this.#fault);
    this.#all.add(victim);
    void victim.died.then(() => this.#all.delete(victim));
    return victim;
  }
}
