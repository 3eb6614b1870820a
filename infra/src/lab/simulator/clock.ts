import { setTimeout as pause } from 'node:timers/promises';

/** A clock that begins at a time and runs a number of times as fast as ours. */
export class SimulatedClock {
  readonly speed: number;
  readonly #start: number;
  readonly #began = performance.now();

  /** @param speed 1 = ours; 1 000 = a week in ten minutes */
  constructor(start = new Date(), speed = 1) {
    this.#start = start.getTime();
    this.speed = speed;
  }

  /** Milliseconds, as of `Date.now()`. */
  now(): number {
    return this.#start + (performance.now() - this.#began) * this.speed;
  }

  /** Resolves when it shows this time, or when aborted. */
  async until(time: number, signal: AbortSignal): Promise<void> {
    const left = (time - this.now()) / this.speed;
    if (left > 0) await pause(left, undefined, { signal }).catch(() => {});
  }
}
