/** `multipart/form-data` and the like: without parameters, in lower case; '' when there is none. */
export function mediaTypeOf(contentType: string | undefined): string {
  return /^\s*([^;,\s]*)/.exec(contentType ?? '')?.[1]?.toLowerCase() ?? '';
}

/**
 * The charset, if there is one; of several the first. In double quotes, or in apostrophes and with spaces around the `=`,
 * which some clients write.
 */
export function charsetOf(contentType: string | undefined): string | undefined {
  // Whole parameters, since the value of another one, such as SOAP's action, may contain anything (RFC 9110, 5.6.6).
  for (const [, name, value = ''] of (contentType ?? '').matchAll(/;\s*([^=;\s]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)/g)) {
    const charset = value.replace(/["'\\\s]/g, '');
    if (name?.toLowerCase() === 'charset' && charset !== '') return charset;
  }
  return undefined;
}
