import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cpuMsOf } from './cpu.js';

const START_LIMIT_MS = 60_000;
const END_LIMIT_MS = 15_000; // a profile of a minute is written in some seconds

/** A server in a process of its own, so that its memory is its own, and its work not that of whoever measures. */
export class Child {
  readonly url: string;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, url: string) {
    this.#process = process;
    this.url = url;
  }

  /**
   * @param module below this folder, without extension; it calls `reportReady`
   * @param env all that it gets to know: nothing of ours may reach it
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
      ended.catch(() => {}); // of no interest any more
      return new Child(child, ready);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  get pid(): number {
    return this.#process.pid as number;
  }

  /** The next message that it sends. */
  async message<T>(): Promise<T> {
    const [message] = await Promise.race([
      once(this.#process, 'message'),
      once(this.#process, 'exit').then(() => {
        throw new Error('A server ended in the middle of a measurement.');
      }),
    ]);
    return message as T;
  }

  /** Ends it: losing its parent is its sign to exit. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    if (this.#process.connected) this.#process.disconnect();
    const late = delay(END_LIMIT_MS, 'late', { ref: false });
    if ((await Promise.race([exited, late])) === 'late') this.kill();
    await exited;
  }

  /** At once. */
  kill(): void {
    this.#process.kill('SIGKILL');
  }

  /** Processor time so far, in ms. */
  cpuMs(): number {
    return cpuMsOf(this.pid);
  }

  // Memory. Linux only: elsewhere the figures are not a number.

  /** Resident now, in MB (10⁶ bytes). */
  residentMb(): number {
    return this.#statusMb('VmRSS');
  }

  /** The most that was resident since the start, or since `forgetPeak`. */
  peakMb(): number {
    return this.#statusMb('VmHWM');
  }

  /** proc(5), clear_refs: 5 resets the peak to what is resident now. */
  forgetPeak(): void {
    try {
      writeFileSync(`/proc/${this.pid}/clear_refs`, '5');
    } catch {
      // Not allowed here: then the peak is that of the whole life, which is more, never less.
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
