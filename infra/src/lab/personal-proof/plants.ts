import { number, word } from '../plants/letters.js';
import { type Needle, needlesOfText } from '../plants/needles.js';

/** Values that are nowhere else, and the forms in which they are searched for. */
export class Plants {
  readonly #needles: Needle[] = [];
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

  /** An impossible CPR number; it is searched for with and without a hyphen. */
  number(what: string): string {
    const planted = this.#plant(what, number());
    const hyphened = `${planted.slice(0, 6)}-${planted.slice(6)}`;
    this.#needles.push({ plant: what, form: 'with a hyphen', bytes: Buffer.from(hyphened) });
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
