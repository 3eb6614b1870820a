// Digital Post forbids these in new messages (DIGVAL, production since 10 September 2025); older ones may contain them. In
// addition: control characters, and direction marks, which make fdp.exe look like exe.pdf.
const FORBIDDEN = /[<>:"/\\|?*\p{Cc}\p{Cf}\u00a0\u2000-\u200a\u2028\u2029\u205f\u2060\u3000]+/gu;
// Windows reserves these for devices, with any extension.
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/i;
// 255 bytes is the limit of most file systems; letters such as æ take two. Room is left for a folder prefix and a number.
const MAX_LENGTH = 100;
// Longer names are cut first. MeMo 1.2, Text has 256.
const MAX_GIVEN_LENGTH = 1_000;

/**
 * A file name that is safe to offer and unpack on any system, as close to the given one as possible: never a path, empty or
 * reserved; up to 100 characters, extension included.
 */
export function safeFileName(name: string): string {
  const cleaned = trimDots(shorten(name, MAX_GIVEN_LENGTH).normalize('NFC').replace(FORBIDDEN, '_'));
  const unreserved = cleaned.replace(RESERVED, '_$1') || 'fil';
  return shorten(unreserved, MAX_LENGTH);
}

/** A name cut to `length`, extension included. */
function shorten(name: string, length: number): string {
  if (name.length <= length) return name;
  const { stem, extension } = splitExtension(name);
  return trimDots(cut(stem, length - extension.length)) + extension;
}

/** Trims dots and spaces. Not with a regular expression, which takes quadratic time on a long run of them inside. */
function trimDots(name: string): string {
  const isTrimmed = (at: number) => name[at] === '.' || name[at] === ' ';
  let [start, end] = [0, name.length];
  while (start < end && isTrimmed(start)) start += 1;
  while (end > start && isTrimmed(end - 1)) end -= 1;
  return name.slice(start, end);
}

/** `extension` includes the dot and has up to eleven characters; '' if there is none. */
export function splitExtension(name: string): { stem: string; extension: string } {
  const extension = /\.[^.]{1,10}$/.exec(name)?.[0] ?? '';
  return { stem: name.slice(0, name.length - extension.length), extension };
}

/** Up to `length` UTF-16 units, never half a character. */
function cut(text: string, length: number): string {
  let kept = '';
  for (const character of text) {
    if (kept.length + character.length > length) break;
    kept += character;
  }
  return kept;
}
