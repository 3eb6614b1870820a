/**
 * Blocks of memory that two threads see: what lies in one is sent to another thread without being copied. There are few, and
 * they are used again and again, because V8 does not count shared memory and would let hundreds of megabytes of it lie.
 */

const KiB = 1024;

/** How much of a file goes its way at once. Each piece costs a message to the hashing thread, and one back. */
export const PIECE_SIZE = 384 * KiB;

/** A piece, and room for what the decoder writes behind it. */
export const BLOCK_SIZE = PIECE_SIZE + KiB;

// Three each for eight large letters at once. More letters than that keep two processors busy without a second thread.
const MOST = 24;
const free: Buffer[] = [];
let made = 0;

/** A block of BLOCK_SIZE bytes, all zero; undefined when all are in use. Each must be given back, come what may. */
export function takeBlock(): Buffer | undefined {
  const block = free.pop();
  if (block || made === MOST) return block;
  made += 1;
  return Buffer.from(new SharedArrayBuffer(BLOCK_SIZE));
}

/** Lets a block be used again: when nobody can still be reading or writing it, on any thread. Other memory is let go. */
export function giveBlockBack(block: Buffer): void {
  if (isInBlock(block)) free.push(block.fill(0)); // what stands in it may be of a letter
}

/** Whether the bytes lie in a block, so that another thread can see them. */
export function isInBlock(bytes: Buffer): boolean {
  return bytes.buffer instanceof SharedArrayBuffer;
}
