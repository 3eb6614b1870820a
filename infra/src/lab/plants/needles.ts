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

// Many needles begin alike: numbers, and what is escaped. So they are known by their last eight bytes.
const KEY = 8;
const SEEN_BITS = 22;
/** Where the table of ends has them, which may have others there too. */
const placeOf = (low: number, high: number) =>
  (Math.imul(low, 0x85eb_ca6b) ^ Math.imul(high, 0x9e37_79b1)) >>> (32 - SEEN_BITS);
const keyOf = (low: number, high: number) => `${low} ${high}`;

/** Finds many needles in one pass. */
export class Finder {
  readonly #needles = new Map<string, Needle[]>();
  readonly #ends = new Uint8Array(2 ** SEEN_BITS);
  readonly longest: number;

  constructor(needles: readonly Needle[]) {
    for (const needle of needles) {
      if (needle.bytes.length < KEY) throw new Error(`A needle of ${needle.plant} is too short.`);
      const end = needle.bytes.subarray(-KEY);
      const [low, high] = [end.readInt32LE(0), end.readInt32LE(4)];
      const alike = this.#needles.get(keyOf(low, high));
      if (alike) alike.push(needle);
      else this.#needles.set(keyOf(low, high), [needle]);
      this.#ends[placeOf(low, high)] = 1;
    }
    this.longest = needles.reduce((longest, { bytes }) => Math.max(longest, bytes.length), KEY);
  }

  find(bytes: Buffer, onFound: (needle: Needle, at: number) => void): void {
    if (bytes.length < KEY) return;
    const ends = this.#ends;
    let [low, high] = [bytes.readInt32LE(0), bytes.readInt32LE(4)];
    for (let at = 0; ; at += 1) {
      if (ends[placeOf(low, high)] === 1) {
        for (const needle of this.#needles.get(keyOf(low, high)) ?? []) {
          const start = at + KEY - needle.bytes.length;
          if (start >= 0 && bytes.compare(needle.bytes, 0, needle.bytes.length, start, at + KEY) === 0)
            onFound(needle, start);
        }
      }
      if (at + KEY >= bytes.length) return;
      low = (low >>> 8) | (high << 24);
      high = (high >>> 8) | ((bytes[at + KEY] as number) << 24);
    }
  }
}
