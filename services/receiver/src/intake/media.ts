// Types of sound and video without audio/ or video/ in their name: both containers hold either (RFC 5334, RFC 4337).
const CONTAINERS = ['application/ogg', 'application/mp4'];
/** Types that say nothing: the name of the file tells more. */
const UNKNOWN_TYPES = ['', 'application/octet-stream'];
const MEDIA_NAME =
  /\.(mp3|m4a|aac|wav|wma|ogg|oga|opus|flac|amr|aif|aiff|caf|3ga|mp4|m4v|mov|avi|wmv|mpg|mpeg|mkv|webm|ogv|3gp|3g2|flv|mts|m2ts)$/i;

/**
 * Whether a file is sound or video, which one must not overlook on a page of text.
 *
 * @param type a MIME type, with or without parameters
 */
export function isMedia(type: string, fileName: string): boolean {
  const [essence = ''] = type
    .toLowerCase()
    .split(';', 1)
    .map((part) => part.trim());
  if (UNKNOWN_TYPES.includes(essence)) return MEDIA_NAME.test(fileName.trim());
  return /^(audio|video)\//.test(essence) || CONTAINERS.includes(essence);
}
