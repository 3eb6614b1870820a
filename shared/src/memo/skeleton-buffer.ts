import { Problem } from '../errors/index.js';

const FIRST_SIZE = 4 * 1024;

/** The skeleton as it grows: one buffer with a limit, into which everything is copied (socket chunks are never kept). */
export class SkeletonBuffer {
  length = 0;
  private bytes = Buffer.allocUnsafeSlow(FIRST_SIZE);
  private readonly maxBytes: number;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** @throws Problem `skeleton-too-large` over the limit, `not-utf8` when the bytes hold a NUL. */
  append(source: Buffer, from: number, to: number): void {
    const piece = source.subarray(from, to);
    // No XML in UTF-8 holds a NUL; UTF-16 and UTF-32 are full of them.
    if (piece.includes(0)) throw new Problem('not-utf8', 'The message holds NUL bytes. It must be UTF-8.');
    this.reserve(piece.length);
    this.length += piece.copy(this.bytes, this.length);
  }

  appendText(text: string): void {
    const bytes = Buffer.from(text);
    this.append(bytes, 0, bytes.length);
  }

  /** Drops everything from a position on. */
  cut(length: number): void {
    this.length = length;
  }

  /** The bytes from a position on as text. Wrong UTF-8 shows as U+FFFD here and is refused when the whole is parsed. */
  text(from: number, to = this.length): string {
    return this.bytes.toString('utf8', from, to);
  }

  endsWith(text: string): boolean {
    return this.length >= text.length && this.bytes.toString('latin1', this.length - text.length, this.length) === text;
  }

  whole(): Buffer {
    return this.bytes.subarray(0, this.length);
  }

  private reserve(more: number): void {
    const needed = this.length + more;
    if (needed > this.maxBytes) {
      const limit = `The message without the contents of its files is over ${this.maxBytes} bytes, the limit.`;
      throw new Problem('skeleton-too-large', limit);
    }
    if (needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.min(this.maxBytes, Math.max(needed, this.bytes.length * 2)));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }
}
