import { BYTES, DISPLAYED_TYPES, type OPERATIONS } from '@indbakke/shared/api';
import { recordAudit } from '@indbakke/shared/audit';
import { Problem } from '@indbakke/shared/errors';
import { type Call, describeSelection, firstBytesOf, selectBytes, sendStream } from '@indbakke/shared/http';
import { findMessage, openContent, safeFileName } from '@indbakke/shared/inbox';
import type { Parts } from '@indbakke/shared/service';

/**
 * Streams a file or a range of it, verified on the fly, after recording the read in the audit log: also one that only
 * confirms that the caller has the file already (304, HEAD).
 */
export async function sendFile(
  parts: Parts,
  { principal, params: { id, fileId }, at, req, res }: Call<typeof OPERATIONS.downloadFile>,
): Promise<void> {
  const { municipality, actor } = principal;
  const { message, file } = await parts.store.withTenant(municipality, async (tx) => {
    const found = await findMessage(tx, principal, id);
    const file = found.documents.flatMap(({ files }) => files).find((candidate) => candidate.id === fileId);
    if (!file) throw new Problem('not-found', 'The message has no such file.');
    await recordAudit(tx, { municipality, actor, at, action: 'read-file', messageId: id, details: { fileId } });
    return { message: found, file };
  });

  const etag = `"${Buffer.from(file.sha256 ?? []).toString('hex')}"`;
  const selection = selectBytes(req, { size: Number(file.size), etag });
  const content = (await openContent(parts, message)).open(file, selection.range);
  await firstBytesOf(content);
  describeSelection(res, selection);
  res.set('Content-Security-Policy', "sandbox; default-src 'none'");
  if (selection.status !== 304) {
    const type = file.encodingFormat.toLowerCase();
    res.attachment(safeFileName(file.fileName));
    // Not res.type(), which adds a charset: the one of a text file is unknown.
    res.setHeader('Content-Type', DISPLAYED_TYPES.includes(type) ? type : BYTES);
  }
  await sendStream(content, res);
}
