import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import { type ContentReader, openContent, type StoredFile } from '@indbakke/shared/inbox';
import type { Parts } from '@indbakke/shared/service';
import { writeCoverNote } from './cover-note.js';
import type { MessageToZip } from './message-to-zip.js';
import { COVER_NOTE, type NamedFile, nameFiles, ORIGINAL } from './name-files.js';
import { Zip, type ZipFile } from './zip.js';

/**
 * All files of a message as a zip: the cover note and the main document at the top, attachments under `bilag/`, technical
 * documents under `teknisk/`. Files that are not stored are only named in the cover note. The original XML is included when it
 * contains more than the documents show.
 *
 * Its stream fails with a Problem when a content fails verification, so a zip that ends is complete.
 *
 * @throws Problem content-gone when the content has been removed; content-damaged when it fails verification at its beginning
 *   or end
 */
export async function zipMessage(parts: Pick<Parts, 'blobs' | 'keys'>, message: MessageToZip): Promise<Zip> {
  return new Zip(await filesOf(parts, message));
}

/** What a zip has of a message; see zipMessage. */
export async function filesOf(parts: Pick<Parts, 'blobs' | 'keys'>, message: MessageToZip): Promise<ZipFile[]> {
  const files = nameFiles(message);
  const note = Buffer.from(writeCoverNote(message, files));
  return [
    inMemory(COVER_NOTE, note, message.receivedAt),
    ...(message.original && needsOriginal(message) ? [inMemory(ORIGINAL, message.original, message.receivedAt)] : []),
    ...(await storedFiles(parts, message, files)),
  ];
}

/** A file whose bytes are here. */
export function inMemory(name: string, bytes: Buffer, modifiedAt: Date): ZipFile {
  return {
    name,
    size: bytes.length,
    crc32: crc32(bytes),
    sha256: createHash('sha256').update(bytes).digest(),
    modifiedAt,
    open: ({ start, end }) => [bytes.subarray(start, end)],
  };
}

async function storedFiles(
  parts: Pick<Parts, 'blobs' | 'keys'>,
  message: MessageToZip,
  files: readonly NamedFile[],
): Promise<ZipFile[]> {
  const stored = files.filter(({ file }) => file.status === 'stored');
  const last = stored.at(-1)?.file;
  if (!last) return [];
  const content = await openContent(parts, message);
  // Verifies the header of the container and the last segment, so what is gone or cut off is refused before the first byte.
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

/** As kept at intake. A file that was stored before it was kept is read once more. */
async function crc32Of(file: StoredFile, content: ContentReader): Promise<number> {
  if (file.crc32 !== null) return file.crc32;
  let sum = 0;
  for await (const bytes of content.open(file)) sum = crc32(bytes, sum);
  return sum;
}

// Remarks of shared/src/memo on what only the original contains.
const ONLY_IN_ORIGINAL = new Set(['unknown-element', 'repeated-element', 'unexpected-text', 'more-remarks']);

function needsOriginal({ remarks }: MessageToZip): boolean {
  return remarks.some(({ code }) => ONLY_IN_ORIGINAL.has(code));
}
