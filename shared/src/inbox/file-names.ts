// Digital Post forbids these in new mail (DIGVAL, production since 10 September 2025); older mail may hold them. Added:
// control characters, and the marks that turn the direction of writing, with which fdp.exe shows as exe.pdf.
const FORBIDDEN = /[<>:"/\\|?*\p{Cc}\p{Cf}\u00a0\u2000-\u200a\u2028\u2029\u205f\u2060\u3000]+/gu;
// Windows keeps these for devices, with any extension.
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/i;
// 255 bytes is the limit of most file systems; letters such as æ take two. Room is left for a folder prefix and a number.
const MAX_LENGTH = 100;
// What is longer is cut before it is looked at. MeMo 1.2, Text has 256.
const LONGEST_GIVEN = 1_000;

/**
 * A file name that is safe to offer and to unpack on any system, as near to the given one as can be: never a path, never
 * empty, never reserved, at most 100 characters with its extension kept.
 */
export function safeFileName(name: string): string {
  const cleaned = trimDots(shorten(name, LONGEST_GIVEN).normalize('NFC').replace(FORBIDDEN, '_'));
  const unreserved = cleaned.replace(RESERVED, '_$1') || 'fil';
  return shorten(unreserved, MAX_LENGTH);
}

/** A name cut to so many characters, its extension kept. */
function shorten(name: string, length: number): string {
  if (name.length <= length) return name;
  const { stem, extension } = splitExtension(name);
  return trimDots(cut(stem, length - extension.length)) + extension;
}

/** Without the dots and spaces around it. By hand: a regular expression takes quadratic time on a long run of them inside. */
function trimDots(name: string): string {
  const isTrimmed = (at: number) => name[at] === '.' || name[at] === ' ';
  let [start, end] = [0, name.length];
  while (start < end && isTrimmed(start)) start += 1;
  while (end > start && isTrimmed(end - 1)) end -= 1;
  return name.slice(start, end);
}

/** `extension` has its dot and is at most eleven characters long; empty without one. */
export function splitExtension(name: string): { stem: string; extension: string } {
  const extension = /\.[^.]{1,10}$/.exec(name)?.[0] ?? '';
  return { stem: name.slice(0, name.length - extension.length), extension };
}

/** At most `length` UTF-16 units, never half of a character. */
function cut(text: string, length: number): string {
  let kept = '';
  for (const character of text) {
    if (kept.length + character.length > length) break;
    kept += character;
  }
  return kept;
}
