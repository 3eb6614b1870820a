import type { OPERATIONS } from '@indbakke/shared/api';
import { recordAudit } from '@indbakke/shared/audit';
import { type Call, sendStream } from '@indbakke/shared/http';
import { findMessage } from '@indbakke/shared/inbox';
import type { Parts } from '@indbakke/shared/service';
import { zipMessage } from './zip-message.js';

/** Streams one message as a zip, after recording the read in the audit log. */
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
  res.attachment(`digital-post-${message.receivedAt.toISOString().slice(0, 10)}-${id.slice(-8)}.zip`);
  res.type('application/zip');
  if (req.method === 'HEAD') {
    zip.destroy();
    return void res.end();
  }
  await sendStream(zip, res);
}
