import { setTimeout as delay } from 'node:timers/promises';
import { HOUR, SECOND } from '@indbakke/shared/config';
import { Problem } from '@indbakke/shared/errors';

/** Of the time of a process, for letters of one municipality while others have letters too. */
const SHARE = 1 / 5;
/** What a municipality may be ahead of its share: a Monday morning is no flood. */
const AHEAD_MS = 2 * SECOND;
/** Of what a letter cost before, in the mean. */
const REMEMBERED = 0.95;

/**
 * Shares storing among municipalities, so that very many letters of one, as when old ones are fetched, do not slow those of others
 * (docs/decisions/0055). Its senders are answered later, and so send more slowly.
 */
export class FairShare {
  readonly #maxWaiting: number;
  /** When the share of each is used up to, by performance.now(). */
  readonly #usedUntil = new Map<string, number>();
  readonly #lastAt = new Map<string, number>();
  readonly #waiting = new Map<string, number>();
  /** How long it takes to store a letter, in ms. */
  #cost = 0;

  /** @param places for deliveries: waiting ones of a municipality have half of them at most */
  constructor(places: number) {
    this.#maxWaiting = Math.ceil(places / 2);
  }

  /**
   * Resolves when a letter of the municipality may be stored: at once, unless it has used up its share.
   *
   * @throws Problem send-again when too many wait
   */
  async turn(municipality: string): Promise<void> {
    const now = performance.now();
    this.#lastAt.set(municipality, now);
    if (!this.#areOthers(municipality, now)) return;
    const from = Math.max(now, this.#usedUntil.get(municipality) ?? 0);
    const wait = from - now - AHEAD_MS;
    const waiting = this.#waiting.get(municipality) ?? 0;
    if (wait > 0 && waiting >= this.#maxWaiting)
      throw new Problem('send-again', 'Very many letters of this municipality are on their way. Send it again later.');
    this.#usedUntil.set(municipality, from + this.#cost / SHARE);
    if (wait <= 0) return;
    this.#waiting.set(municipality, waiting + 1);
    await delay(wait);
    this.#waiting.set(municipality, (this.#waiting.get(municipality) ?? 1) - 1);
  }

  /** So many letters were stored together in this time. */
  stored(letters: number, milliseconds: number): void {
    const each = milliseconds / letters;
    this.#cost = this.#cost === 0 ? each : REMEMBERED * this.#cost + (1 - REMEMBERED) * each;
  }

  /** Whether letters of another have come lately: where there is none, nobody is slowed. */
  #areOthers(municipality: string, now: number): boolean {
    for (const [other, at] of this.#lastAt) if (other !== municipality && now - at < HOUR) return true;
    return false;
  }
}
