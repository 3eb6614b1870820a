/**
 * How bytes that are labelled with an encoding relate to UTF-8:
 *
 * - `utf-8`: they are.
 * - `as-ascii`: they mean the same in UTF-8 as long as all of them are ASCII.
 * - `wide`: each character takes two or four bytes, so XML that begins with the one byte `<` is labelled wrongly.
 * - `unknown`: nothing is known.
 */
export type Encoding = 'utf-8' | 'as-ascii' | 'wide' | 'unknown';

// IANA, character sets: names of US-ASCII, and code pages with ASCII as their lower half, that TextDecoder does not know.
const AS_ASCII =
  /^(?:646|us|(?:iso[-_]?)?646[-_]us|iso-ir-6|iso_646\.irv:1991|ansi_x3\.4-1986|csascii|(?:ibm|cp)-?(?:367|437|850|858|865))$/;
const WIDE = /^(?:utf|ucs|iso-10646-ucs)-?(?:16|32|2|4)/;

/** @param label as in an XML declaration or a charset; case does not matter */
export function encodingOf(label: string): Encoding {
  const name = label.trim().toLowerCase();
  // Java and Python also write ISO8859_1 and latin-1.
  const isoOrLatin = /^(?:iso|latin)/.test(name) ? [name.replace(/[-_]/g, '')] : [];
  for (const spelling of [name, name.replaceAll('_', '-'), ...isoOrLatin]) {
    if (AS_ASCII.test(spelling)) return 'as-ascii';
    if (WIDE.test(spelling)) return 'wide';
    const encoding = nameByTextDecoder(spelling);
    if (encoding !== undefined)
      return encoding === 'utf-8' ? encoding : encoding.startsWith('utf-16') ? 'wide' : 'as-ascii';
  }
  return 'unknown';
}

/** Of the encodings that browsers know all but UTF-16 have ASCII as their lower half (WHATWG, Encoding). */
function nameByTextDecoder(label: string): string | undefined {
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return undefined;
  }
}
