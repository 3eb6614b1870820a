import type { Readable } from 'node:stream';
import { openContent } from '@indbakke/shared/inbox';
import type { Parts } from '@indbakke/shared/service';
import { ZipArchive } from 'archiver';
import './crc32.js';
import { writeCoverNote } from './cover-note.js';
import type { MessageToZip } from './message-to-zip.js';
import { COVER_NOTE, nameEntries, ORIGINAL } from './name-entries.js';

// Compressing PDFs and images takes seven times as long and saves nothing; text shrinks well.
const COMPRESSIBLE = /^(text\/|application\/(xml|json))/i;

/**
 * Streams all files of a message as a zip: the cover note and the main document at the top, attachments under `bilag/`,
 * technical documents under `teknisk/`. Files that are not stored are only named in the cover note. The original XML is
 * included when it contains more than the documents show.
 *
 * The stream fails with a Problem when a content fails verification, so a zip that ends is complete.
 *
 * @throws Problem content-gone when the content has been removed
 */
export async function zipMessage(parts: Pick<Parts, 'blobs' | 'keys'>, message: MessageToZip): Promise<Readable> {
  const entries = nameEntries(message);
  const isStored = entries.some(({ file }) => file.status === 'stored');
  const content = isStored ? await openContent(parts, message) : undefined;
  const archive = new ZipArchive({ zlib: { level: 1 } });
  // Otherwise a failing content would end the process, and a warning would silently leave a file out.
  const fail = (error: Error) => archive.destroy(error);
  archive.on('warning', fail);
  // archiver does not close the content that it is reading when the caller disconnects.
  let reading: Readable | undefined;
  archive.once('close', () => reading?.destroy());

  void addOneByOne();
  return archive;

  async function addOneByOne(): Promise<void> {
    try {
      await add(writeCoverNote(message, entries), { name: COVER_NOTE });
      if (message.original && needsOriginal(message)) await add(message.original, { name: ORIGINAL });
      for (const { file, name } of entries) {
        if (archive.destroyed) return; // the caller has gone, and nothing would close what is opened now
        if (!content || file.status !== 'stored') continue;
        reading = content.open(file).once('error', fail);
        await add(reading, { name, store: !COMPRESSIBLE.test(file.encodingFormat) });
      }
      await archive.finalize();
    } catch (error) {
      fail(error as Error);
    }
  }

  /** Resolves when the entry is in the zip, so that only one content is open at a time. */
  function add(source: Readable | Buffer | string, entry: { name: string; store?: boolean }): Promise<void> {
    const added = new Promise<void>((resolve) => archive.once('entry', () => resolve()));
    archive.append(source, { ...entry, date: message.receivedAt });
    return added;
  }
}

// Remarks of shared/src/memo on what only the original contains.
const ONLY_IN_ORIGINAL = new Set(['unknown-element', 'repeated-element', 'unexpected-text', 'more-remarks']);

function needsOriginal({ remarks }: MessageToZip): boolean {
  return remarks.some(({ code }) => ONLY_IN_ORIGINAL.has(code));
}
