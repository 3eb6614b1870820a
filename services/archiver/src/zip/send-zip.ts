import type { OPERATIONS } from '@indbakke/shared/api';
import { recordAudit } from '@indbakke/shared/audit';
import { type Call, describeSelection, selectBytes, sendStream } from '@indbakke/shared/http';
import { findMessage } from '@indbakke/shared/inbox';
import type { Parts } from '@indbakke/shared/service';
import { zipMessage } from './zip-message.js';

/** Streams one message, or a range of it, as a zip, after recording the read in the audit log. */
export async function sendZip(
  parts: Parts,
  { principal, params: { id }, at, req, res }: Call<typeof OPERATIONS.downloadZip>,
): Promise<void> {
  const { municipality, actor } = principal;
  const { message, contactPointName } = await parts.store.withTenant(municipality, async (tx) => {
    const found = await findMessage(tx, principal, id);
    const point = await tx.contactPoint.findFirst({ where: { contactPointId: found.contactPointId ?? '' } });
    await recordAudit(tx, { municipality, actor, at, action: 'read-zip', messageId: id });
    return { message: found, contactPointName: point?.name ?? null };
  });
  const zip = await zipMessage(parts, message, contactPointName);
  const selection = selectBytes(req, zip);
  describeSelection(res, selection);
  if (selection.status !== 304) res.attachment(`digital-post-${danishDate(message.receivedAt)}-${id.slice(-8)}.zip`);
  await sendStream(zip.open(selection.range), res);
}

const date = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeZone: 'Europe/Copenhagen' });

/** `2026-11-02`, as the caseworker reads it elsewhere. */
function danishDate(at: Date): string {
  return date.format(at);
}
