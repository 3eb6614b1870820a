import { areAllOpenTo, ofCaller, type Principal } from '@indbakke/shared/access';
import type { OPERATIONS } from '@indbakke/shared/api';
import { insertAudit } from '@indbakke/shared/audit';
import { danishDayOf } from '@indbakke/shared/danish-time';
import { Problem } from '@indbakke/shared/errors';
import { type Call, describeSelection, readAhead, selectBytes, sendStream } from '@indbakke/shared/http';
import { fileHeld, hasFile, openSealed, type SealedContent, WHOLE } from '@indbakke/shared/inbox';
import { Prisma } from '@indbakke/shared/store';
import { noSuchPackage, type PackageParts } from './packages.js';

const { sql } = Prisma;

interface MadeRow extends SealedContent {
  readonly status: 'waiting' | 'made' | 'failed';
  readonly sha256: string;
  readonly madeAt: Date;
  readonly isOpen: boolean;
  readonly isHeld: boolean;
}

/** Streams a package to its owner, or a range of it, after recording it in the audit log. */
export async function sendPackage(
  parts: PackageParts,
  { principal, params, at, req, res }: Call<typeof OPERATIONS.downloadAccessPackage>,
): Promise<void> {
  const made = await findMade(parts, principal, params.packageId, at);
  const selection = selectBytes(req, { size: made.size, etag: `"${made.sha256}"` });
  const { range } = selection;
  const content = await readAhead(await openSealed(parts, made, range), range.end - range.start);
  describeSelection(res, selection);
  if (selection.status !== 304) {
    res.attachment(`aktindsigt-${danishDayOf(made.madeAt)}.zip`).type('application/zip');
  }
  await sendStream(content, res);
}

/**
 * @throws Problem not-found: it is not the caller’s, or has expired; package-not-made; role-missing: a case of a message in it has
 *   been restricted to others since; file-held: a file in it was packed unscanned, and is held now
 */
async function findMade(
  { store, scanning }: PackageParts,
  principal: Principal,
  packageId: string,
  at: Date,
): Promise<MadeRow> {
  const entry = { by: principal, at, action: 'package-downloaded', details: { packageId } } as const;
  const messages = sql`SELECT message_id FROM access_package_messages WHERE package_id = p.id`;
  const isHeld = sql`EXISTS (SELECT FROM messages m WHERE m.id IN (${messages}) AND ${hasFile(scanning, WHOLE, 'held')})`;
  const statement = sql`
    WITH found AS (
      SELECT p.*, ${areAllOpenTo(principal, messages)} AS is_open,
        ${isHeld} AS is_held
      FROM access_packages p WHERE id = ${packageId}::uuid AND ${ofCaller(principal)} AND expires_at > ${at}::timestamptz
    ), audit AS (
      ${insertAudit(entry, { citizen: sql`citizen` })} FROM found WHERE status = 'made' AND is_open AND NOT is_held
    )
    SELECT id, municipality, key_id AS "keyId", wrapped_key AS "wrappedKey", blob_name AS "blobName", container,
      content_size::float8 AS size, encode(sha256, 'hex') AS sha256, made_at AS "madeAt", status, is_open AS "isOpen", is_held AS "isHeld"
    FROM found`;
  const [found] = await store.query<MadeRow>(principal.municipality, statement, 'kept');
  if (!found) throw noSuchPackage();
  if (found.status !== 'made') throw new Problem('package-not-made', `The access package is ${found.status}.`);
  if (!found.isOpen) {
    throw new Problem(
      'role-missing',
      'A case of a message in the package has been restricted to others. Make it again.',
    );
  }
  if (found.isHeld) throw fileHeld();
  return found;
}
