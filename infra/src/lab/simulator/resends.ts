import type { Letter } from './letters.js';

interface Due {
  readonly letter: Letter;
  readonly at: number;
}

/** Letters that are to be sent again, by when. */
export class Resends {
  readonly #delays: readonly number[];
  /** By the number of attempts so far: each is in the order of its times, since its delay is the same for all. */
  readonly #levels: { readonly due: Due[]; first: number }[];
  #count = 0;

  /** @param delays in milliseconds: after the first attempt, the second …; the last one after all others */
  constructor(delays: readonly number[]) {
    this.#delays = delays;
    this.#levels = delays.map(() => ({ due: [], first: 0 }));
  }

  get count(): number {
    return this.#count;
  }

  add(letter: Letter, now: number): void {
    const level = Math.min(letter.attempts, this.#delays.length) - 1;
    this.#levels[level]?.due.push({ letter, at: now + (this.#delays[level] ?? 0) });
    this.#count += 1;
  }

  /** Takes out those whose time has come. */
  *take(now: number): Generator<Letter> {
    for (const level of this.#levels) {
      for (let next = level.due[level.first]; next && next.at <= now; next = level.due[level.first]) {
        level.first += 1;
        this.#count -= 1;
        yield next.letter;
      }
      level.due.splice(0, level.first);
      level.first = 0;
    }
  }
}
