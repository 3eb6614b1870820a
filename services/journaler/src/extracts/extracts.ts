import { buffer } from 'node:stream/consumers';
import { ownedBy, ownerOf, type Principal, requireMunicipality } from '@indbakke/shared/access';
import {
  type ExtractAnswer,
  type ExtractBody,
  type ExtractCreated,
  type ExtractList,
  NamedSearch,
} from '@indbakke/shared/api';
import { insertAudit } from '@indbakke/shared/audit';
import { KiB } from '@indbakke/shared/config';
import { Problem } from '@indbakke/shared/errors';
import { type IdempotencyKey, once } from '@indbakke/shared/idempotency';
import { openSealed, removalOfExtractFiles, type SealedContent, sealContent } from '@indbakke/shared/inbox';
import type { Parts } from '@indbakke/shared/service';
import { type Connection, newId, Prisma, run } from '@indbakke/shared/store';
import { LAPSES_AFTER } from './owner.js';
import { nextDue } from './schedule.js';

const { sql } = Prisma;

export type ExtractParts = Pick<Parts, 'store' | 'blobs' | 'keys'>;

const MAX_EXTRACTS = 50;
const MAX_SEARCH_BYTES = 256 * KiB;

/** A request to change the caller’s extracts. */
export interface ExtractRequest {
  readonly principal: Principal;
  readonly at: Date;
  readonly idempotencyKey: IdempotencyKey | undefined;
}

/**
 * Saves an extract, which is due for the first time when its schedule next is.
 *
 * @throws Problem not-found for an unknown municipality; bad-request when the caller has too many; key-reused
 */
export async function createExtract(
  parts: ExtractParts,
  { principal, at, idempotencyKey }: ExtractRequest,
  { schedule, keepDays, ...search }: ExtractBody,
): Promise<ExtractCreated> {
  const { municipality } = principal;
  const owner = ownerOf(principal);
  const id = newId();
  const { place, size, wrappedKey } = await sealContent(
    parts,
    { id, municipality },
    [Buffer.from(JSON.stringify(search))],
    MAX_SEARCH_BYTES,
  );
  if (!('bytes' in place)) throw new Error('A search is larger than it can be.'); // the call takes less
  const nextRunAt = nextDue(schedule, at);
  return parts.store.withTenantConnection(municipality, (connection) =>
    once(connection, municipality, idempotencyKey, async () => {
      await requireMunicipality((statement) => run(connection, statement), municipality);
      await requireRoom(connection, principal);
      await run(
        connection,
        sql`
          WITH created AS (
            INSERT INTO extracts (id, municipality, owner_kind, owner, container, content_size, key_id, wrapped_key, every, weekday,
              at_time, keep_days, created_at, next_run_at, next_enqueue_at)
            VALUES (${id}::uuid, ${municipality}, ${owner.kind}, ${owner.id}, ${place.bytes}, ${size}, ${wrappedKey.keyId},
              ${wrappedKey.wrapped}, ${schedule.every}, ${schedule.weekday ?? null}, ${schedule.at}, ${keepDays},
              ${at}::timestamptz, ${nextRunAt}::timestamptz, ${nextRunAt}::timestamptz)
            RETURNING 1
          ) ${auditOf(principal, 'extract-created', id, at)} FROM created`,
      );
      return { id, nextRunAt: nextRunAt.toISOString() };
    }),
  );
}

/** Locks the owner, so that two calls at once count one after the other. */
async function requireRoom(connection: Connection, principal: Principal): Promise<void> {
  await run(connection, sql`SELECT FROM extract_owners WHERE ${ownedBy(principal)} FOR UPDATE`);
  const [extracts] = await run<{ count: number }>(
    connection,
    sql`SELECT count(*)::int FROM extracts WHERE ${ownedBy(principal)}`,
  );
  if ((extracts?.count ?? 0) >= MAX_EXTRACTS) {
    throw new Problem('bad-request', `A caller has at most ${MAX_EXTRACTS} extracts. Delete one first.`);
  }
}

/** The extracts of the caller, oldest first. */
export async function listExtracts(parts: ExtractParts, principal: Principal): Promise<ExtractList> {
  const rows = await readExtracts(parts, principal, sql`true`);
  return { items: await Promise.all(rows.map((row) => describe(parts, row))) };
}

