import { fileTypeFromBuffer } from 'file-type/core';
import { KiB } from '../config/index.js';

/** Enough for every signature but the few far inside an archive or a disk image. */
export const HEAD_BYTES = 4 * KiB;

/**
 * The MIME type that the first bytes of a file show, in lower case; null when they show none: text, CSV and HTML have no
 * signature.
 *
 * @param head the first HEAD_BYTES of the file, or all of a shorter one
 */
export async function detectFormat(head: Uint8Array): Promise<string | null> {
  // Most files are PDF, to which file-type comes late.
  if (PDF_HEADER.every((byte, index) => head[index] === byte)) return 'application/pdf';
  // It throws on some broken archives; a message is not refused for one.
  const found = await fileTypeFromBuffer(head).catch(() => undefined);
  const format = found?.mime.toLowerCase() ?? null;
  if (format !== null && (TEXTUAL.test(format) || !isText(head))) return format;
  const text = Buffer.from(head).toString('latin1', 0, KiB);
  return ALSO_SHOWN.find(([signature]) => signature.test(text))?.[1] ?? null;
}

const PDF_HEADER = Buffer.from('%PDF-');

/** What file-type does not see. */
const ALSO_SHOWN: readonly (readonly [signature: RegExp, format: string])[] = [
  // ISO 32000-1, Annex H, implementation note 13: readers accept a header within the first 1024 bytes.
  [/%PDF-\d\.\d/, 'application/pdf'],
  // Its index, where file-type looks for a kind of TIFF, is often last.
  [/^(II\*\0|MM\0\*)/, 'image/tiff'],
];

/** Types whose files may be text throughout. */
const TEXTUAL = /^(text\/|application\/(pdf|rtf|xml|eps|postscript|pgp-encrypted|x-ms-regedit)$)/;

// https://mimesniff.spec.whatwg.org/#binary-data-byte
const isBinary = (byte: number) => byte < 0x20 && !(byte === 0x1b || (byte >= 0x09 && byte <= 0x0d && byte !== 0x0b));

/**
 * Whether there is nothing in it but text. Short signatures are words too: a letter may begin with BM, MZ or GIF, and the byte
 * order mark of UTF-16 is a frame of MP3.
 */
function isText(head: Uint8Array): boolean {
  const isUtf16 = (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff);
  return isUtf16 || !head.some(isBinary);
}
