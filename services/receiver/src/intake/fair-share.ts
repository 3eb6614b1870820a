import { setTimeout as delay } from 'node:timers/promises';
import { HOUR, SECOND } from '@indbakke/shared/config';
import { Problem } from '@indbakke/shared/errors';

// On a Monday morning, all municipalities of the country together have as many (docs/results/scale.md), and others
// hardly notice so many on two processors (docs/results/fairness.md).
const MS_OF_LETTER = SECOND / 4;
/** What a municipality may be ahead: what came over a night, or was held up, is no flood. */
const AHEAD_MS = 10 * SECOND;

/**
 * Shares a receiver among municipalities, so that very many letters for one, as when old ones are fetched, do not slow those for
 * others (docs/decisions/0055). Their senders are answered later, and so send more slowly.
 */
export class FairShare {
  readonly #maxWaiting: number;
  /** Until when each has used its share, by performance.now(). */
  readonly #usedUntil = new Map<string, number>();
  /** When letters for each were stored last. Who is not here is not known to be a municipality of ours. */
  readonly #storedAt = new Map<string, number>();
  #waiting = 0;

  /** @param places for deliveries: letters that wait have half of them at most */
  constructor(places: number) {
    this.#maxWaiting = Math.ceil(places / 2);
  }

  /**
   * Resolves when it is the turn of a letter: at once, unless its municipality has used up its share.
   *
   * @throws Problem send-again when too many wait
   */
  async turn(municipality: string): Promise<void> {
    const wait = this.take(municipality, performance.now());
    if (wait === 0) return;
    this.#waiting += 1;
    await delay(wait);
    this.#waiting -= 1;
  }

  /** Takes a letter’s part of the share. @returns how many milliseconds it has to wait; @throws as `turn` */
  take(municipality: string, now: number): number {
    if (!this.#storedAt.has(municipality) || !this.#areOthers(municipality, now)) return 0;
    const from = Math.max(now, this.#usedUntil.get(municipality) ?? 0);
    const wait = Math.max(0, from - now - AHEAD_MS);
    if (wait > 0 && this.#waiting >= this.#maxWaiting)
      throw new Problem('send-again', 'Very many letters of this municipality are on their way. Send it again later.');
    this.#usedUntil.set(municipality, from + MS_OF_LETTER);
    return wait;
  }

  /** Letters for it were stored. */
  stored(municipality: string, now: number): void {
    this.#storedAt.set(municipality, now);
  }

  /** Whether letters for another have come lately: where there is none, nobody is slowed. */
  #areOthers(municipality: string, now: number): boolean {
    for (const [other, at] of this.#storedAt) if (other !== municipality && now - at < HOUR) return true;
    return false;
  }
}
