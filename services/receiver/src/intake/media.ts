import type { IncomingFile } from './incoming-message.js';

// Containers and formats of sound or video without audio/ or video/ in their name (RFC 5334, RFC 4337, RFC 4539).
const MEDIA_TYPE = /^(audio\/|video\/|application\/(ogg|mp4|mxf|vnd\.ms-asf|vnd\.rn-realmedia)$)/;
/** Types that say nothing: the name of the file tells more. */
const UNKNOWN_TYPES = ['', 'application/octet-stream'];
const MEDIA_NAME =
  /\.(mp3|m4a|aac|wav|wma|ogg|oga|opus|flac|amr|aif|aiff|caf|3ga|mp4|m4v|mov|avi|wmv|mpg|mpeg|mkv|webm|ogv|3gp|3g2|flv|mts|m2ts)$/i;

/** Whether a file claims or shows to be sound or video, which one must not overlook on a page of text. */
export function isMedia(file: Pick<IncomingFile, 'encodingFormat' | 'detectedFormat' | 'fileName'>): boolean {
  const [claimed, shown] = [essenceOf(file.encodingFormat), essenceOf(file.detectedFormat ?? '')];
  if (MEDIA_TYPE.test(claimed) || MEDIA_TYPE.test(shown)) return true;
  return shown === '' && UNKNOWN_TYPES.includes(claimed) && MEDIA_NAME.test(file.fileName.trim());
}

/** A MIME type without parameters. */
function essenceOf(type: string): string {
  return (type.split(';', 1)[0] as string).trim().toLowerCase();
}
