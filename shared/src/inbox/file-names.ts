// Digital Post forbids these in new mail (DIGVAL, production since 10 September 2025); older mail may hold them. Added:
// control characters, and the marks that turn the direction of writing, with which fdp.exe shows as exe.pdf.
const FORBIDDEN = /[<>:"/\\|?*\p{Cc}\p{Cf}\u00a0\u2000-\u200a\u2028\u2029\u205f\u2060\u3000]+/gu;
// Windows keeps these for devices, with any extension.
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/i;
// 255 bytes is the limit of most file systems; letters such as æ take two. Room is left for a folder prefix and a number.
const MAX_LENGTH = 100;

/**
 * A file name that is safe to offer and to unpack on any system, as near to the given one as can be: never a path, never
 * empty, never reserved, at most 100 characters with its extension kept.
 */
export function safeFileName(name: string): string {
  const cleaned = name
    .normalize('NFC')
    .replace(FORBIDDEN, '_')
    .replace(/^[. ]+|[. ]+$/g, '');
  const unreserved = cleaned.replace(RESERVED, '_$1') || 'fil';
  if (unreserved.length <= MAX_LENGTH) return unreserved;
  const { stem, extension } = split(unreserved);
  return cut(stem, MAX_LENGTH - extension.length) + extension;
}

/** The same name, or the first of `name (2)`, `name (3)` … that is not in `taken` yet, case aside; adds it. */
export function uniqueFileName(name: string, taken: Set<string>): string {
  const { stem, extension } = split(name);
  let candidate = name;
  for (let n = 2; taken.has(candidate.toLowerCase()); n++) candidate = `${stem} (${n})${extension}`;
  taken.add(candidate.toLowerCase());
  return candidate;
}

function split(name: string): { stem: string; extension: string } {
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
  return kept.trimEnd();
}
