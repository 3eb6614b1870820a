import { Problem } from '../errors/index.js';

// A `&` that begins neither a character reference nor one of XML's five entities, nor may still become one when cut off.
const FOREIGN = /&(?!(?:amp|lt|gt|quot|apos|#[0-9]+|#x[0-9a-fA-F]+);|#?\w*$)/;
const ENTITY = /^&[^ \t\r\n&<;#]+;/;

/** What is wrong with the first invalid reference in a text; undefined when all are valid. */
export function faultOfReference(text: string, path: string): Problem | undefined {
  const found = FOREIGN.exec(text);
  if (!found) return undefined;
  if (ENTITY.test(text.slice(found.index))) {
    return new Problem('forbidden-xml', "An entity other than XML's five is used.", { path });
  }
  return new Problem('not-xml', 'An ampersand is not escaped. Write it as &amp;.', { path });
}

const [HASH, SMALL_X] = ['#'.charCodeAt(0), 'x'.charCodeAt(0)];
/** `#x41` or `#65` with some leading zeros. */
const MAX_REFERENCE = 16;

/** A numeric reference such as `&#65;` or `&#x41;` (XML 1.0, production 66), read byte by byte without its `&` and `;`. */
export class CharacterReference {
  private length = 0;
  private digits = 0;
  private base = 10;
  private code = 0;

  begin(): void {
    this.length = 0;
    this.digits = 0;
    this.base = 10;
    this.code = 0;
  }

  /** @returns false when it is not such a reference */
  take(byte: number): boolean {
    this.length += 1;
    if (this.length === 1) return byte === HASH;
    if (this.length === 2 && byte === SMALL_X) {
      this.base = 16;
      return true;
    }
    const digit = digitOf(byte);
    this.digits += 1;
    this.code = this.code * this.base + digit;
    return digit < this.base && this.length < MAX_REFERENCE;
  }

  /** @returns the code point that it refers to; -1 when it has no digits */
  end(): number {
    return this.digits > 0 ? this.code : -1;
  }
}

/** Of a decimal or hexadecimal digit its value, else one beyond both bases. */
function digitOf(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20; // in lower case
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : 16;
}

/** Text as the value of an attribute in double quotes. */
export function escapeAttribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
