import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cpuMsOf } from './cpu.js';

const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 15_000; // writing a profile of a minute takes some seconds

/** A server in its own process, so that its memory and processor time can be measured. */
export class Child {
  readonly url: string;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, url: string) {
    this.#process = process;
    this.url = url;
  }

  /**
   * @param module below this folder, without extension; it calls `reportReady`
   * @param env its whole environment but for PATH
   */
  static async start(module: string, env: Readonly<Record<string, string | undefined>>, nodeOptions: string[] = []) {
    const file = fileURLToPath(new URL(`./${module}.js`, import.meta.url));
    const child = fork(file, {
      env: { PATH: process.env.PATH, ...env },
      // The young generation as in production: Node 24 lets it grow fourfold, which would pass for memory of a letter.
      execArgv: ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=16', ...nodeOptions],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    try {
      const limit = AbortSignal.timeout(START_LIMIT_MS);
      const ended = once(child, 'exit', { signal: limit }).then(() => {
        throw new Error(`${module} ended before it was ready; the reason is above.`);
      });
      const [{ ready }] = (await Promise.race([once(child, 'message', { signal: limit }), ended])) as [
        { ready: string },
      ];
      ended.catch(() => {}); // no longer relevant
      return new Child(child, ready);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  get pid(): number {
    return this.#process.pid as number;
  }

  /** The next message from it. */
  async message<T>(): Promise<T> {
    const [message] = await Promise.race([
      once(this.#process, 'message'),
      once(this.#process, 'exit').then(() => {
        throw new Error('A server ended during a measurement.');
      }),
    ]);
    return message as T;
  }

  /** Disconnects, upon which the server exits. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    if (this.#process.connected) this.#process.disconnect();
    const late = delay(STOP_LIMIT_MS, 'late', { ref: false });
    if ((await Promise.race([exited, late])) === 'late') this.kill();
    await exited;
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  /** Processor time so far, in ms. */
  cpuMs(): number {
    return cpuMsOf(this.pid);
  }

  // Memory, on Linux only: elsewhere NaN.

  /** Resident memory, in MB (10⁶ bytes). */
  residentMb(): number {
    return this.#statusMb('VmRSS');
  }

  /** Peak resident memory since the start or `forgetPeak`, in MB. */
  peakMb(): number {
    return this.#statusMb('VmHWM');
  }

  /** proc(5), clear_refs: 5 resets the peak to the current value. */
  forgetPeak(): void {
    try {
      writeFileSync(`/proc/${this.pid}/clear_refs`, '5');
    } catch {
      // Not permitted here: the peak is then that since the start, which is never lower.
    }
  }

  #statusMb(field: string): number {
    try {
      const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(
        readFileSync(`/proc/${this.pid}/status`, 'utf8'),
      );
      return (Number(kilobytes?.[1] ?? Number.NaN) * 1024) / 1e6;
    } catch {
      return Number.NaN;
    }
  }
}
