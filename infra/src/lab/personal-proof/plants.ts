import { number, word } from '../plants/letters.js';
import { type Needle, needlesOfText } from '../plants/needles.js';

/** Times in nanoseconds have many runs of ten digits: with thousands of numbers, some would be one of them. */
const NUMBERS = 32;

/** Values that are nowhere else, and the forms in which they are searched for. */
export class Plants {
  readonly #needles: Needle[] = [];
  readonly #numbers: string[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get needles(): readonly Needle[] {
    return this.#needles;
  }

  /** A word that is searched for from now on. @param what it is, for the report */
  word(what: string): string {
    return this.#plant(what, word());
  }

  /** An impossible CPR number, one of few; it is searched for with and without a hyphen. */
  number(what: string): string {
    const at = this.#count % NUMBERS;
    const known = this.#numbers[at];
    if (known !== undefined) {
      this.#count += 1;
      return known;
    }
    const plant = `a number, as in ${what}`;
    const planted = this.#plant(plant, number());
    this.#numbers[at] = planted;
    const hyphened = `${planted.slice(0, 6)}-${planted.slice(6)}`;
    this.#needles.push({ plant, form: 'with a hyphen', bytes: Buffer.from(hyphened) });
    return planted;
  }

  /** Something that is planted already. */
  know(what: string, value: string): void {
    this.#plant(what, value);
  }

  #plant(what: string, value: string): string {
    this.#count += 1;
    // Nothing that is searched is compressed.
    this.#needles.push(...needlesOfText(what, value).filter(({ form }) => form !== 'piece of compressed'));
    return value;
  }
}
