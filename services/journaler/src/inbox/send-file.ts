import type { Principal } from '@indbakke/shared/access';
import { recordAudit } from '@indbakke/shared/audit';
import type { ByteRange } from '@indbakke/shared/content';
import { Problem } from '@indbakke/shared/errors';
import { sendStream } from '@indbakke/shared/http';
import { findMessage, openContent, safeFileName } from '@indbakke/shared/inbox';
import type { Parts } from '@indbakke/shared/service';
import type { Request, Response } from 'express';

// What a browser may show as what it is. All else, HTML, SVG and XML above all, is only ever saved.
const HARMLESS = new Set(['application/pdf', 'text/plain', 'image/png', 'image/jpeg', 'image/gif', 'image/tiff']);

export interface FileRequest {
  readonly principal: Principal;
  readonly id: string;
  readonly fileId: string;
  readonly at: Date;
}

/** Streams one file, or the range of it that is asked for, verified as it goes. That it was read is written down first. */
export async function sendFile(
  parts: Parts,
  { principal, id, fileId, at }: FileRequest,
  req: Request,
  res: Response,
): Promise<void> {
  const { municipality, actor } = principal;
  const message = await parts.store.withTenant(municipality, async (tx) => {
    const found = await findMessage(tx, principal, id);
    await recordAudit(tx, { municipality, actor, at, action: 'read-file', messageId: id, details: { fileId } });
    return found;
  });
  const file = message.documents.flatMap((document) => document.files).find((candidate) => candidate.id === fileId);
  if (!file) throw new Problem('not-found', 'The message has no such file.');
  const content = await openContent(parts, message);

  const size = Number(file.size);
  const etag = `"${Buffer.from(file.sha256 ?? []).toString('hex')}"`;
  const range = rangeOf(req, size, etag);
  const type = file.encodingFormat.toLowerCase();
  res.attachment(safeFileName(file.fileName));
  res.type(HARMLESS.has(type) ? type : 'application/octet-stream');
  res.set({ 'Accept-Ranges': 'bytes', ETag: etag, 'Content-Security-Policy': "sandbox; default-src 'none'" });
  res.set('Content-Length', String(range ? range.end - range.start : size));
  if (range) res.status(206).set('Content-Range', `bytes ${range.start}-${range.end - 1}/${size}`);
  if (req.method === 'HEAD') return void res.end();
  await sendStream(content.open(file, range), res);
}

/** The one range that is asked for. Several at once are answered with the whole file, as HTTP allows. */
function rangeOf(req: Request, size: number, etag: string): ByteRange | undefined {
  const ifRange = req.get('if-range');
  if (ifRange !== undefined && ifRange !== etag) return undefined;
  const ranges = req.range(size);
  if (ranges === -1) {
    req.res?.set('Content-Range', `bytes */${size}`);
    throw new Problem('range-not-satisfiable', `The Range lies outside the file, which has ${size} bytes.`);
  }
  const first = ranges === undefined || ranges === -2 || ranges.length !== 1 ? undefined : ranges[0];
  return first && { start: first.start, end: first.end + 1 };
}
