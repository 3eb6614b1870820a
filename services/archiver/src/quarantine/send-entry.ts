import { BYTES, type OPERATIONS } from '@indbakke/shared/api';
import { INSTALLATION, insertAudit } from '@indbakke/shared/audit';
import { Problem } from '@indbakke/shared/errors';
import {
  type Call,
  describeSelection,
  readAhead,
  sandboxContent,
  selectBytes,
  sendStream,
} from '@indbakke/shared/http';
import { openSealed, type SealedContent } from '@indbakke/shared/inbox';
import { noSuchEntry } from '@indbakke/shared/quarantine';
import type { Parts } from '@indbakke/shared/service';
import { Prisma } from '@indbakke/shared/store';

const { sql } = Prisma;

/** Streams a delivery in quarantine as it came, or a range of it, after recording it in the audit log. */
export async function sendEntry(
  parts: Parts,
  { principal: by, params: { entryId }, at, req, res }: Call<typeof OPERATIONS.downloadQuarantined>,
): Promise<void> {
  const audit = insertAudit({ by, at, action: 'quarantine-downloaded', details: { entryId } });
  const [entry] = await parts.store.query<Omit<SealedContent, 'keyId'> & { keyId: string | null }>(
    INSTALLATION,
    sql`
      WITH found AS (SELECT * FROM quarantine_entries WHERE id = ${entryId}::uuid), audit AS (${audit} FROM found)
      SELECT id, ${INSTALLATION} AS municipality, size::float8 AS size, blob_name AS "blobName", container, key_id AS "keyId",
        wrapped_key AS "wrappedKey"
      FROM found`,
    'kept',
  );
  if (!entry) throw noSuchEntry();
  const { keyId } = entry;
  if (keyId === null) throw new Problem('content-gone', 'The quota was reached when it came: it was only counted.');
  // What an entry has never changes.
  const selection = selectBytes(req, { size: entry.size, etag: `"${entryId}"` });
  const { range } = selection;
  const content = await readAhead(await openSealed(parts, { ...entry, keyId }, range), range.end - range.start);
  describeSelection(res, selection);
  sandboxContent(res);
  if (selection.status !== 304) res.attachment(`karantaene-${entryId}.bin`).type(BYTES);
  await sendStream(content, res);
}
