import type { FileWriter } from './file-writer.js';
import { isSpace } from './white-space.js';

// Up to 64 KiB the string of a slice stays in the young generation; from 128 KiB on the decoder is ten times slower.
const MAX_SLICE = 64 * 1024;
const EQUALS = 0x3d;
const MINUS = 0x2d;
const UNDERSCORE = 0x5f;
const ONLY_BASE64 = /^[A-Za-z0-9+/]*$/;

/** Makes the error for a content; `why` completes "... is not base64: ". */
export type Refusal = (why: string) => Error;

/**
 * Strict base64 of one file (RFC 4648 §4; white space as in xs:base64Binary), in any pieces. Node's decoder is fast but
 * lenient, so the number of bytes that it wrote is checked against the number of characters.
 */
export class Base64Decoder {
  private readonly file: FileWriter;
  private readonly refuse: Refusal;
  /** Up to 3 characters, all of the alphabet, until the rest of their quadruple arrives. */
  private carry = '';
  private padding = 0;
  /** White space was seen: from now on it is counted instead of trying without. */
  private spaced = false;

  constructor(file: FileWriter, refuse: Refusal) {
    this.file = file;
    this.refuse = refuse;
  }

  /**
   * Decodes the first part of bytes[from, to) into the file, which must not be full.
   * @returns where the part ends: at least one byte later.
   * @throws what `refuse` makes.
   */
  take(bytes: Buffer, from: number, to: number): number {
    // The carry needs no extra room: only whole quadruples are decoded.
    const end = Math.min(to, from + Math.min(MAX_SLICE, this.file.roomForCharacters));
    const slice = bytes.subarray(from, end);
    const pad = this.padding > 0 ? 0 : slice.indexOf(EQUALS);
    if (pad !== 0) this.decode(pad < 0 ? slice : slice.subarray(0, pad));
    if (pad >= 0) this.readPadding(slice.subarray(pad));
    return end;
  }

  /** The same for a single character: a resolved reference. */
  takeCharacter(character: string): void {
    const code = character.charCodeAt(0);
    if (isSpace(code)) return;
    if (code === EQUALS || this.padding > 0) {
      this.readPadding(Buffer.from(character));
      return;
    }
    if (!ONLY_BASE64.test(character)) throw this.foreign();
    this.carry += character;
    if (this.carry.length < 4) return;
    this.file.decode(this.carry, 3);
    this.carry = '';
  }

  /** Ends the text: checks the padding and decodes the carry. */
  end(): void {
    const missing = (4 - this.carry.length) % 4;
    if (missing !== this.padding) {
      throw this.refuse('its length is wrong; it was cut off or its padding is wrong.');
    }
    if (missing > 0) this.file.decode(this.carry, this.carry.length - 1);
  }

  private decode(slice: Buffer): void {
    // Node's decoder accepts these two as base64url.
    if (slice.includes(MINUS) || slice.includes(UNDERSCORE)) throw this.foreign();
    const rest = slice.subarray(this.completeCarry(slice));
    if (!this.spaced && this.decodePlain(rest)) return;
    this.spaced = true;
    this.decodeSpaced(rest);
  }

  /**
   * Takes characters until the carry is empty; prepending it to the slice would copy the whole slice.
   * @returns how many it took
   */
  private completeCarry(slice: Buffer): number {
    let at = 0;
    for (; this.carry !== '' && at < slice.length; at += 1) {
      this.takeCharacter(String.fromCharCode(slice[at] as number));
    }
    return at;
  }

  /** The usual case, without white space. Returns false, nothing decoded, when there is anything but base64. */
  private decodePlain(slice: Buffer): boolean {
    const whole = slice.length - (slice.length % 4);
    const carry = this.carry + slice.toString('latin1', whole);
    if (!ONLY_BASE64.test(carry)) return false;
    if (whole > 0 && !this.file.decode(slice.toString('latin1', 0, whole), (whole / 4) * 3)) return false;
    this.carry = carry;
    return true;
  }

  /** The decoder skips white space; only the end of the last quadruple must be found. */
  private decodeSpaced(slice: Buffer): void {
    const text = slice.toString('latin1');
    const significant = text.length - countSpace(slice);
    const cut = startOfLast(significant % 4, text);
    const whole = significant - (significant % 4);
    const carry = this.carry + text.slice(cut).replace(/[ \t\r\n]+/g, '');
    if (!ONLY_BASE64.test(carry)) throw this.foreign();
    if (whole > 0 && !this.file.decode(text.slice(0, cut), (whole / 4) * 3)) throw this.foreign();
    this.carry = carry;
  }

  private readPadding(slice: Buffer): void {
    for (const byte of slice) {
      if (byte === EQUALS) this.padding += 1;
      else if (!isSpace(byte)) throw this.refuse('something follows its padding.');
    }
    if (this.padding > 2) throw this.refuse('its padding is too long.');
  }

  private foreign(): Error {
    return this.refuse('it contains a character that is not base64.');
  }
}

function countSpace(bytes: Buffer): number {
  let count = 0;
  for (let at = 0; at < bytes.length; at += 1) if (isSpace(bytes[at] as number)) count += 1;
  return count;
}

/** Where the last `count` characters that are not white space begin. */
function startOfLast(count: number, text: string): number {
  let at = text.length;
  for (let left = count; left > 0; ) {
    at -= 1;
    if (!isSpace(text.charCodeAt(at))) left -= 1;
  }
  return at;
}
