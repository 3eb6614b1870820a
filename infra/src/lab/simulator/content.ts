import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import type { Random } from '../random.js';

const BLOCK_BYTES = 3 * 2 ** 18; // a multiple of 3: its base64 can be repeated
const MARK = '%PDF-1.7\n';

/** The content of an attachment. Many letters have the same. */
export interface Attachment {
  readonly bytes: number;
  /** As base64, in pieces that are shared. */
  base64(): Generator<Buffer>;
  pieces(): Generator<Buffer>;
  /** Made when it is asked for first, in turns with whatever else runs. */
  sha256(): Promise<string>;
}

/** Makes attachments of any size from one block of random bytes. */
export class Contents {
  readonly #block: Buffer;
  readonly #base64: Buffer;
  readonly #made = new Map<number, Attachment>();

  constructor(random: Random) {
    this.#block = random.bytes(BLOCK_BYTES);
    this.#block.write(MARK);
    this.#base64 = Buffer.from(this.#block.toString('base64'), 'latin1');
  }

  /** @param bytes of its base64, about */
  ofBase64(bytes: number): Attachment {
    const size = Math.max(3, Math.floor(bytes / 4) * 3);
    const made = this.#made.get(size) ?? attachmentOf(size, this.#block, this.#base64);
    this.#made.set(size, made);
    return made;
  }
}

function attachmentOf(bytes: number, block: Buffer, base64: Buffer): Attachment {
  let digest: Promise<string> | undefined;
  const repeated = (piece: Buffer, length: number) =>
    (function* () {
      for (let left = length; left > 0; left -= piece.length) yield piece.subarray(0, Math.min(left, piece.length));
    })();
  const pieces = () => repeated(block, bytes);
  return {
    bytes,
    base64: () => repeated(base64, (bytes / 3) * 4),
    pieces,
    sha256() {
      digest ??= digestOf(pieces());
      return digest;
    },
  };
}

async function digestOf(pieces: Iterable<Buffer>): Promise<string> {
  const hash = createHash('sha256');
  for (const piece of pieces) {
    hash.update(piece);
    await turn();
  }
  return hash.digest('hex');
}
