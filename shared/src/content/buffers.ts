import { SEGMENT_SIZE } from './container.js';

/**
 * The memory that files are decoded into, reused from message to message. A message begins with a segment; when a file
 * fills it, it continues in blocks, which the hashing thread shares. Blocks are few because V8 does not count shared memory
 * and would keep hundreds of megabytes of it.
 */

/** How much of a large file is sealed at once. Each piece costs a message to the hashing thread and one back. */
export const PIECE_SIZE = 6 * SEGMENT_SIZE;

/** Room after a segment or piece for a decoder that overshoots a little. */
const MAX_EXTRA = 64;

// Two each for eight large messages at once. With more, two processors are busy without a second thread.
const MAX_BLOCKS = 16;
const freeBlocks: Buffer[] = [];
let blocksMade = 0;

// More small messages are rarely read at the same time.
const MAX_FREE_SEGMENTS = 64;
const freeSegments: Buffer[] = [];

/** The buffers of one message: two segments or two blocks, in turn. They must be released in the end. */
export class Buffers {
  readonly #segments: Buffer[] = [];
  readonly #blocks: Buffer[] = [];
  #turn: 0 | 1 = 0;

  /** The buffer to fill next: whole segments, and `extra` bytes more (at most 64). The same one until `swap` or `share`. */
  lend(extra: number): Buffer {
    if (extra > MAX_EXTRA) throw new Error(`There is room for ${MAX_EXTRA} bytes after a segment, not for ${extra}.`);
    const block = this.#blocks[this.#turn];
    if (block) return block.subarray(0, PIECE_SIZE + extra);
    this.#segments[this.#turn] ??= freeSegments.pop() ?? Buffer.allocUnsafeSlow(SEGMENT_SIZE + MAX_EXTRA);
    return (this.#segments[this.#turn] as Buffer).subarray(0, SEGMENT_SIZE + extra);
  }

  /** Whether these bytes are in the buffer that was lent last. */
  hold(bytes: Buffer): boolean {
    return bytes.buffer === (this.#blocks[this.#turn] ?? this.#segments[this.#turn])?.buffer;
  }

  /** Makes `lend` return the other buffer, because this one is in use. */
  swap(): void {
    this.#turn = this.#turn === 0 ? 1 : 0;
  }

  /**
   * Continues in blocks, unless all are in use.
   * @param bytes the first bytes of the buffer that was lent last
   * @returns the same bytes in memory that the hashing thread shares; undefined when there is no free block
   */
  share(bytes: Buffer): Buffer | undefined {
    if (this.#blocks.length > 0) return bytes;
    if (freeBlocks.length + MAX_BLOCKS - blocksMade < 2) return undefined;
    this.#blocks.push(takeBlock(), takeBlock());
    const block = this.#blocks[this.#turn] as Buffer;
    return block.subarray(0, bytes.copy(block));
  }

  /** Returns all buffers, once no thread uses them. A second call does nothing. */
  release(): void {
    // Zeroed, because they may contain part of a message.
    for (const segment of this.#segments.splice(0)) {
      if (freeSegments.length < MAX_FREE_SEGMENTS) freeSegments.push(segment.fill(0));
    }
    for (const block of this.#blocks.splice(0)) freeBlocks.push(block.fill(0));
  }
}

function takeBlock(): Buffer {
  const block = freeBlocks.pop();
  if (block) return block;
  blocksMade += 1;
  return Buffer.from(new SharedArrayBuffer(PIECE_SIZE + MAX_EXTRA));
}
