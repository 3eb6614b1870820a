import { ALPHABET } from './alphabet.js';
import type { FileWriter } from './file-writer.js';
import { charactersOf, type Trail } from './trail.js';

// Up to 64 KiB the string of a slice stays in the young generation; from 128 KiB on the decoder is ten times slower.
const MAX_SLICE = 64 * 1024;
/** From this many characters on, Node's decoder is faster than a loop. */
const MIN_SLICE = 256;
const MINUS = 0x2d;
const UNDERSCORE = 0x5f;

/** What is not a value of six bits. */
const [SPACE, PADDING, FOREIGN] = [64, 65, 66];
/** By byte: its six bits (RFC 4648 §4), or one of those three. */
const VALUES = new Uint8Array(256).fill(FOREIGN);
for (const [value, character] of [...ALPHABET].entries()) {
  VALUES[character.charCodeAt(0)] = value;
}
for (const character of ' \t\r\n') VALUES[character.charCodeAt(0)] = SPACE;
VALUES['='.charCodeAt(0)] = PADDING;

/** Makes the error for a content; `why` completes "... is not base64: ". */
export type Refusal = (why: string) => Error;

/**
 * Strict base64 of one file (RFC 4648 §4; white space as in xs:base64Binary), in any pieces. Node's decoder is fast but
 * lenient, so the number of bytes that it wrote is checked against the number of characters; from the first piece that is not
 * plain base64 on, a loop decodes.
 */
export class Base64Decoder {
  private readonly file: FileWriter;
  private readonly refuse: Refusal;
  /** The quadruple that has begun: how many characters, and their bits. */
  private characters = 0;
  private bits = 0;
  private padding = 0;
  private isPlain = true;
  private readonly trail: Trail | undefined;
  private readonly index: number;
  /** How many characters there were, padding included. */
  private position = 0;

  /** @param trail is told where the base64 of the file with this index stands */
  constructor(file: FileWriter, refuse: Refusal, trail?: Trail, index = 0) {
    this.file = file;
    this.refuse = refuse;
    this.trail = trail;
    this.index = index;
  }

  /** The characters after the last whole quadruple. */
  get rest(): string {
    return charactersOf(this.bits, this.characters) + '='.repeat(this.padding);
  }

  /**
   * Decodes bytes[from, to) into the file, as far as it has room.
   * @returns where it stopped: at `to`, where the file was full, or else at a byte that is not of base64.
   * @throws what `refuse` makes.
   */
  take(bytes: Buffer, from: number, to: number): number {
    let at = from;
    while (at < to && !this.file.full) {
      const before = at;
      at = this.takeSlice(bytes, at, to);
      if (at === before) break;
    }
    return at;
  }

  /** The same for a single character, a resolved reference; the file must not be full. */
  takeCharacter(code: number): void {
    this.isPlain = false;
    const value = VALUES[code] ?? FOREIGN;
    if (value === FOREIGN) throw this.foreign();
    if (value === SPACE) return;
    this.takeValue(value);
    this.position += 1;
  }

  /** Ends the text: checks the padding and decodes the last quadruple. */
  end(): void {
    const missing = (4 - this.characters) % 4;
    if (missing !== this.padding) {
      throw this.refuse('its length is wrong; it was cut off or its padding is wrong.');
    }
    if (missing > 0) this.file.put(this.bits << (6 * missing), 3 - missing);
  }

  foreign(): Error {
    return this.refuse('it contains a character that is not base64.');
  }

  private takeSlice(bytes: Buffer, from: number, to: number): number {
    if (!this.isPlain || to - from < MIN_SLICE) return this.loop(bytes, from, to);
    if (this.characters > 0) return this.loop(bytes, from, from + 4 - this.characters);
    const length = Math.min(to - from, MAX_SLICE, this.file.roomForCharacters);
    const end = from + length - (length % 4);
    if (this.decodePlain(bytes.subarray(from, end))) {
      this.tell(bytes, from, end);
      return end;
    }
    this.isPlain = false;
    return this.loop(bytes, from, to);
  }

  /** Decodes up to `to`, a full file, or a byte that is not of base64. */
  private loop(bytes: Buffer, from: number, to: number): number {
    const { file } = this;
    let at = from;
    let told = from;
    while (!file.full) {
      if (this.characters === 0 && this.padding === 0) at = this.takeQuadruples(bytes, at, to);
      if (at < to && VALUES[bytes[at] as number] === SPACE) {
        this.tell(bytes, told, at);
        do at += 1;
        while (at < to && VALUES[bytes[at] as number] === SPACE);
        told = at;
      }
      if (at === to || file.full) break;
      const value = VALUES[bytes[at] as number] as number;
      if (value === FOREIGN) break;
      this.takeValue(value);
      at += 1;
    }
    this.tell(bytes, told, at);
    return at;
  }

  /** These bytes were characters of the file. */
  private tell(bytes: Buffer, from: number, to: number): void {
    if (from === to) return;
    this.trail?.text(bytes, from, to, this.index, this.position);
    this.position += to - from;
  }

  /** Decodes whole quadruples without anything between their characters. */
  private takeQuadruples(bytes: Uint8Array, from: number, to: number): number {
    const { file } = this;
    let at = from;
    for (; at + 4 <= to && !file.full; at += 4) {
      const a = VALUES[bytes[at] as number] as number;
      const b = VALUES[bytes[at + 1] as number] as number;
      const c = VALUES[bytes[at + 2] as number] as number;
      const d = VALUES[bytes[at + 3] as number] as number;
      if ((a | b | c | d) >= SPACE) break;
      file.put((a << 18) | (b << 12) | (c << 6) | d, 3);
    }
    return at;
  }

  private takeValue(value: number): void {
    if (value === PADDING) {
      this.padding += 1;
      if (this.padding > 2) throw this.refuse('its padding is too long.');
      return;
    }
    if (this.padding > 0) throw this.refuse('something follows its padding.');
    this.bits = (this.bits << 6) | value;
    this.characters += 1;
    if (this.characters < 4) return;
    this.file.put(this.bits, 3);
    this.characters = 0;
    this.bits = 0;
  }

  /** Returns false, nothing decoded, when there is anything but base64. */
  private decodePlain(slice: Buffer): boolean {
    // Node's decoder accepts these two as base64url.
    if (this.padding > 0 || slice.includes(MINUS) || slice.includes(UNDERSCORE)) return false;
    return this.file.decode(slice.toString('latin1'), (slice.length / 4) * 3);
  }
}
