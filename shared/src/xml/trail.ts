import { ALPHABET } from './alphabet.js';

// A container has each file decoded, so of its base64 nothing is kept but where it stood. What a whole line of it needs:
const PIECE_BYTES = 128;
/** Chunks between the socket and the reader; one that waits longer is not read as base64. */
const MAX_WAITING = 16;
const OUTPUT_BYTES = 64 * 1_024;
const NOTHING = Buffer.alloc(0);

/** `times` lines, each the bytes of `gap` and the next `characters` of the base64 of a file, from `position` on. */
interface Piece {
  readonly gap: Buffer;
  readonly file: number;
  readonly position: number;
  characters: number;
  times: number;
}

/** The base64 of a file as it is read again: its whole quadruples, encoded anew, and the end. */
interface EncodedFile {
  /** In order; any sizes. */
  readonly decoded: AsyncIterable<Buffer>;
  /** Characters of a quadruple that is not whole, or has padding: only there does base64 have several ways to write the same. */
  readonly end: string;
}

/** Takes the bytes that follow when a trail has no more memory. */
export interface Spill {
  /** Resolves when the bytes are taken; one call at a time. Never rejects. */
  write(bytes: Buffer): Promise<void>;
  /** What was written, in order. @throws when it is not all there */
  read(): AsyncIterable<Buffer>;
  /** Removes it. */
  drop(): Promise<void>;
}

/**
 * What is kept of a body while it is read, so that its bytes can be had again when a fault shows, perhaps at the last one: all
 * that is not base64 of a file, and where that stood. The base64 itself is encoded anew from the files, which are sealed by then.
 * So it costs a message of 110 MiB a few KiB of memory and no copy. If that takes too much memory, as when all lines of the base64
 * are of other lengths, what follows is written to a spill.
 */
export class Trail {
  readonly #maxBytes: number;
  readonly #pieces: Piece[] = [];
  readonly #ends = new Map<number, string>();
  /** Bytes after the pieces, in copies. */
  #gap: Buffer[] = [];
  /** What came after that. */
  readonly #chunks: Buffer[] = [];
  /** How much of the first of them is in the pieces or the gap. */
  #passed = 0;
  #kept = 0;
  readonly #openSpill: () => Spill;
  #spill: Spill | undefined;
  #spilling: Promise<void> = Promise.resolve();

  /** @param maxBytes of memory */
  constructor(maxBytes: number, openSpill: () => Spill) {
    this.#maxBytes = maxBytes;
    this.#openSpill = openSpill;
  }

  /**
   * The next bytes of the body. They must not change.
   *
   * @returns a promise, before whose end no more should come, since they are being written; usually undefined
   */
  came(chunk: Buffer): Promise<void> | undefined {
    this.#chunks.push(chunk);
    if (this.#kept <= this.#maxBytes) {
      if (this.#chunks.length > MAX_WAITING) this.#passChunk();
      return undefined;
    }
    this.#spill ??= this.#openSpill();
    for (const waiting of this.#takeChunks()) this.#write(this.#spill, waiting);
    return this.#spilling;
  }

  #write(spill: Spill, bytes: Buffer): void {
    this.#spilling = this.#spilling.then(() => spill.write(bytes));
  }

  /** To be called when the bytes are not needed again. */
  async drop(): Promise<void> {
    await this.#spilling;
    await this.#spill?.drop();
  }

  /** These bytes are base64 of a file, from its `position`-th character on. */
  text(bytes: Buffer, from: number, to: number, file: number, position: number): void {
    if (this.#kept > this.#maxBytes) return;
    const index = this.#indexOf(bytes, from, to);
    if (index < 0) return; // a copy, as of bytes that looked like the boundary of a form: they stay in the gap
    for (let passed = 0; passed < index; passed += 1) this.#passChunk();
    const chunk = this.#chunks[0] as Buffer;
    const start = bytes.byteOffset + from - chunk.byteOffset;
    this.#addPiece(this.#gapTo(chunk, start), file, position, to - from);
    this.#passed = start + to - from;
  }

  /** The file has no more whole quadruples; `end` are the characters after the last one. */
  ended(file: number, end: string): void {
    this.#ends.set(file, end);
  }

  /**
   * The bytes that came. Each buffer is used again for the next.
   *
   * @param decoded the bytes of a file, in order
   */
  async *bytes(decoded: (file: number) => AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const output = Buffer.allocUnsafe(OUTPUT_BYTES);
    let filled = 0;
    let source: Characters | undefined;
    let openFile: number | undefined;
    for (const { gap, file, position, characters, times } of this.#pieces) {
      if (file !== openFile) {
        await source?.close();
        source = new Characters({ decoded: decoded(file), end: this.#ends.get(file) ?? '' });
        openFile = file;
      }
      const open = source as Characters;
      for (let line = 0; line < times; line += 1) {
        for (let at = 0; at < gap.length; ) {
          const copied = gap.copy(output, filled, at);
          at += copied;
          filled += copied;
          if (filled === OUTPUT_BYTES) {
            yield output;
            filled = 0;
          }
        }
        const first = position + line * characters;
        for (let done = 0; done < characters; ) {
          while (!open.has(first + done)) await open.readOn();
          const copied = open.copy(first + done, characters - done, output, filled);
          done += copied;
          filled += copied;
          if (filled === OUTPUT_BYTES) {
            yield output;
            filled = 0;
          }
        }
      }
    }
    await source?.close();
    if (filled > 0) yield output.subarray(0, filled);
    yield* this.#gap;
    await this.#spilling;
    if (this.#spill) yield* this.#spill.read();
    yield* this.#takeChunks();
  }

  /** Removes what waits. */
  #takeChunks(): Buffer[] {
    const [first, ...others] = this.#chunks.splice(0);
    const taken = first ? [first.subarray(this.#passed), ...others] : [];
    this.#passed = 0;
    return taken;
  }

  /** Which of the chunks these bytes are in. */
  #indexOf(bytes: Buffer, from: number, to: number): number {
    const [first] = this.#chunks;
    if (first === bytes) return 0;
    const start = bytes.byteOffset + from;
    const end = bytes.byteOffset + to;
    return this.#chunks.findIndex(
      (chunk) => chunk.buffer === bytes.buffer && start >= chunk.byteOffset && end <= chunk.byteOffset + chunk.length,
    );
  }

  #passChunk(): void {
    const chunk = this.#chunks.shift() as Buffer;
    this.#keep(chunk, this.#passed, chunk.length);
    this.#passed = 0;
  }

  #keep(chunk: Buffer, from: number, to: number): void {
    if (from === to) return;
    // In a buffer of its own: a part of the chunk would hold all of it.
    this.#gap.push(Buffer.from(chunk.subarray(from, to)));
    this.#kept += to - from;
  }

  /** What stands before `to` and after the last piece. */
  #gapTo(chunk: Buffer, to: number): Buffer {
    const from = this.#passed;
    const before = this.#pieces.at(-1)?.gap;
    if (this.#gap.length === 0) {
      if (from === to) return NOTHING;
      if (before && isSame(before, chunk, from, to)) return before;
    }
    this.#keep(chunk, from, to);
    const gap = this.#gap.length === 1 ? (this.#gap[0] as Buffer) : Buffer.concat(this.#gap);
    this.#gap = [];
    return gap;
  }

  #addPiece(gap: Buffer, file: number, position: number, characters: number): void {
    const last = this.#pieces.at(-1);
    if (last && gap.length === 0 && last.times === 1 && last.file === file && follows(last, position)) {
      last.characters += characters;
      return;
    }
    this.#joinLines();
    this.#pieces.push({ gap, file, position, characters, times: 1 });
    this.#kept += PIECE_BYTES;
  }

