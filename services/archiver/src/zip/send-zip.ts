import type { OPERATIONS } from '@indbakke/shared/api';
import { type Call, describeSelection, selectBytes, sendStream } from '@indbakke/shared/http';
import { findMessage, hasFile } from '@indbakke/shared/inbox';
import type { Parts } from '@indbakke/shared/service';
import { Prisma } from '@indbakke/shared/store';
import { type MessageToZip, TO_ZIP } from './message-to-zip.js';
import { detailsOfZip, partsOfZip, zipMessage } from './zip-message.js';

/** Streams one message, or a range of it, as a zip, after recording the read in the audit log. One with a held file is not read. */
export async function sendZip(
  parts: Parts,
  { principal, params: { id }, query, at, req, res }: Call<typeof OPERATIONS.downloadZip>,
): Promise<void> {
  const { scanning } = parts;
  const wanted = partsOfZip(query);
  const only = Prisma.sql`NOT ${hasFile(scanning, wanted, 'held')}`;
  const reading = { action: 'read-zip', at, details: detailsOfZip(query), only } as const;
  const message = await findMessage<MessageToZip>(parts.store, principal, id, reading, TO_ZIP);
  const zip = await zipMessage(parts, message, wanted);
  const selection = selectBytes(req, zip);
  describeSelection(res, selection);
  if (selection.status !== 304)
    res.attachment(
      `${message.isTraining ? 'øvelse' : FILE_NAMES[message.channel]}-${danishDate.format(message.receivedAt)}-${id.slice(-8)}.zip`,
    );
  await sendStream(zip.open(selection.range), res);
}

const FILE_NAMES = { sf1606: 'digital-post', sf2900: 'fordelingskomponenten' } as const;

/** `2026-11-02`, as the caseworker reads it elsewhere. */
const danishDate = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeZone: 'Europe/Copenhagen' });
