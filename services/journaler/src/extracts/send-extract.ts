import { areAllOpenTo, ownedBy, type Principal, rightsOf } from '@indbakke/shared/access';
import { EXCEL, type OPERATIONS } from '@indbakke/shared/api';
import { insertAudit } from '@indbakke/shared/audit';
import { danishDayOf } from '@indbakke/shared/danish-time';
import { Problem } from '@indbakke/shared/errors';
import { type Call, describeSelection, readAhead, selectBytes, sendStream } from '@indbakke/shared/http';
import { openSealed, type SealedContent } from '@indbakke/shared/inbox';
import { Prisma } from '@indbakke/shared/store';
import { type ExtractParts, noSuchExtract } from './extracts.js';

const { sql } = Prisma;

interface FileRow extends SealedContent {
  readonly sha256: string;
  readonly dueAt: Date;
  readonly isAllowed: boolean;
  readonly isOpen: boolean;
}

/** Streams a file of an extract to its owner, or a range of it, after recording it in the audit log. */
export async function sendExtract(
  parts: ExtractParts,
  { principal, params, at, req, res }: Call<typeof OPERATIONS.downloadExtract>,
): Promise<void> {
  const file = await findFile(parts, principal, params, at);
  const selection = selectBytes(req, { size: file.size, etag: `"${file.sha256}"` });
  const { range } = selection;
  const content = await readAhead(await openSealed(parts, file, range), range.end - range.start);
  describeSelection(res, selection);
  if (selection.status !== 304) {
    res.attachment(`indkomne-dokumenter-${danishDayOf(file.dueAt)}.xlsx`).type(EXCEL);
  }
  await sendStream(content, res);
}

/**
 * @throws Problem not-found: it is not the caller’s, or has expired; role-missing: it was made with more rights than the token
 *   has, and may have what they show; or a case of a message in it has been restricted to others since
 */
async function findFile(
  { store }: ExtractParts,
  principal: Principal,
  { extractId, fileId }: { extractId: string; fileId: string },
  at: Date,
): Promise<FileRow> {
  const { roles, teams, constraints } = rightsOf(principal);
  // What it was made without limits, or with others, may be beyond these.
  const limits = JSON.stringify(constraints);
  const seesAll = principal.roles.has('IndkomneDokumenter.SeAlle');
  const details = { extractId, fileId };
  const statement = sql`
    WITH found AS (
      SELECT f.*, f.roles <@ ${[...roles]}::text[] AND (${seesAll}::bool OR f.teams <@ ${[...teams]}::text[])
          AND ${limits}::jsonb IN ('{}', f.constraints) AS is_allowed,
        ${areAllOpenTo(principal, sql`SELECT message_id FROM extract_file_messages WHERE file_id = f.id`)} AS is_open
      FROM extract_files f
      WHERE f.id = ${fileId}::uuid AND f.extract_id = ${extractId}::uuid AND f.expires_at > ${at}::timestamptz
        AND f.extract_id = ANY (ARRAY(SELECT id FROM extracts WHERE ${ownedBy(principal)}))
    ), audit AS (
      ${insertAudit({ by: principal, at, action: 'read-extract', details })} FROM found WHERE is_allowed AND is_open
    )
    SELECT id, municipality, key_id AS "keyId", wrapped_key AS "wrappedKey", blob_name AS "blobName", container,
      content_size::float8 AS size, encode(sha256, 'hex') AS sha256, due_at AS "dueAt", is_allowed AS "isAllowed", is_open AS "isOpen"
    FROM found`;
  const [file] = await store.query<FileRow>(principal.municipality, statement, 'kept');
  if (!file) throw noSuchExtract();
  if (!file.isAllowed) {
    throw new Problem(
      'role-missing',
      'The file was made with roles, teams or data constraints that the token no longer has.',
    );
  }
  if (!file.isOpen) {
    throw new Problem(
      'role-missing',
      'A case of a message in the file has been restricted to others. Wait for the next file.',
    );
  }
  return file;
}
