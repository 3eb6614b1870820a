import { MINUTE, SECOND } from '../config/index.js';

// Twice as many are kept at most: more than there are callers at once; each takes some 200 bytes.
const MAX_RECENT = 5_000;

/**
 * How often each key may come: so many times at once, and as many again in a minute (a token bucket). Keys that came longest ago are
 * forgotten, so whoever makes up keys fills no memory.
 */
export class Buckets {
  readonly #perMinute: number;
  readonly #now: () => number;
  /** When the bucket of each key is full again: of those that came last, and of those before them. */
  #recent = new Map<string, number>();
  #older = new Map<string, number>();

  /**
   * @param perMinute 0 = without a limit
   * @param now in ms, of any clock
   */
  constructor(perMinute: number, now: () => number = () => performance.now()) {
    this.#perMinute = perMinute;
    this.#now = now;
  }

  /** @returns 0 when the key may come; else in how many seconds it may, and it is not counted */
  take(key: string): number {
    if (this.#perMinute === 0) return 0;
    // In parts of a millisecond of which each coming takes MINUTE, so that all numbers are whole.
    const now = Math.floor(this.#now()) * this.#perMinute;
    const fullAt = Math.max(this.#recent.get(key) ?? this.#older.get(key) ?? now, now);
    const wait = fullAt + MINUTE - (now + MINUTE * this.#perMinute);
    this.#keep(key, wait > 0 ? fullAt : fullAt + MINUTE);
    return wait > 0 ? Math.ceil(wait / this.#perMinute / SECOND) : 0;
  }

  #keep(key: string, fullAt: number): void {
    this.#recent.set(key, fullAt);
    if (this.#recent.size < MAX_RECENT) return;
    this.#older = this.#recent;
    this.#recent = new Map();
  }
}
