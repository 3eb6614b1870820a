/**
 * Blocks of memory that two threads see: what lies in one is sent to another thread without being copied. They are used
 * again and again, because V8 does not count shared memory and would let hundreds of megabytes of it lie.
 */

const KiB = 1024;

/** How much of a file goes its way at once. Each piece costs a message to the hashing thread, and one back. */
export const PIECE_SIZE = 384 * KiB;

/** A piece, and room for what the decoder writes behind it. */
export const BLOCK_SIZE = PIECE_SIZE + KiB;

// Those of eight large letters at once, and what others need to be copied to.
const MOST_FREE = 24;
const free: Buffer[] = [];

/** A block of BLOCK_SIZE bytes, all zero. */
export function takeBlock(): Buffer {
  return free.pop() ?? Buffer.from(new SharedArrayBuffer(BLOCK_SIZE));
}

/**
 * Lets a block be used again. Only one that nobody can still be reading or writing, on any thread: where that is not sure, as
 * after a failure, leave it to the garbage collector.
 */
export function giveBlockBack(block: Buffer): void {
  if (free.length < MOST_FREE) free.push(block.fill(0)); // what stands in it may be of a letter
}
