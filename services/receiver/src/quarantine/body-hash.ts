import { createHash } from 'node:crypto';

const NOTHING = Buffer.alloc(0);

/**
 * Hash of a body without the boundary of its form: senders draw a new one for each delivery, and the same message must be
 * recognised.
 */
export class BodyHash {
  readonly #sha256 = createHash('sha256');
  readonly #boundary: Buffer;
  /** What may be the beginning of a boundary. */
  #rest: Buffer = NOTHING;

  constructor(boundary = '') {
    this.#boundary = Buffer.from(boundary, 'latin1');
  }

  update(bytes: Buffer): void {
    const { length } = this.#boundary;
    if (length === 0) return void this.#sha256.update(bytes);
    const known = Buffer.concat([this.#rest, bytes]);
    let from = 0;
    for (let at = known.indexOf(this.#boundary); at >= 0; at = known.indexOf(this.#boundary, from)) {
      this.#sha256.update(known.subarray(from, at));
      from = at + length;
    }
    const to = Math.max(from, known.length - length + 1);
    this.#sha256.update(known.subarray(from, to));
    this.#rest = known.subarray(to);
  }

  digest(): Buffer {
    return this.#sha256.update(this.#rest).digest();
  }
}
