/** How many may do something at once; others wait in their order. */
export class Places {
  #free: number;
  readonly #waiting: (() => void)[] = [];
  #first = 0;

  constructor(places: number) {
    this.#free = places;
  }

  async take(): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  release(): void {
    const next = this.#waiting[this.#first];
    if (!next) {
      this.#free += 1;
      return;
    }
    this.#first += 1;
    // Not shift(), which moves all that wait: those are many while the receiver is away.
    if (this.#first === 1_000) {
      this.#waiting.splice(0, this.#first);
      this.#first = 0;
    }
    next();
  }
}
