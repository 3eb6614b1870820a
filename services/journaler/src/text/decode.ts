/**
 * The text of a plain text or HTML file, whatever its encoding, by the first of these that fits: a byte order mark; UTF-8, which
 * no other text with æ, ø or å is by chance; the encoding that is declared; windows-1252. Never fails.
 *
 * @param bytes may end inside a character
 * @param declared the charset by the file’s type, if it names one
 */
export function decodeText(bytes: Buffer, declared: string | undefined): string {
  const label = markedEncoding(bytes) ?? 'utf-8';
  const text = decodeAs(label, bytes, true) ?? decodeAs(declared ?? metaCharset(bytes), bytes);
  return text ?? fromWindows1252(bytes);
}

function markedEncoding(bytes: Buffer): string | undefined {
  const mark = bytes.toString('hex', 0, 2);
  return mark === 'fffe' ? 'utf-16le' : mark === 'feff' ? 'utf-16be' : undefined;
}

/** @returns undefined when the encoding is unknown, or not that of the bytes */
function decodeAs(label: string | undefined, bytes: Buffer, fatal = false): string | undefined {
  if (label === undefined || (!fatal && LATIN_1.test(label))) return undefined;
  try {
    return new TextDecoder(label, { fatal }).decode(bytes, { stream: true });
  } catch {
    return undefined;
  }
}

/** HTML’s own declaration is within the first 1024 bytes (HTML Living Standard, 4.2.5.4). */
function metaCharset(bytes: Buffer): string | undefined {
  return /<meta\b[^>]*\bcharset\s*=\s*["']?\s*([\w.:-]+)/i.exec(bytes.toString('latin1', 0, 1024))?.[1];
}

// In the web these are all windows-1252 (WHATWG Encoding, 4.2). UTF-8 was tried before, and failed.
const LATIN_1 =
  /^(utf-?8|utf-16.*|unicode.*|(us-)?ascii|(windows-|cp)?125[24]?|(iso-?)?8859-?1|iso_8859-1|latin-?1|l1)$/i;

// Bytes 0x80 to 0x9f, where ISO 8859-1 has controls. Node 20 decodes windows-1252 like ISO 8859-1 (nodejs/node#56542).
const WINDOWS_1252 = '€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ';

function fromWindows1252(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/[\x80-\x9f]/g, (byte) => WINDOWS_1252.charAt(byte.charCodeAt(0) - 0x80));
}
