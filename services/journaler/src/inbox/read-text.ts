import { buffer } from 'node:stream/consumers';
import type { Principal } from '@indbakke/shared/access';
import type { TextAnswer } from '@indbakke/shared/api';
import { charsetOf, mediaTypeOf } from '@indbakke/shared/http';
import {
  filesOfMainDocument,
  findMessage,
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
}

/** The main document as plain text, after recording in the audit log who read it; null if it is neither text nor HTML. */
export async function readText(parts: Parts, principal: Principal, id: string, at: Date): Promise<TextAnswer> {
  const reading = { action: 'read-text', at } as const;
  const message = await findMessage<TextRow>(parts.store, principal, id, reading, WITH_FILES);
  requireContent(message);
  const file = readableOf(message.files);
  if (!file) return { fileId: null, text: null, isTruncated: false };

  const openable = requireOpen(parts.scanning, file);
  const content = (await openContent(parts, message)).open(openable, { start: 0, end: Math.min(file.size, MAX_BYTES) });
  const charset = charsetOf(file.encodingFormat);
  const text = plainTextOf(await buffer(content), { isHtml: kindOf(file) === 'html', charset, size: file.size });
  return { fileId: file.id, ...text };
}

const WITH_FILES = {
  columns: Prisma.sql`${SEALED}, m.content_removed_at AS "contentRemovedAt", ${filesOfMainDocument}`,
  tables: SEALED_TABLES,
};

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
