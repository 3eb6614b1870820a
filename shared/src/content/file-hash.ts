import { createHash, type Hash } from 'node:crypto';
import { giveBlockBack, isInBlock, PIECE_SIZE, takeBlock } from '../flow/index.js';
import { SEGMENT_SIZE } from './container.js';
import type { HashingThread, HashOnThread } from './hashing-thread.js';

/** A hash on the thread, and a block for bytes that come in memory which the thread does not see. */
interface There {
  readonly hash: HashOnThread;
  readonly block: Buffer;
}

/**
 * The SHA-256 of one file. One whose first piece is a segment or more is large as a rule, and hashed on the thread, so that
 * its bytes are sealed meanwhile; a small one is done before a message has reached the thread. Also while all blocks are in
 * use a file is hashed here.
 */
export class FileHash {
  readonly #thread: HashingThread;
  #here: Hash | undefined;
  #there: There | undefined;
  #updating = false;
  #dropped = false;

  constructor(thread: HashingThread) {
    this.#thread = thread;
  }

  /** `undefined`: done. A promise: `bytes` stay in use, and nothing but `drop` may be called, until it settles. */
  update(bytes: Buffer): Promise<void> | undefined {
    if (!this.#here && !this.#there) this.#begin(bytes.length);
    if (this.#there) return this.#updateThere(this.#there, bytes);
    this.#here?.update(bytes);
    return undefined;
  }

  /** @returns in lower-case hexadecimal */
  async digest(): Promise<string> {
    if (!this.#there) return (this.#here ?? createHash('sha256')).digest('hex');
    const digest = await this.#there.hash.digest();
    this.#giveBack();
    return digest;
  }

  /** Gives up. */
  drop(): void {
    this.#dropped = true;
    this.#there?.hash.drop();
    if (!this.#updating) this.#giveBack();
  }

  #begin(firstPiece: number): void {
    const block = firstPiece < SEGMENT_SIZE ? undefined : takeBlock();
    if (block) this.#there = { hash: this.#thread.begin(), block };
    else this.#here = createHash('sha256');
  }

  async #updateThere({ hash, block }: There, bytes: Buffer): Promise<void> {
    this.#updating = true;
    try {
      if (isInBlock(bytes)) return await hash.update(bytes);
      for (let at = 0; at < bytes.length && !this.#dropped; at += PIECE_SIZE) {
        const size = bytes.copy(block, 0, at, at + PIECE_SIZE);
        await hash.update(block.subarray(0, size));
      }
    } finally {
      this.#updating = false;
      if (this.#dropped) this.#giveBack();
    }
  }

  #giveBack(): void {
    if (this.#there) giveBlockBack(this.#there.block);
    this.#there = undefined;
  }
}
