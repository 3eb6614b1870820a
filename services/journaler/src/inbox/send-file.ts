import { BYTES, DISPLAYED_TYPES, type OPERATIONS } from '@indbakke/shared/api';
import { Problem } from '@indbakke/shared/errors';
import {
  type Call,
  describeSelection,
  readAhead,
  sandboxContent,
  selectBytes,
  sendStream,
} from '@indbakke/shared/http';
import {
  fileColumn,
  findMessage,
  openContent,
  openingOf,
  requireContent,
  requireOpen,
  SEALED,
  SEALED_TABLES,
  type SealedRow,
  type StoredFile,
  safeFileName,
} from '@indbakke/shared/inbox';
import type { Parts } from '@indbakke/shared/service';
import { Prisma } from '@indbakke/shared/store';

interface FileRow extends SealedRow {
  readonly contentRemovedAt: Date | null;
  readonly file: StoredFile | null;
}

/**
 * Streams a file or a range of it, verified on the fly, after recording the read in the audit log: also one that only
 * confirms that the caller has the file already (304, HEAD). An unsafe one is opened by its role alone, which the log says.
 */
export async function sendFile(
  parts: Parts,
  { principal, params: { id, fileId }, at, req, res }: Call<typeof OPERATIONS.downloadFile>,
): Promise<void> {
  const reading = { action: 'read-file', at, file: { id: fileId, scanning: parts.scanning } } as const;
  const message = await findMessage<FileRow>(parts.store, principal, id, reading, {
    columns: Prisma.sql`${SEALED}, m.content_removed_at AS "contentRemovedAt", ${fileColumn(fileId)}`,
    tables: SEALED_TABLES,
  });
  requireContent(message);
  const { file } = message;
  if (!file) throw new Problem('not-found', 'The message has no such file.');
  if (file.status === 'expected') throw new Problem('file-not-here', 'The file is on its way.');
  if (file.status === 'missing') throw new Problem('content-gone', 'The file never came.');

  const openable = requireOpen(parts.scanning, file, principal);

  const etag = `"${file.sha256 ?? ''}"`;
  const selection = selectBytes(req, { size: file.size, etag });
  const { range } = selection;
  const content = await readAhead((await openContent(parts, message)).open(openable, range), range.end - range.start);
  describeSelection(res, selection);
  sandboxContent(res);
  if (selection.status !== 304) {
    const type = file.encodingFormat.toLowerCase();
    res.attachment(safeFileName(file.fileName));
    // No browser shows an unsafe file.
    const isShown = DISPLAYED_TYPES.includes(type) && openingOf(parts.scanning, file) === 'open';
    // Not res.type(), which adds a charset: the one of a text file is unknown.
    res.setHeader('Content-Type', isShown ? type : BYTES);
  }
  await sendStream(content, res);
}