/** @throws Problem not-found */
export async function readExtract(parts: ExtractParts, principal: Principal, id: string): Promise<ExtractAnswer> {
  const [row] = await readExtracts(parts, principal, sql`e.id = ${id}::uuid`);
  if (!row) throw noSuchExtract();
  return describe(parts, row);
}

/**
 * Deletes an extract with its files.
 *
 * @throws Problem not-found, key-reused
 */
export async function deleteExtract(
  { store }: ExtractParts,
  { principal, at, idempotencyKey }: ExtractRequest,
  id: string,
): Promise<void> {
  const { municipality } = principal;
  await store.withTenantConnection(municipality, (connection) =>
    once(connection, municipality, idempotencyKey, async () => {
      // Locked, or a file could be stored in between.
      const mine = sql`id = ${id}::uuid AND ${ownedBy(principal)}`;
      const [found] = await run(connection, sql`SELECT FROM extracts WHERE ${mine} FOR UPDATE`);
      if (!found) throw noSuchExtract();
      await run(connection, removalOfExtractFiles(sql`f.extract_id = ${id}::uuid`, at));
      await run(
        connection,
        sql`
          WITH removed AS (DELETE FROM extracts WHERE ${mine} RETURNING 1)
          ${auditOf(principal, 'extract-deleted', id, at)} FROM removed`,
      );
      return {};
    }),
  );
}

/** What is sealed of an extract, since it may be personal. */
export async function openSearch(parts: ExtractParts, sealed: Omit<SealedContent, 'blobName'>): Promise<NamedSearch> {
  const json = await buffer(await openSealed(parts, { ...sealed, blobName: null }));
  return NamedSearch.parse(JSON.parse(json.toString('utf8')));
}

function auditOf(
  principal: Principal,
  action: 'extract-created' | 'extract-deleted',
  extractId: string,
  at: Date,
): Prisma.Sql {
  return insertAudit({ by: principal, at, action, details: { extractId } });
}

export const noSuchExtract = () => new Problem('not-found', 'The caller has no such extract.');

interface ExtractRow extends Omit<SealedContent, 'blobName'> {
  readonly schedule: ExtractAnswer['schedule'];
  readonly keepDays: number;
  readonly createdAt: Date;
  readonly nextRunAt: Date;
  readonly seenAt: Date;
  /** Times as PostgreSQL’s JSON. */
  readonly files: ExtractAnswer['files'];
}

function readExtracts({ store }: ExtractParts, principal: Principal, which: Prisma.Sql): Promise<ExtractRow[]> {
  const statement = sql`
    SELECT e.id, e.municipality, e.container, e.content_size AS size, e.key_id AS "keyId", e.wrapped_key AS "wrappedKey",
      jsonb_build_object('every', e.every, 'weekday', e.weekday, 'at', e.at_time) AS schedule, e.keep_days AS "keepDays",
      e.created_at AS "createdAt", e.next_run_at AS "nextRunAt", o.seen_at AS "seenAt",
      (SELECT coalesce(json_agg(json_build_object('id', f.id, 'dueAt', f.due_at, 'madeAt', f.made_at, 'expiresAt', f.expires_at,
          'rows', f.row_count, 'isTruncated', f.is_truncated, 'size', f.content_size) ORDER BY f.due_at DESC), '[]')
       FROM extract_files f WHERE f.extract_id = e.id AND f.expires_at > now()) AS files
    FROM (SELECT * FROM extracts WHERE ${ownedBy(principal)}) AS e
    JOIN extract_owners o USING (municipality, owner_kind, owner)
    WHERE ${which} ORDER BY e.id`;
  return store.query<ExtractRow>(principal.municipality, statement, 'kept');
}

async function describe(parts: ExtractParts, row: ExtractRow): Promise<ExtractAnswer> {
  const { id, schedule, keepDays, createdAt, nextRunAt, seenAt, files } = row;
  const iso = (time: string) => new Date(time).toISOString();
  return {
    id,
    ...(await openSearch(parts, row)),
    schedule,
    keepDays,
    createdAt: createdAt.toISOString(),
    nextRunAt: nextRunAt.toISOString(),
    lapsesAt: new Date(seenAt.getTime() + LAPSES_AFTER).toISOString(),
    files: files.map((file) => ({
      ...file,
      dueAt: iso(file.dueAt),
      madeAt: iso(file.madeAt),
      expiresAt: iso(file.expiresAt),
    })),
  };
}
