// Invisible, and able to deceive: direction marks make fdp.exe look like exe.pdf, and a name could consist of nothing else.
// Joiners (ZWNJ, ZWJ) and variation selectors belong to the spelling of Persian and Indic names, and of emoji. The
// annotation marks are invisible too, though Unicode does not call them ignorable (UAX #44, Default_Ignorable_Code_Point).
const INVISIBLE = /(?!\p{Join_Control}|\p{Variation_Selector})\p{Default_Ignorable_Code_Point}|[\ufff9-\ufffb]/gu;
// Digital Post forbids these in new messages (DIGVAL, production since 10 September 2025); older ones may contain them. In
// addition: control characters.
const FORBIDDEN = /[<>:"/\\|?*\p{Cc}\u00a0\u1680\u2000-\u200a\u2028\u2029\u205f\u3000]+/gu;
// Windows reserves these for devices, with any extension, and ignores spaces before it.
// https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file
const RESERVED = /^(con|prn|aux|nul|(com|lpt)[\d¹²³]|conin\$|conout\$)(?= *(\.|$))/i;
const INVISIBLE_START = /^(?:[. ]|\p{Join_Control}|\p{Variation_Selector})+/u;
// Longer names are cut first. MeMo 1.2, Text has 256.
const MAX_GIVEN = { units: 1_000, bytes: 4_000 };
// A path on Windows has at most 260 UTF-16 units, and a name at most 255 bytes on most other systems, where a letter takes up
// to four. Room is left for folders and for a number that makes the name unique.
const MAX = { units: 100, bytes: 240 };

/**
 * A file name that is safe to offer and unpack on any system, as close to the given one as possible: in Unicode’s NFC, never
 * a path, empty, invisible or reserved; up to 100 UTF-16 units and 241 bytes of UTF-8, extension included.
 *
 * @param maxUnits fewer UTF-16 units, where the name is part of a longer path
 */
export function safeFileName(name: string, maxUnits = MAX.units): string {
  const cleaned = clean(shorten(name, MAX_GIVEN));
  // Again after it is shortened, which may cut off what followed a reserved name.
  return unreserved(shorten(unreserved(cleaned) || 'fil', { ...MAX, units: maxUnits }));
}

/** A text as part of the name of a folder, safe in the same ways; it may be empty. */
export function safeNamePart(text: string, maxUnits: number): string {
  return trim(cut(clean(cut(text, MAX_GIVEN)), { ...MAX, units: maxUnits }));
}

/** What file systems that ignore case, normal form or invisible characters compare. */
export function comparableName(name: string): string {
  return name
    .replaceAll(/\p{Default_Ignorable_Code_Point}/gu, '')
    .toUpperCase() // first, as ß and SS are the same
    .toLowerCase()
    .normalize('NFC');
}

/** `extension` includes the dot and has up to eleven characters; '' if there is none. */
export function splitExtension(name: string): { stem: string; extension: string } {
  const extension = /\.[^.]{1,10}$/.exec(name)?.[0] ?? '';
  return { stem: name.slice(0, name.length - extension.length), extension };
}

/** A text without characters that are invisible and able to deceive. */
export function withoutInvisible(text: string): string {
  return text.replace(INVISIBLE, '');
}

function clean(name: string): string {
  return trim(withoutInvisible(name).normalize('NFC').replace(FORBIDDEN, '_'));
}

function unreserved(name: string): string {
  return name.replace(RESERVED, '_$&');
}

/** Trims what is invisible at the start, and dots, spaces and joiners at the end. */
function trim(name: string): string {
  // Not with a regular expression, which takes quadratic time on a long run of them inside.
  let end = name.length;
  while (end > 0 && '. \u200c\u200d'.includes(name[end - 1] as string)) end -= 1;
  return name.slice(0, end).replace(INVISIBLE_START, '');
}

interface Length {
  readonly units: number;
  readonly bytes: number;
}

const lengthOf = (text: string): Length => ({ units: text.length, bytes: Buffer.byteLength(text) });

/** A name cut to `max`, extension included. */
function shorten(name: string, max: Length): string {
  const { units, bytes } = lengthOf(name);
  if (units <= max.units && bytes <= max.bytes) return name;
  const { stem, extension } = splitExtension(name);
  const taken = lengthOf(extension);
  return trim(cut(stem, { units: max.units - taken.units, bytes: max.bytes - taken.bytes })) + extension;
}

const letters = new Intl.Segmenter('da', { granularity: 'grapheme' });

/** As many characters as fit, without the last letter if one of its marks does not (unless it is the only one). */
function cut(text: string, max: Length): string {
  const head = takeFitting(text, max);
  const next = text.codePointAt(head.length);
  if (next === undefined) return head;
  // Of the text only these characters: to segment a long one takes seconds.
  const last = letters.segment(head + String.fromCodePoint(next)).containing(head.length);
  return head.slice(0, last?.index) || head;
}

function takeFitting(text: string, max: Length): string {
  let kept = '';
  let bytes = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (kept.length + character.length > max.units || bytes > max.bytes) break;
    kept += character;
  }
  return kept;
}
