import type { EventList, EventQuery } from '@indbakke/shared/api';
import { SECOND } from '@indbakke/shared/config';
import type { Parts } from '@indbakke/shared/service';
import type { Listener } from '@indbakke/shared/store';
import { goneAfter, readEvents } from './read-events.js';
import { Tail } from './tail.js';

// Without LISTEN the heads are asked for at each look; with it at the first and at each tenth, since a notification may be lost.
const QUIET_LOOKS = 10;

/** The change feed of all municipalities, for the callers of this process. */
export class Feed {
  readonly #store: Parts['store'];
  readonly #tails = new Map<string, Tail>();
  #isClosed = false;
  #quietLooks = 0;

  constructor({ store }: Pick<Parts, 'store'>) {
    this.#store = store;
  }

  /** How many callers wait. */
  get waiters(): number {
    return [...this.#tails.values()].reduce((sum, { waiters }) => sum + waiters, 0);
  }

  /**
   * @param gone aborts when the caller has gone
   * @throws Problem position-gone
   */
  async read(municipality: string, { after, wait, limit }: EventQuery, gone: AbortSignal): Promise<EventList> {
    if (after === 'latest') {
      const { head } = await readEvents(this.#store, municipality, 0, 0);
      return { events: [], next: head, head };
    }
    const position = Number(after);
    if (wait > 0 && !this.#isClosed && !gone.aborted)
      return this.#tailOf(municipality).next(position, limit, wait * SECOND, gone);
    const found = await readEvents(this.#store, municipality, position, limit);
    const problem = goneAfter(position, found);
    if (problem) throw problem;
    return { events: [...found.events], next: found.events.at(-1)?.position ?? position, head: found.head };
  }

  /** What the numberer has told: a municipality and its head. */
  hear(payload: string): void {
    const [municipality = '', head] = payload.split(' ');
    this.#tails.get(municipality)?.notice(Number(head));
  }

  /**
   * Asks for the heads of the municipalities that somebody waits for, if that is not told otherwise. What is remembered counts only
   * as long as the connection lasts: after it, the database may be one that was restored.
   */
  async look({ isHearing }: Pick<Listener, 'isHearing'>): Promise<void> {
    if (!isHearing) for (const tail of this.#tails.values()) tail.forget();
    this.#quietLooks = isHearing ? this.#quietLooks + 1 : 0;
    if (this.#quietLooks > 1 && this.#quietLooks % QUIET_LOOKS !== 0) return;
    const awaited = [...this.#tails].filter(([, { waiters }]) => waiters > 0).map(([municipality]) => municipality);
    if (awaited.length === 0) return;
    const heads = await this.#store.sweep<{ municipality: string; head: string }>(
      'SELECT municipality, event_position AS head FROM feed_heads WHERE municipality = ANY ($1)',
      [awaited],
    );
    for (const { municipality, head } of heads) this.#tails.get(municipality)?.notice(Number(head));
  }

  /** Answers all who wait; nobody waits from now on. */
  endWaiting(): void {
    this.#isClosed = true;
    for (const tail of this.#tails.values()) tail.endWaiting();
  }

  #tailOf(municipality: string): Tail {
    const known = this.#tails.get(municipality);
    if (known) return known;
    const tail = new Tail((after, limit) => readEvents(this.#store, municipality, after, limit));
    this.#tails.set(municipality, tail);
    return tail;
  }
}