  /** Makes one piece of the last two if they are lines alike. */
  #joinLines(): void {
    const [before, last] = this.#pieces.slice(-2);
    if (!before || !last) return;
    const areAlike = before.gap === last.gap && before.file === last.file && before.characters === last.characters;
    if (!areAlike || last.times > 1 || !follows(before, last.position)) return;
    before.times += 1;
    this.#pieces.pop();
    this.#kept -= PIECE_BYTES;
  }
}

const follows = (piece: Piece, position: number) => position === piece.position + piece.times * piece.characters;

/** Whether these bytes are those of a short gap, such as the end of a line. */
function isSame(gap: Buffer, chunk: Buffer, from: number, to: number): boolean {
  if (gap.length !== to - from) return false;
  for (let at = 0; at < gap.length; at += 1) if (gap[at] !== chunk[from + at]) return false;
  return true;
}

/** The base64 of a file, read on as it is asked for. */
class Characters {
  readonly #decoded: AsyncIterator<Buffer>;
  readonly #end: string;
  /** Decoded bytes that are no whole quadruple yet. */
  #rest: Buffer = NOTHING;
  #encoded: Buffer = NOTHING;
  /** Position of the first of them. */
  #position = 0;
  #isAtEnd = false;

  constructor({ decoded, end }: EncodedFile) {
    this.#decoded = decoded[Symbol.asyncIterator]();
    this.#end = end;
  }

  has(position: number): boolean {
    return position < this.#position + this.#encoded.length;
  }

  async readOn(): Promise<void> {
    if (this.#isAtEnd) throw new Error('A file has fewer bytes than the trail says.');
    const { done, value } = await this.#decoded.next();
    this.#position += this.#encoded.length;
    if (done) {
      this.#isAtEnd = true;
      this.#encoded = Buffer.from(this.#end, 'latin1');
      return;
    }
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, value]) : value;
    const whole = bytes.length - (bytes.length % 3);
    this.#encoded = Buffer.from(bytes.toString('base64', 0, whole), 'latin1');
    this.#rest = Buffer.from(bytes.subarray(whole));
  }

  /** Copies up to `most` characters. @returns how many */
  copy(position: number, most: number, into: Buffer, at: number): number {
    const from = position - this.#position;
    return this.#encoded.copy(into, at, from, Math.min(from + most, this.#encoded.length));
  }

  async close(): Promise<void> {
    await this.#decoded.return?.();
  }
}

/** Characters of base64 by their bits, the first in the highest. */
export function charactersOf(bits: number, count: number): string {
  let text = '';
  for (let left = count - 1; left >= 0; left -= 1) text += ALPHABET[(bits >> (6 * left)) & 63];
  return text;
}
