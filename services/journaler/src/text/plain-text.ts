import { MiB } from '@indbakke/shared/config';
import { withoutInvisible } from '@indbakke/shared/inbox';
import { decodeText } from './decode.js';
import { textOfHtml } from './html-text.js';

/** So much of a file is read. */
export const MAX_BYTES = 1 * MiB;
/** So much text is answered, in UTF-16 units. */
export const MAX_TEXT = 100_000;

export interface PlainText {
  readonly text: string;
  readonly isTruncated: boolean;
}

/**
 * The text of a plain text or HTML file, safe to show as text. Never fails.
 *
 * @param bytes the first MAX_BYTES of the file, or all of it
 */
export function plainTextOf(
  bytes: Buffer,
  file: { readonly isHtml: boolean; readonly charset: string | undefined; readonly size: number },
): PlainText {
  const decoded = decodeText(bytes, file.charset);
  const isHtml = file.isHtml || /^\s*<(!doctype html|html)\b/i.test(decoded);
  const { text, isWhole } = isHtml ? textOfHtml(decoded, MAX_TEXT) : { text: decoded, isWhole: true };
  const shown = printable(text);
  return {
    text: shown.length <= MAX_TEXT ? shown : shown.slice(0, MAX_TEXT).replace(/\p{Surrogate}$/u, ''),
    isTruncated: shown.length > MAX_TEXT || !isWhole || bytes.length < file.size,
  };
}

/** Without characters that control a terminal, or deceive about what is written; line ends as `\n`. */
function printable(text: string): string {
  return withoutInvisible(text)
    .replace(/\r\n?|[\v\f\x85\u2028\u2029]/g, '\n')
    .replace(/[^\P{Cc}\n\t]/gu, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}
