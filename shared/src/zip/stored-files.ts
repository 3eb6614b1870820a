import { buffer } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import {
  type ContentReader,
  type Openable,
  openContent,
  openingOf,
  requireOpen,
  type SealedRow,
  type StoredFile,
} from '../inbox/index.js';
import type { Parts } from '../service/index.js';
import type { NamedFile } from './name-files.js';
import type { ZipFile } from './zip.js';

interface ZipParts extends Pick<Parts, 'blobs' | 'keys' | 'scanning'> {}

/** What there must be of a message for its files to be zipped. */
type MessageWithFiles = SealedRow & { readonly receivedAt: Date };

/**
 * Those of the files that are stored and safe, for a zip; isLeftOut tells the others. None is read but as the zip is.
 *
 * @throws Problem file-held when one is not scanned yet; content-gone, content-damaged when the content fails verification at its end
 */
export async function storedFiles(
  parts: ZipParts,
  message: MessageWithFiles,
  files: readonly NamedFile[],
): Promise<ZipFile[]> {
  const stored = files
    .filter(({ file }) => file.status === 'stored' && !isLeftOut(parts, file))
    .map(({ name, file }) => ({ name, file: requireOpen(parts.scanning, file) }));
  const last = stored.at(-1)?.file;
  if (!last) return [];
  const content = await openContent(parts, message);
  // Verifies the last segment, so what is gone or cut off is refused before the first byte.
  await buffer(content.open(last, { start: last.size, end: last.size }));
  const zipFiles: ZipFile[] = [];
  for (const { name, file } of stored) {
    zipFiles.push({
      name,
      size: file.size,
      crc32: await crc32Of(file, content),
      sha256: Buffer.from(file.sha256 ?? '', 'hex'),
      modifiedAt: message.receivedAt,
      open: (range) => content.open(file, range),
    });
  }
  return zipFiles;
}

/** Whether the scan keeps a stored file out of every zip. */
export function isLeftOut({ scanning }: Pick<Parts, 'scanning'>, file: StoredFile): boolean {
  return file.status === 'stored' && openingOf(scanning, file) === 'unsafe';
}

/** As kept at intake. A file that was stored before it was kept is read once more. */
async function crc32Of(file: Openable<StoredFile>, content: ContentReader): Promise<number> {
  if (file.crc32 !== null) return file.crc32;
  let sum = 0;
  for await (const bytes of content.open(file)) sum = crc32(bytes, sum);
  return sum;
}
