/** XML 1.0, production 3. Other spaces, such as U+00A0, are text. */
export function isSpace(code: number): boolean {
  return code <= 0x20 && (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09);
}

/** Whether a text is empty or only white space. */
export function isBlank(text: string): boolean {
  return trimSpace(text) === '';
}

/** A text without the white space around it. */
export function trimSpace(text: string): string {
  let [start, end] = [0, text.length];
  // Not a regular expression: it would take quadratic time on a long run of spaces in the middle.
  while (start < end && isSpace(text.charCodeAt(start))) start += 1;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}
