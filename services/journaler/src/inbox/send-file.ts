import { BYTES, DISPLAYED_TYPES, type OPERATIONS } from '@indbakke/shared/api';
import type { ByteRange } from '@indbakke/shared/content';
import { Problem } from '@indbakke/shared/errors';
import { type Call, firstBytesOf, sendStream } from '@indbakke/shared/http';
import {
  fileColumn,
  findMessage,
  openContent,
  SEALED,
  SEALED_TABLES,
  type SealedRow,
  type StoredFile,
  safeFileName,
} from '@indbakke/shared/inbox';
import type { Parts } from '@indbakke/shared/service';
import { Prisma } from '@indbakke/shared/store';
import type { Request } from 'express';

interface FileRow extends SealedRow {
  readonly file: StoredFile | null;
}

/** Streams a file or a range of it, verified on the fly, after recording the read in the audit log. */
export async function sendFile(
  parts: Parts,
  { principal, params: { id, fileId }, at, req, res }: Call<typeof OPERATIONS.downloadFile>,
): Promise<void> {
  const reading = { action: 'read-file', at, fileId } as const;
  const message = await findMessage<FileRow>(parts.store, principal, id, reading, {
    columns: Prisma.sql`${SEALED}, ${fileColumn(fileId)}`,
    tables: SEALED_TABLES,
  });
  const { file } = message;
  if (!file) throw new Problem('not-found', 'The message has no such file.');

  const { size } = file;
  const etag = `"${file.sha256 ?? ''}"`;
  const range = rangeOf(req, size, etag);
  const content = (await openContent(parts, message)).open(file, range);
  if (req.method === 'GET') await firstBytesOf(content);
  const type = file.encodingFormat.toLowerCase();
  res.attachment(safeFileName(file.fileName));
  // Not res.type(), which adds a charset: the one of a text file is unknown.
  res.setHeader('Content-Type', DISPLAYED_TYPES.includes(type) ? type : BYTES);
  res.set({ 'Accept-Ranges': 'bytes', ETag: etag, 'Content-Security-Policy': "sandbox; default-src 'none'" });
  res.set('Content-Length', String(range ? range.end - range.start : size));
  if (range) res.status(206).set('Content-Range', `bytes ${range.start}-${range.end - 1}/${size}`);
  if (req.method === 'HEAD') return void res.end();
  await sendStream(content, res);
}

/** The requested range. RFC 9110, 13.1.5 and 14.2: If-Range must name this content, and HEAD ignores Range. */
function rangeOf(req: Request, size: number, etag: string): ByteRange | undefined {
  const ifRange = req.get('if-range');
  if (req.method !== 'GET' || (ifRange !== undefined && ifRange !== etag)) return undefined;
  const range = parseRange(req.get('range') ?? '', size);
  if (range && range.start >= range.end) {
    req.res?.set('Content-Range', `bytes */${size}`);
    throw new Problem('range-not-satisfiable', `The Range is outside the file, which has ${size} bytes.`);
  }
  return range;
}

/**
 * RFC 9110, 14.1.2: `bytes=first-last`, `bytes=first-` or `bytes=-length`; empty when outside the file. Several ranges, other
 * units and nonsense are ignored.
 */
function parseRange(header: string, size: number): ByteRange | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/i.exec(header.trim()) ?? [];
  if (first === '') return last === '' ? undefined : { start: Math.max(0, size - Number(last)), end: size };
  if (last === '') return { start: Number(first), end: size };
  if (Number(last) < Number(first)) return undefined;
  return { start: Number(first), end: Math.min(Number(last) + 1, size) };
}
