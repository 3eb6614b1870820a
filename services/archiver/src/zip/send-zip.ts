import type { OPERATIONS } from '@indbakke/shared/api';
import { type Call, sendStream } from '@indbakke/shared/http';
import { findMessage } from '@indbakke/shared/inbox';
import type { Parts } from '@indbakke/shared/service';
import { type MessageToZip, TO_ZIP } from './message-to-zip.js';
import { zipMessage } from './zip-message.js';

/** Streams one message as a zip, after recording the read in the audit log. */
export async function sendZip(
  parts: Parts,
  { principal, params: { id }, at, req, res }: Call<typeof OPERATIONS.downloadZip>,
): Promise<void> {
  const message = await findMessage<MessageToZip>(parts.store, principal, id, { action: 'read-zip', at }, TO_ZIP);
  const zip = await zipMessage(parts, message);
  res.attachment(`digital-post-${message.receivedAt.toISOString().slice(0, 10)}-${id.slice(-8)}.zip`);
  res.type('application/zip');
  if (req.method === 'HEAD') {
    zip.destroy();
    return void res.end();
  }
  await sendStream(zip, res);
}
