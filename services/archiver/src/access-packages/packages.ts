import { buffer } from 'node:stream/consumers';
import { ofCaller, type Principal, requireMunicipality } from '@indbakke/shared/access';
import {
  type AccessPackageAnswer,
  AccessPackageBody,
  type AccessPackageCreated,
  type AccessPackageList,
} from '@indbakke/shared/api';
import { insertAudit } from '@indbakke/shared/audit';
import { DAY, KiB } from '@indbakke/shared/config';
import { Problem } from '@indbakke/shared/errors';
import { type IdempotencyKey, once } from '@indbakke/shared/idempotency';
import { numberOf } from '@indbakke/shared/ids';
import { openSealed, removalOfAccessPackages, type SealedContent, sealContent } from '@indbakke/shared/inbox';
import { digestOfParty } from '@indbakke/shared/keys';
import type { Parts } from '@indbakke/shared/service';
import { newId, Prisma, run } from '@indbakke/shared/store';
import { currentTrace } from '@indbakke/shared/tracing';
import { type Limit, requireRoom } from '../zip/made-zips.js';

const { sql } = Prisma;

export type PackageParts = Pick<Parts, 'store' | 'blobs' | 'keys' | 'scanning'>;

/** From the request on, and again from when it is made. */
export const KEPT_FOR = 7 * DAY;

const LIMIT: Limit = { table: 'access_packages', most: 50, what: 'access packages' };
const MAX_REQUEST_BYTES = 16 * KiB;

/** A request to change the caller’s packages. */
export interface PackageRequest {
  readonly principal: Principal;
  readonly at: Date;
  readonly idempotencyKey: IdempotencyKey | undefined;
}

/**
 * Asks for a package, which the sweep finds due at once.
 *
 * @throws Problem not-found for an unknown municipality; bad-request when the caller has too many; key-reused
 */
export async function createPackage(
  parts: PackageParts,
  { principal, at, idempotencyKey }: PackageRequest,
  body: AccessPackageBody,
): Promise<AccessPackageCreated> {
  const { municipality, actor } = principal;
  const id = newId();
  const request = [Buffer.from(JSON.stringify(body))];
  const { place, size, wrappedKey } = await sealContent(parts, { id, municipality }, request, MAX_REQUEST_BYTES);
  if (!('bytes' in place)) throw new Error('A request is larger than it can be.'); // the call takes less
  const citizen = digestOfParty(parts.keys, numberOf(body.citizen) as string);
  return parts.store.withTenantConnection(municipality, (connection) =>
    once(connection, municipality, idempotencyKey, async () => {
      await requireMunicipality((statement) => run(connection, statement), municipality);
      await requireRoom(connection, principal, LIMIT);
      await run(
        connection,
        sql`
          WITH created AS (
            INSERT INTO access_packages (id, municipality, owner_kind, owner, on_behalf_of, citizen, request, request_size,
              request_key_id, request_wrapped_key, requested_at, expires_at, next_enqueue_at, trace)
            VALUES (${id}::uuid, ${municipality}, ${actor.kind}, ${actor.id}, ${actor.onBehalfOf ?? null}, ${citizen},
              ${place.bytes}, ${size}, ${wrappedKey.keyId}, ${wrappedKey.wrapped}, ${at}::timestamptz,
              ${new Date(at.getTime() + KEPT_FOR)}::timestamptz, ${at}::timestamptz, ${currentTrace() ?? null})
            RETURNING 1
          ) ${insertAudit({ by: principal, at, action: 'package-created', citizen, details: { packageId: id } })} FROM created`,
      );
      return { id };
    }),
  );
}

/** The packages of the caller, oldest first. */
export async function listPackages(parts: PackageParts, principal: Principal): Promise<AccessPackageList> {
  const rows = await readPackages(parts, principal, sql`true`);
  return { items: await Promise.all(rows.map((row) => describe(parts, row))) };
}

/** @throws Problem not-found */
export async function readPackage(parts: PackageParts, principal: Principal, id: string): Promise<AccessPackageAnswer> {
  const [row] = await readPackages(parts, principal, sql`id = ${id}::uuid`);
  if (!row) throw noSuchPackage();
  return describe(parts, row);
}

/**
 * Deletes a package. One that is being made is not stored.
 *
 * @throws Problem not-found, key-reused
 */
export async function deletePackage(
  { store }: PackageParts,
  { principal, at, idempotencyKey }: PackageRequest,
  id: string,
): Promise<void> {
  const { municipality } = principal;
  await store.withTenantConnection(municipality, (connection) =>
    once(connection, municipality, idempotencyKey, async () => {
      const mine = sql`id = ${id}::uuid AND ${ofCaller(principal)}`;
      const [found] = await run<{ citizen: Buffer }>(
        connection,
        sql`SELECT citizen FROM access_packages WHERE ${mine} FOR UPDATE`,
      );
      if (!found) throw noSuchPackage();
      await run(connection, removalOfAccessPackages(mine, at));
      const details = { packageId: id };
      await run(connection, insertAudit({ by: principal, at, action: 'package-deleted', ...found, details }));
      return {};
    }),
  );
}

/** The number of the citizen, and what the caller calls it. */
export async function openRequest(
  parts: PackageParts,
  sealed: Omit<SealedContent, 'blobName'>,
): Promise<AccessPackageBody> {
  const json = await buffer(await openSealed(parts, { ...sealed, blobName: null }));
  return AccessPackageBody.parse(JSON.parse(json.toString('utf8')));
}

export const noSuchPackage = () => new Problem('not-found', 'The caller has no such access package.');

/** Columns of what openRequest takes. */
export const REQUEST = sql`id, municipality, request AS container, request_size AS size, request_key_id AS "keyId",
  request_wrapped_key AS "wrappedKey"`;

interface PackageRow
  extends Omit<SealedContent, 'blobName' | 'size'>,
    Pick<AccessPackageAnswer, 'status' | 'waitsForScan' | 'messagesDone' | 'messageCount'> {
  readonly size: number;
  readonly requestedAt: Date;
  readonly madeAt: Date | null;
  readonly expiresAt: Date;
  readonly contentSize: number | null;
}

function readPackages({ store }: PackageParts, principal: Principal, which: Prisma.Sql): Promise<PackageRow[]> {
  const statement = sql`
    SELECT ${REQUEST}, status, status = 'waiting' AND waits_for_scan AS "waitsForScan", requested_at AS "requestedAt", made_at AS "madeAt", expires_at AS "expiresAt",
      messages_done AS "messagesDone", message_count AS "messageCount", content_size::float8 AS "contentSize"
    FROM access_packages WHERE ${ofCaller(principal)} AND ${which} AND expires_at > now() ORDER BY id`;
  return store.query<PackageRow>(principal.municipality, statement, 'kept');
}

async function describe(parts: PackageParts, row: PackageRow): Promise<AccessPackageAnswer> {
  const { id, status, waitsForScan, requestedAt, madeAt, expiresAt, messagesDone, messageCount, contentSize } = row;
  const { citizen, reference = null } = await openRequest(parts, row);
  return {
    id,
    citizen,
    reference,
    status,
    waitsForScan,
    requestedAt: requestedAt.toISOString(),
    madeAt: madeAt?.toISOString() ?? null,
    expiresAt: expiresAt.toISOString(),
    messagesDone,
    messageCount,
    size: contentSize,
  };
}
