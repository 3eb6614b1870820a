import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { ZipDownloadBody } from '@indbakke/shared/api';
import { goesOut, type Outgoing, openingOf, requireContent, scanOf } from '@indbakke/shared/inbox';
import type { Parts } from '@indbakke/shared/service';
import { COVER_SHEET, isLeftOut, nameFiles, ORIGINALS, storedFiles, Zip, type ZipFile } from '@indbakke/shared/zip';
import { writeCoverSheet } from './cover-sheet.js';
import type { MessageToZip } from './message-to-zip.js';

/** What a zip has of a message beside its main document and attachments. */
export interface ZipParts extends Outgoing {
  /** The cover sheet, with or without whole CPR numbers. */
  readonly cover: 'masked' | 'full' | undefined;
  /** The XML as it arrived, without the contents of its files. */
  readonly original: boolean;
  /** Of the name of a file; see nameFiles. */
  readonly maxUnits?: number;
}

type Asked = Pick<ZipDownloadBody, 'include' | 'cover'>;

/** What a caller asks for, for the audit log. */
export function detailsOfZip({ include, cover }: Asked): Record<string, string> {
  return { ...(include.length > 0 && { include: include.join(' ') }), ...(cover && { cover }) };
}

/** The same, as parts of a zip. */
export function partsOfZip({ include, cover }: Asked): ZipParts {
  return {
    cover: include.includes('cover') ? (cover ?? 'masked') : undefined,
    technical: include.includes('technical'),
    original: include.includes('original'),
  };
}

/**
 * A message as a zip: the main document at the top, attachments under `bilag/`, and what is asked for beside them, technical
 * documents and the original under `teknisk/`. Files that are not stored, or unsafe (may-open.ts), are only named in the cover sheet,
 * which it then has also when it is not asked for.
 *
 * Its stream fails with a Problem when a content fails verification, so a zip that ends is complete.
 *
 * @throws Problem file-held when a file is not scanned yet; content-gone when the content has been removed; content-damaged when it fails verification at its beginning
 *   or end
 */
export async function zipMessage(
  parts: Pick<Parts, 'blobs' | 'keys' | 'scanning'>,
  message: MessageToZip,
  wanted: ZipParts,
): Promise<Zip> {
  return new Zip(await filesOf(parts, message, wanted));
}

/** What a zip has of a message; see zipMessage. */
export async function filesOf(
  parts: Pick<Parts, 'blobs' | 'keys' | 'scanning'>,
  message: MessageToZip,
  wanted: ZipParts,
): Promise<ZipFile[]> {
  requireContent(message);
  const { cover, original, maxUnits } = wanted;
  const files = nameFiles(message, maxUnits).filter((file) => goesOut(wanted, file));
  const made = (name: string, bytes: Buffer) => inMemory(name, bytes, message.receivedAt);
  const leftOut = new Map(
    files.filter(({ file }) => isLeftOut(parts, file)).map(({ file }) => [file.id, scanOf(parts.scanning, file)]),
  );
  const isWhole = files.every(({ file }) => file.status === 'stored' && !leftOut.has(file.id));
  // Whoever gets a zip that lacks a file must be able to see that.
  const sheet = cover ?? (isWhole ? undefined : 'masked');
  return [
    ...(sheet ? [made(COVER_SHEET, await writeCoverSheet(message, files, leftOut, sheet === 'full'))] : []),
    ...(await storedFiles(parts, message, files)),
    ...(original && message.original ? [made(ORIGINALS[message.channel], message.original)] : []),
  ];
}

/** The ids of the files whose contents are in what filesOf returns. */
export function idsOfFiles(
  { scanning }: Pick<Parts, 'scanning'>,
  { documents }: MessageToZip,
  wanted: Outgoing,
): string[] {
  return documents
    .filter((document) => goesOut(wanted, document))
    .flatMap(({ files }) => files)
    .filter((file) => file.status === 'stored' && openingOf(scanning, file) === 'open')
    .map(({ id }) => id);
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

// Remarks of shared/src/memo on what only the original contains.
const ONLY_IN_ORIGINAL = new Set(['unknown-element', 'repeated-element', 'unexpected-text', 'more-remarks']);

/**
 * Whether the original contains more than the documents and the cover sheet show. That of Fordelingskomponenten does: what a form
 * has beside its content, and who registered what and when.
 */
export function needsOriginal({ channel, remarks }: MessageToZip): boolean {
  return channel === 'sf2900' || remarks.some(({ code }) => ONLY_IN_ORIGINAL.has(code));
}
