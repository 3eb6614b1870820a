/** Chance that a seed repeats. */
export interface Random {
  /** 0 ≤ x < 1 */
  next(): number;
  /** A whole number, both ends included. */
  between(least: number, most: number): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  bytes(size: number): Buffer;
  uuid(): string;
  /** Another one that goes its own way, so that what one part draws does not depend on how fast another is. */
  fork(name: string): Random;
}

/** mulberry32: small, fast and good enough to choose where to kill. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (least: number, most: number) => least + Math.floor(next() * (most - least + 1));
  const bytes = (size: number) => {
    const filled = Buffer.alloc(Math.ceil(size / 4) * 4);
    for (let at = 0; at < filled.length; at += 4) filled.writeUInt32LE(Math.floor(next() * 2 ** 32), at);
    return filled.subarray(0, size);
  };
  return {
    next,
    between,
    chance: (probability) => next() < probability,
    pick: (from) => {
      const found = from[between(0, from.length - 1)];
      if (found === undefined) throw new Error('There is nothing to pick from.');
      return found;
    },
    bytes,
    uuid: () => {
      const raw = bytes(16);
      raw.writeUInt8((raw.readUInt8(6) & 0x0f) | 0x40, 6); // RFC 9562, version 4
      raw.writeUInt8((raw.readUInt8(8) & 0x3f) | 0x80, 8);
      return raw.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    },
    fork: (name) =>
      createRandom([...name].reduce((hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 16_777_619), seed)),
  };
}
