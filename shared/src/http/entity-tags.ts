// What proxies append to an entity tag whose content they compress: Apache `-gzip` and `-br`, Jetty `--gzip`, others `;gzip`.
const COMPRESSED = /[-;]{1,2}(?:gzip|br|zstd|deflate)$/i;

/**
 * Whether If-None-Match names this content: by weak comparison, so a tag that a compressing proxy changed counts too
 * (RFC 9110, 8.8.3.2 and 13.1.2).
 *
 * @param etag with its quotes, as sent in ETag
 */
export function namesContent(header: string, etag: string): boolean {
  return header.trim() === '*' || tagsIn(header).some((tag) => plain(tag) === plain(etag));
}

/** The same for If-Match: by strong comparison, as the bytes must be the same ones (RFC 9110, 13.1.1). */
export function namesSameBytes(header: string, etag: string): boolean {
  return header.trim() === '*' || tagsIn(header).includes(etag);
}

/**
 * The version that If-Match names: `"3"`, with or without quotes, also as a compressing proxy changed it (`W/"3"`,
 * `"3-gzip"`). A version is of the message, not of its bytes. Undefined when it is not one version.
 */
export function versionIn(header: string): number | undefined {
  const version = plain(header.trim());
  return /^[1-9]\d{0,8}$/.test(version) ? Number(version) : undefined;
}

/** RFC 9110, 8.8.3: a tag may contain a comma, so the list cannot be split at commas. */
function tagsIn(header: string): readonly string[] {
  return header.match(/(?:W\/)?"[^"]*"/g) ?? [];
}

/** A tag without quotes, weakness and the mark of a compressing proxy. */
function plain(tag: string): string {
  return tag
    .replace(/^W\//i, '')
    .replace(/^"(.*)"$/, '$1')
    .replace(COMPRESSED, '');
}
