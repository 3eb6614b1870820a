import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Random } from '../../random.js';

export interface ConsumerOrder {
  readonly urls: readonly string[];
  /** By municipality. */
  readonly tokens: Readonly<Record<string, string>>;
  /** What it got, a line for each event. */
  readonly file: string;
  readonly manner: ConsumerManner;
}

/** How a consumer asks for what is new. */
export interface ConsumerManner {
  /** How long a call may wait for the next event; 0 = not at all. */
  readonly waitSeconds: number;
  /** Between an answer and the next call. */
  readonly restMs: number;
}

export const CONSUMERS: Readonly<Record<string, ConsumerManner>> = {
  'a consumer that waits': { waitSeconds: 10, restMs: 0 },
  'a consumer that polls': { waitSeconds: 0, restMs: 250 },
};

export interface HookOrder {
  readonly port: number;
  /** By municipality. */
  readonly secrets: Readonly<Record<string, string>>;
  /** What it acknowledged, a line for each webhook. */
  readonly file: string;
}

/** A program that does what it is ordered until it is killed, and again when it is started again. */
export class Helper {
  readonly #program: string;
  readonly #order: ConsumerOrder | HookOrder;
  /** What it reported. */
  readonly faults: string[] = [];
  #child: ChildProcess | undefined;

  constructor(program: 'consumer' | 'hook', order: ConsumerOrder | HookOrder) {
    this.#program = fileURLToPath(new URL(`./${program}.js`, import.meta.url));
    this.#order = order;
  }

  async start(): Promise<void> {
    // Its own process group: Ctrl-C reaches only the harness, which kills it.
    const child = fork(this.#program, { detached: true, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.#child = child;
    child.on('error', () => {}); // the process may have just died
    await Promise.race([once(child, 'message'), once(child, 'exit')]);
    child.on('message', (fault) => this.faults.push(String(fault)));
    child.send(this.#order, () => {});
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
}

/**
 * A loopback port that a killed process can have again: below those that systems give to connections by themselves (32768
 * in Linux, 49152 by IANA).
 */
export async function lastingPort(random: Random): Promise<number> {
  for (;;) {
    const port = random.between(20_001, 32_767);
    const probe = createServer().listen(port, '127.0.0.1');
    const isFree = await Promise.race([
      once(probe, 'listening').then(() => true),
      once(probe, 'error').then(() => false),
    ]);
    probe.close();
    if (isFree) return port;
  }
}
