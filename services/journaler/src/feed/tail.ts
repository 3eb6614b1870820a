import type { ChangeEvent, EventList } from '@indbakke/shared/api';
import { type EventsAfter, goneAfter } from './read-events.js';

/** What is read at once, and what is remembered. */
const PAGE = 1_000;

interface Waiter {
  readonly after: number;
  answer(events: readonly ChangeEvent[]): void;
  fail(error: unknown): void;
}

/**
 * The end of the feed of one municipality, where callers wait: they share what is read. One statement at a time reads what the
 * first of them lacks; a caller whose events are remembered causes none.
 */
export class Tail {
  readonly #read: (after: number, limit: number) => Promise<EventsAfter>;
  readonly #waiters = new Set<Waiter>();
  /** The newest events that were read, without gaps. */
  #recent: readonly ChangeEvent[] = [];
  /** The newest position that is known: a hint. What a statement says counts. */
  #head = -1;
  #isReading = false;

  constructor(read: (after: number, limit: number) => Promise<EventsAfter>) {
    this.#read = read;
  }

  get waiters(): number {
    return this.#waiters.size;
  }

  /**
   * Resolves with the events after a position when there are any; without, when the time is over, the caller has gone, or at a
   * shutdown.
   *
   * @throws Problem position-gone
   */
  next(after: number, limit: number, waitMs: number, gone: AbortSignal): Promise<EventList> {
    return new Promise((resolve, reject) => {
      const forget = () => {
        clearTimeout(timer);
        gone.removeEventListener('abort', giveUp);
        this.#waiters.delete(waiter);
      };
      const waiter: Waiter = {
        after,
        answer: (found) => {
          forget();
          const events = found.slice(0, limit);
          const next = events.at(-1)?.position ?? after;
          resolve({ events, next, head: Math.max(next, this.#head) });
        },
        fail: (error) => {
          forget();
          reject(error);
        },
      };
      const giveUp = () => waiter.answer([]);
      const timer = setTimeout(giveUp, waitMs);
      gone.addEventListener('abort', giveUp);
      this.#waiters.add(waiter);
      void this.#serve();
    });
  }

  /** The newest position there is, as it was told. */
  notice(head: number): void {
    this.#head = head;
    void this.#serve();
  }

  /** What was read may be untrue, as when a backup was restored, whose positions are given anew. */
  forget(): void {
    this.#recent = [];
  }

  endWaiting(): void {
    for (const waiter of this.#waiters) waiter.answer([]);
  }

  async #serve(): Promise<void> {
    this.#answerFrom(this.#recent);
    if (this.#isReading) return; // it looks again for those who came meanwhile
    this.#isReading = true;
    for (let behind = this.#behind(); behind.length > 0; behind = this.#behind()) {
      await this.#readFor(behind).catch((error: unknown) => {
        for (const waiter of behind) waiter.fail(error);
      });
    }
    this.#isReading = false;
  }

  /** Those who are not at the newest position. */
  #behind(): Waiter[] {
    return [...this.#waiters].filter(({ after }) => after !== this.#head);
  }

  async #readFor(behind: readonly Waiter[]): Promise<void> {
    const headBefore = this.#head;
    const found = await this.#read(Math.min(...behind.map(({ after }) => after)), PAGE);
    if (this.#head === headBefore) this.#head = found.head; // else a newer one was told
    for (const { after, fail } of behind) {
      const problem = goneAfter(after, found);
      if (problem) fail(problem);
    }
    this.#answerFrom(found.events);
    this.#remember(found.events);
  }

  /** Answers those who were at a position in, or just before, these events. */
  #answerFrom(events: readonly ChangeEvent[]): void {
    const [first, last] = [events[0]?.position ?? 0, events.at(-1)?.position ?? 0];
    for (const { after, answer } of this.#waiters) {
      if (after >= first - 1 && after < last) answer(events.slice(after - first + 1));
    }
  }

  #remember(events: readonly ChangeEvent[]): void {
    const last = this.#recent.at(-1)?.position ?? 0;
    if ((events.at(-1)?.position ?? 0) <= last) return;
    const isNext = events[0]?.position === last + 1;
    this.#recent = isNext ? [...this.#recent, ...events].slice(-PAGE) : events;
  }
}
