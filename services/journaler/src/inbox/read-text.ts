import { buffer } from 'node:stream/consumers';
import type { Principal } from '@indbakke/shared/access';
import type { TextAnswer } from '@indbakke/shared/api';
import { charsetOf, mediaTypeOf } from '@indbakke/shared/http';
import {
  filesOfMainDocument,
  findMessage,
  isFile,
  openContent,
  requireContent,
  requireOpen,
  SEALED,
  SEALED_TABLES,
  type SealedRow,
  type StoredFile,
} from '@indbakke/shared/inbox';
import type { Parts } from '@indbakke/shared/service';
import { Prisma } from '@indbakke/shared/store';
import { MAX_BYTES, plainTextOf } from '../text/plain-text.js';

interface TextRow extends SealedRow {
  readonly contentRemovedAt: Date | null;
  readonly files: readonly StoredFile[];
  readonly isRecorded: boolean;
}

const { sql } = Prisma;

/**
 * The main document as plain text, after recording in the audit log who read it; null if it is neither text nor HTML.
 *
 * @throws Problem not-found; content-gone, content-damaged; file-held, file-unsafe
 */
export async function readText(parts: Parts, principal: Principal, id: string, at: Date): Promise<TextAnswer> {
  const message = await findWithFiles(parts, principal, id, at);
  requireContent(message);
  const file = readableOf(message.files);
  if (!file) return { fileId: null, text: null, isTruncated: false };

  const openable = requireOpen(parts.scanning, file);
  const content = (await openContent(parts, message)).open(openable, { start: 0, end: Math.min(file.size, MAX_BYTES) });
  const charset = charsetOf(file.encodingFormat);
  const text = plainTextOf(await buffer(content), { isHtml: kindOf(file) === 'html', charset, size: file.size });
  return { fileId: file.id, ...text };
}

/** Records the read only if the text may be read: which of several variants that is, this and no statement says. */
async function findWithFiles(
  { store, scanning }: Pick<Parts, 'store' | 'scanning'>,
  principal: Principal,
  id: string,
  at: Date,
): Promise<TextRow> {
  const find = (only: Prisma.Sql) =>
    findMessage<TextRow>(
      store,
      principal,
      id,
      { action: 'read-text', at, only },
      {
        columns: sql`${SEALED}, m.content_removed_at AS "contentRemovedAt", ${only} AS "isRecorded", ${filesOfMainDocument}`,
        tables: SEALED_TABLES,
      },
    );
  const message = await find(sql`NOT EXISTS (
    SELECT FROM documents t JOIN files f ON f.message_id = t.message_id AND f.document_position = t.position
    WHERE t.message_id = m.id AND t.role = 'main' AND f.status = 'stored' AND ${isFile(scanning, 'held', 'unsafe')})`);
  const file = readableOf(message.files);
  if (message.isRecorded || !file) return message;
  return find(sql`EXISTS (
    SELECT FROM files f WHERE f.message_id = m.id AND f.id = ${file.id}::uuid AND ${isFile(scanning, 'open')})`);
}

/** Of several variants of the document the plain text, else the HTML. */
function readableOf(files: readonly StoredFile[]): StoredFile | undefined {
  const stored = files.filter(({ status }) => status === 'stored');
  return stored.find((file) => kindOf(file) === 'text') ?? stored.find((file) => kindOf(file) === 'html');
}

/** By its type, or by its name where the type says nothing; undefined when its bytes show something else. */
function kindOf({ encodingFormat, detectedFormat, fileName }: StoredFile): 'text' | 'html' | undefined {
  const type = mediaTypeOf(encodingFormat);
  if (detectedFormat !== null && detectedFormat !== 'application/xml') return undefined;
  const isUnknown = type === '' || type === 'application/octet-stream';
  if (type === 'text/plain' || (isUnknown && /\.txt$/i.test(fileName))) return 'text';
  const isHtml = type === 'text/html' || type === 'application/xhtml+xml';
  return isHtml || (isUnknown && /\.x?html?$/i.test(fileName)) ? 'html' : undefined;
}
