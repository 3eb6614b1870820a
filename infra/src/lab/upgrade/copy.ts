import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import type { Env } from '@indbakke/shared/config';
import type { Version } from './version.js';

const READY_WITHIN_MS = 120_000;
const ENDED_WITHIN_MS = 150_000; // twice SHUTDOWN_SECONDS, and some
const POLL_MS = 100;
// A service does not know who started it.
const ENDS_WITH_US = 'data:text/javascript,process.on("disconnect",()=>process.exit())';

/** A line of a log. */
export interface LogLine {
  /** ISO 8601. */
  readonly time: string;
  readonly level: string;
  readonly event: string;
  readonly url?: string;
  readonly [field: string]: unknown;
}

/** A sweep that got no connection in time, as where processors are short, is done again within seconds: that is no error. */
export function weightOf({ level, event, error, errorCode }: LogLine): string {
  const isLate = event === 'sweep-failed' && error === 'StoreUnavailable' && errorCode === undefined;
  return isLate ? 'warn' : level;
}

/** A process of a service of some version, as in production. */
export class Copy {
  readonly service: string;
  readonly version: Version;
  /** Warnings and errors. */
  readonly complaints: LogLine[] = [];
  /** What it printed that is no line of a log, and how it ended when nobody stopped it. */
  readonly faults: string[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #url = '';
  #isStopping = false;
  #hasEnded = false;

  private constructor(version: Version, service: string, env: Env) {
    this.version = version;
    this.service = service;
    const folder = join(version.folder, 'services', service);
    // Its own process group: Ctrl-C reaches only the command, which stops it.
    const args = ['--import', ENDS_WITH_US, '--max-semi-space-size=16', join(folder, 'dist', 'main.js')];
    this.#child = spawn(process.execPath, args, {
      cwd: folder,
      env: { ...process.env, ...env, NODE_ENV: 'production', PORT: '0', LOG_LEVEL: 'info' },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#ended = once(this.#child, 'close').then(([status]) => {
      this.#hasEnded = true;
      if (!this.#isStopping || status !== 0) this.faults.push(`ended with status ${status}`);
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.#read(line));
    }
  }

  /** @throws Error when it does not become ready */
  static async start(version: Version, service: string, env: Env): Promise<Copy> {
    const copy = new Copy(version, service, env);
    for (const limit = Date.now() + READY_WITHIN_MS; !(await copy.#isReady()); await pause(POLL_MS)) {
      if (!copy.#hasEnded && Date.now() < limit) continue;
      copy.kill();
      throw new Error(
        `${copy.name} did not become ready: ${copy.faults.join('; ') || JSON.stringify(copy.complaints)}`,
      );
    }
    return copy;
  }

  get name(): string {
    return `${this.service} of ${this.version.name}`;
  }

  get url(): string {
    return this.#url;
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Lets it finish what it has begun, as SIGTERM does. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#child.kill('SIGTERM');
    await Promise.race([this.#ended, pause(ENDED_WITHIN_MS, undefined, { ref: false })]);
    if (!this.#hasEnded) this.faults.push('did not end after SIGTERM');
    this.kill();
    await this.#ended;
  }

  /** Stops it as a machine that hangs does (SIGSTOP): it keeps its connections and locks, and does nothing. */
  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  /** It goes on where it was. */
  wake(): void {
    this.#child.kill('SIGCONT');
  }

  kill(): void {
    this.#isStopping = true;
    if (!this.#hasEnded) this.#child.kill('SIGKILL');
  }

  async #isReady(): Promise<boolean> {
    if (!this.#url) return false;
    try {
      return (await fetch(`${this.#url}/readyz`)).ok;
    } catch {
      return false;
    }
  }

  #read(text: string): void {
    let line: LogLine;
    try {
      line = JSON.parse(text);
    } catch {
      this.faults.push(`printed: ${text}`);
      return;
    }
    if (line.event === 'ready' && line.url) this.#url = line.url;
    if (line.level === 'error' || line.level === 'warn') this.complaints.push(line);
  }
}
