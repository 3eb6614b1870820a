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

/** The character of a numeric reference such as `#65` or `#x41`, undefined when it is not one. */
export function referencedCharacter(reference: string): string | undefined {
  const digits = /^#(?:([0-9]+)|x([0-9a-fA-F]+))$/.exec(reference);
  if (!digits) return undefined;
  const code = digits[1] === undefined ? Number.parseInt(digits[2] as string, 16) : Number.parseInt(digits[1], 10);
  return code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}

/** Text as the value of an attribute in double quotes. */
export function escapeAttribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
