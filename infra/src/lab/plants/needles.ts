/** Something to be found in files: which plant, and in which form. Its bytes are never printed. */
export interface Needle {
  readonly plant: string;
  readonly form: string;
  readonly bytes: Buffer;
}

/** PostgreSQL's compression writes at most eight literal bytes in a row, between control bytes (pg_lzcompress.c). */
const PIECE = 8;

/** A word or number as text, and in every form that something may write it in. */
export function needlesOfText(plant: string, text: string): Needle[] {
  const bytes = Buffer.from(text);
  const needle = (form: string, form_bytes: Buffer): Needle => ({ plant, form, bytes: form_bytes });
  return [
    needle('plain', bytes),
    needle('UTF-16', Buffer.from(text, 'utf16le')),
    needle('hexadecimal', Buffer.from(bytes.toString('hex'))),
    // Letters and digits stand for themselves there as a rule; some writers escape all.
    needle('URL-encoded', Buffer.from([...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''))),
    needle('JSON-escaped', Buffer.from([...bytes].map((byte) => `\\u${byte.toString(16).padStart(4, '0')}`).join(''))),
    ...[0, 1, 2].map((shift) => needle('base64', base64At(bytes, shift))),
    // Digits alone are too common in pieces.
    ...(/^\d+$/.test(text) ? [] : piecesOf(bytes).map((piece) => needle('piece of compressed', piece))),
  ];
}

/** Bytes that are only stored as they are: of ciphertext some parts, since a page or chunk ends anywhere. */
export function needlesOfBytes(plant: string, form: string, bytes: Buffer): Needle[] {
  if (bytes.length <= LENGTH) return [{ plant, form, bytes }];
  const parts: Needle[] = [];
  for (let at = 0; at + LENGTH <= bytes.length && parts.length < MOST_PARTS; at += EVERY)
    parts.push({ plant, form, bytes: bytes.subarray(at, at + LENGTH) });
  return [...parts, { plant, form, bytes: bytes.subarray(-LENGTH) }];
}

const LENGTH = 24;
const EVERY = 700; // TOAST chunks are of 1996 bytes
const MOST_PARTS = 200;

/** What the base64 of a longer text has of these bytes, when they begin `shift` bytes after a multiple of three. */
function base64At(bytes: Buffer, shift: number): Buffer {
  const whole = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
  const first = Math.ceil((shift * 8) / 6);
  const last = Math.floor(((shift + bytes.length) * 8) / 6);
  return Buffer.from(whole.slice(first, last));
}

function piecesOf(bytes: Buffer): Buffer[] {
  return Array.from({ length: Math.max(0, bytes.length - PIECE + 1) }, (_, at) => bytes.subarray(at, at + PIECE));
}

// Many needles begin alike: numbers, and what is escaped.
const KEY = 8;
const keyAt = (bytes: Buffer, at: number) =>
  bytes.readUInt32LE(at) * 2 ** 20 + (Math.imul(bytes.readUInt32LE(at + 4), 0x9e37_79b1) >>> 12);

/** Finds many needles in one pass. */
export class Finder {
  readonly #needles = new Map<number, Needle[]>();
  /** Which first two bytes any needle has. */
  readonly #begins = new Uint8Array(2 ** 16);
  readonly longest: number;

  constructor(needles: readonly Needle[]) {
    for (const needle of needles) {
      if (needle.bytes.length < KEY) throw new Error(`A needle of ${needle.plant} is too short.`);
      const key = keyAt(needle.bytes, 0);
      const alike = this.#needles.get(key);
      if (alike) alike.push(needle);
      else this.#needles.set(key, [needle]);
      this.#begins[needle.bytes.readUInt16LE(0)] = 1;
    }
    this.longest = needles.reduce((longest, { bytes }) => Math.max(longest, bytes.length), KEY);
  }

  find(bytes: Buffer, onFound: (needle: Needle, at: number) => void): void {
    const begins = this.#begins;
    const end = bytes.length - KEY + 1;
    for (let at = 0; at < end; at += 1) {
      if (begins[(bytes[at] as number) | ((bytes[at + 1] as number) << 8)] === 0) continue;
      for (const needle of this.#needles.get(keyAt(bytes, at)) ?? []) {
        const { length } = needle.bytes;
        if (at + length <= bytes.length && bytes.compare(needle.bytes, 0, length, at, at + length) === 0)
          onFound(needle, at);
      }
    }
  }
}
