import type { Readable } from 'node:stream';
import type { DocumentAnswer } from '@indbakke/shared/api';
import { openContent, type WholeMessage } from '@indbakke/shared/inbox';
import type { Parts } from '@indbakke/shared/service';
import { ZipArchive } from 'archiver';
import './crc32.js';
import { writeCoverNote } from './cover-note.js';
import { COVER_NOTE, nameEntries, ORIGINAL } from './name-entries.js';

// Deflating what is compressed already (PDF, images) takes seven times as long and saves nothing; text shrinks well.
const SHRINKS = /^(text\/|application\/(xml|json))/i;

/**
 * All files of a message as a zip that streams: the cover note and the main document on top, attachments under `bilag/`,
 * technical documents under `teknisk/`. Files that are not stored are left out and named in the cover note. A message that
 * holds more than its documents show comes with its original XML.
 *
 * The stream fails with a Problem when a content does not verify; a zip that ends is whole.
 *
 * @throws Problem content-gone when the content has been removed
 */
export async function zipMessage(
  parts: Pick<Parts, 'store' | 'blobs' | 'keys'>,
  message: WholeMessage,
  contactPointName: string | null,
): Promise<Readable> {
  const entries = nameEntries(message);
  const isStored = entries.some(({ file }) => file.status === 'stored');
  const content = isStored ? await openContent(parts, message) : undefined;
  const archive = new ZipArchive({ zlib: { level: 1 } });
  // Without these two a failing content would end the process, and a warning would leave a file out in silence.
  const fail = (error: Error) => archive.destroy(error);
  archive.on('warning', fail);
  // A reader who goes away leaves the content that is being read to us.
  let reading: Readable | undefined;
  archive.once('close', () => reading?.destroy());

  void addOneByOne();
  return archive;

  async function addOneByOne(): Promise<void> {
    try {
      await add(writeCoverNote(message, contactPointName, entries), { name: COVER_NOTE });
      if (message.details && leavesOut(message)) await add(Buffer.from(message.details.original), { name: ORIGINAL });
      for (const { file, name } of entries) {
        if (archive.destroyed) return; // the reader has gone: what is opened now, nobody would close
        if (!content || file.status !== 'stored') continue;
        reading = content.open(file).once('error', fail);
        await add(reading, { name, store: !SHRINKS.test(file.encodingFormat) });
      }
      await archive.finalize();
    } catch (error) {
      fail(error as Error);
    }
  }

  /** Resolves when the entry is in the zip: what comes next is opened only then. */
  function add(source: Readable | Buffer | string, entry: { name: string; store?: boolean }): Promise<void> {
    const added = new Promise<void>((resolve) => archive.once('entry', () => resolve()));
    archive.append(source, { ...entry, date: message.receivedAt });
    return added;
  }
}

// Codes of shared/src/memo: what only the original has.
const LEFT_OUT = new Set(['unknown-element', 'repeated-element', 'unexpected-text', 'more-remarks']);

function leavesOut({ remarks }: WholeMessage): boolean {
  return (remarks as DocumentAnswer['remarks']).some(({ code }) => LEFT_OUT.has(code));
}
