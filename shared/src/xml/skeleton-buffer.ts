import { Problem } from '../errors/index.js';

const FIRST_SIZE = 8 * 1024;

/** The skeleton as it grows: one buffer with a limit, into which everything is copied (socket chunks are never kept). */
export class SkeletonBuffer {
  length = 0;
  private whole = Buffer.allocUnsafeSlow(FIRST_SIZE);
  private readonly maxBytes: number;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** How many bytes may still be added. */
  get room(): number {
    return this.maxBytes - this.length;
  }

  /** @throws Problem `skeleton-too-large` over the limit. */
  append(source: Buffer, from: number, to: number): void {
    if (to - from > this.room) throw this.tooLarge();
    this.reserve(this.length + to - from);
    this.length += source.copy(this.whole, this.length, from, to);
  }

  /** @throws Problem as append does. */
  appendText(text: string): void {
    const bytes = Buffer.from(text);
    this.append(bytes, 0, bytes.length);
  }

  /** Drops everything from a position on. */
  cut(length: number): void {
    this.length = length;
  }

  bytes(from = 0, to = this.length): Buffer {
    return this.whole.subarray(from, to);
  }

  /** The bytes as text; invalid UTF-8 becomes U+FFFD. */
  text(from: number, to = this.length): string {
    return this.whole.toString('utf8', from, to);
  }

  /** Position of the next occurrence, or -1. */
  indexOf(what: number | string, from: number): number {
    return this.bytes().indexOf(what, from);
  }

  endsWith(text: string): boolean {
    return this.length >= text.length && this.whole.toString('latin1', this.length - text.length, this.length) === text;
  }

  tooLarge(): Problem {
    const limit = `The message without the contents of its files is over ${this.maxBytes} bytes, the limit.`;
    return new Problem('skeleton-too-large', limit);
  }

  private reserve(needed: number): void {
    if (needed <= this.whole.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.min(this.maxBytes, Math.max(needed, this.whole.length * 2)));
    this.whole.copy(larger, 0, 0, this.length);
    this.whole = larger;
  }
}
