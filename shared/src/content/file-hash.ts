import { createHash, type Hash } from 'node:crypto';
import { giveBlockBack, PIECE_SIZE, takeBlock } from '../flow/index.js';
import { SEGMENT_SIZE } from './container.js';
import type { HashingThread, HashOnThread } from './hashing-thread.js';

/**
 * The SHA-256 of one file. One whose first piece is a segment or more is large as a rule, and hashed on the thread, so that
 * its bytes are sealed meanwhile; a small one is done before a message has reached the thread.
 */
export class FileHash {
  readonly #thread: HashingThread;
  #here: Hash | undefined;
  #there: HashOnThread | undefined;
  /** For bytes that come in memory which the thread does not see. */
  #block: Buffer | undefined;

  constructor(thread: HashingThread) {
    this.#thread = thread;
  }

  /** `undefined`: done. A promise: `bytes` stay in use, and nothing else may be called, until it is fulfilled. */
  update(bytes: Buffer): Promise<void> | undefined {
    if (!this.#here && !this.#there) this.#begin(bytes.length);
    if (this.#there) return this.#updateThere(this.#there, bytes);
    this.#here?.update(bytes);
    return undefined;
  }

  /** @returns in lower-case hexadecimal */
  async digest(): Promise<string> {
    if (!this.#there) return (this.#here ?? createHash('sha256')).digest('hex');
    const digest = await this.#there.digest();
    if (this.#block) giveBlockBack(this.#block);
    return digest;
  }

  /** Gives up. */
  drop(): void {
    this.#there?.drop();
  }

  #begin(firstPiece: number): void {
    if (firstPiece < SEGMENT_SIZE) this.#here = createHash('sha256');
    else this.#there = this.#thread.begin();
  }

  async #updateThere(there: HashOnThread, bytes: Buffer): Promise<void> {
    if (bytes.buffer instanceof SharedArrayBuffer) return there.update(bytes);
    this.#block ??= takeBlock();
    for (let at = 0; at < bytes.length; at += PIECE_SIZE) {
      const size = bytes.copy(this.#block, 0, at, at + PIECE_SIZE);
      await there.update(this.#block.subarray(0, size));
    }
  }
}
