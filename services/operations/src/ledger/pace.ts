import { setTimeout as pause } from 'node:timers/promises';
import { SECOND } from '@indbakke/shared/config';

// Shorter pauses would be mostly the timer.
const LEAST_PAUSE_MS = 50;

/** Keeps reading to a number of bytes a second, so that others have the disk too. */
export class Pace {
  readonly #bytesPerSecond: number;
  #freeAt = performance.now();

  constructor(bytesPerSecond: number) {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Resolves when so many more bytes may be read. */
  async spend(bytes: number): Promise<void> {
    const now = performance.now();
    this.#freeAt = Math.max(this.#freeAt, now) + (bytes / this.#bytesPerSecond) * SECOND;
    if (this.#freeAt - now > LEAST_PAUSE_MS) await pause(this.#freeAt - now);
  }
}
