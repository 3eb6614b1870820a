import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { mersenne } from 'pure-rand/generator/mersenne';

/** Random values, reproducible by seed. */
export class Random {
  readonly #seed: number;
  readonly #generator: ReturnType<typeof mersenne>;

  constructor(seed: number) {
    this.#seed = seed;
    this.#generator = mersenne(seed);
  }

  /** A whole number from `min` to `max`, inclusive. */
  between(min: number, max: number): number {
    return uniformInt(this.#generator, min, max);
  }

  /** A whole number from 0 to `limit`, exclusive. */
  below(limit: number): number {
    return this.between(0, limit - 1);
  }

  chance(probability: number): boolean {
    return uniformFloat64(this.#generator) < probability;
  }

  oneIn(count: number): boolean {
    return this.below(count) === 0;
  }

  /** A time between two things that come independently of each other, such as letters. */
  gap(average: number): number {
    return -Math.log(1 - uniformFloat64(this.#generator)) * average;
  }

  pick<T>(from: readonly T[]): T {
    if (from.length === 0) throw new Error('Nothing to pick from.');
    return from[this.below(from.length)] as T;
  }

  bytes(size: number): Buffer {
    const filled = Buffer.alloc(Math.ceil(size / 4) * 4);
    for (let at = 0; at < filled.length; at += 4) filled.writeInt32LE(this.#generator.next(), at);
    return filled.subarray(0, size);
  }

  uuid(): string {
    const raw = this.bytes(16);
    raw.writeUInt8((raw.readUInt8(6) & 0x0f) | 0x40, 6); // RFC 9562, version 4
    raw.writeUInt8((raw.readUInt8(8) & 0x3f) | 0x80, 8);
    return raw.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }

  /** Another generator with its own sequence, so that concurrent users do not influence each other’s values. */
  fork(name: string): Random {
    const hash = [...name].reduce((sum, character) => Math.imul(sum ^ character.charCodeAt(0), 16_777_619), this.#seed);
    return new Random(hash);
  }
}
