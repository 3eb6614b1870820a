import type { Principal } from '../access/index.js';
import type { QuarantineList, QuarantineQuery } from '../api/index.js';
import { type Action, INSTALLATION, insertAudit } from '../audit/index.js';
import { announce } from '../crash-points/index.js';
import { Problem } from '../errors/index.js';
import { removeContent } from '../inbox/index.js';
import type { Parts } from '../service/index.js';
import { Prisma, run } from '../store/index.js';

const { sql } = Prisma;

type EntryParts = Pick<Parts, 'store' | 'blobs' | 'log'>;

/** What an operator asks for. */
interface OperatorsRequest {
  readonly principal: Principal;
  readonly at: Date;
}

type Row = QuarantineList['items'][number];

/** All entries, the last one that came first; their number is limited (QUARANTINE_MAX_ENTRIES). */
export async function listEntries(
  { store }: EntryParts,
  { principal: by, at }: OperatorsRequest,
  { status }: QuarantineQuery,
): Promise<QuarantineList> {
  const details = { status: status ?? 'all' };
  const shown = { details: sql`(SELECT jsonb_build_object('shown', count(*)) FROM found)` };
  const items = await store.query<Omit<Row, 'firstAt' | 'lastAt' | 'acceptedAt'> & Times>(
    INSTALLATION,
    sql`
      WITH found AS MATERIALIZED (
        SELECT id, status, reason, path, endpoint, caller, message_uuid AS "messageUUID", size::float8 AS size,
          key_id IS NOT NULL AS "hasContent", count, first_at AS "firstAt", last_at AS "lastAt", accepted_at AS "acceptedAt",
          accepted_count AS "acceptedCount"
        FROM quarantine_entries WHERE ${status ?? null}::text IS NULL OR status = ${status ?? null}
      ), audit AS (${insertAudit({ by, at, action: 'quarantine-listed', details }, shown)})
      SELECT * FROM found ORDER BY "lastAt" DESC, id`,
    'kept',
  );
  return {
    items: items.map(({ firstAt, lastAt, acceptedAt, ...row }) => ({
      ...row,
      firstAt: firstAt.toISOString(),
      lastAt: lastAt.toISOString(),
      acceptedAt: acceptedAt?.toISOString() ?? null,
    })),
  };
}

interface Times {
  readonly firstAt: Date;
  readonly lastAt: Date;
  readonly acceptedAt: Date | null;
}

/** @throws Problem not-found */
export async function acceptEntry({ store }: EntryParts, request: OperatorsRequest, id: string): Promise<void> {
  const { principal, at } = request;
  // Once accepted it keeps its receipt.
  const change = sql`
    UPDATE quarantine_entries SET status = 'answer-accepted', accepted_at = coalesce(accepted_at, ${at}::timestamptz),
      accepted_by = coalesce(accepted_by, ${principal.actor.id})
    WHERE id = ${id}::uuid RETURNING 1`;
  await changeEntry(store, request, { id, action: 'quarantine-accepted', change });
}

/** @throws Problem not-found */
export async function refuseEntry({ store }: EntryParts, request: OperatorsRequest, id: string): Promise<void> {
  const change = sql`
    UPDATE quarantine_entries SET status = 'kept', accepted_at = NULL, accepted_by = NULL WHERE id = ${id}::uuid RETURNING 1`;
  await changeEntry(store, request, { id, action: 'quarantine-refused', change });
}

async function changeEntry(
  store: Parts['store'],
  { principal: by, at }: OperatorsRequest,
  { id, action, change }: { id: string; action: Action; change: Prisma.Sql },
): Promise<void> {
  const audit = insertAudit({ by, at, action, details: { entryId: id } });
  const found = await store.withTenantConnection(INSTALLATION, (connection) =>
    run(connection, sql`WITH changed AS (${change}) ${audit} FROM changed RETURNING 1`),
  );
  if (found.length === 0) throw noSuchEntry();
}

/**
 * Removes an entry with its key, and then its content.
 *
 * @throws Problem not-found
 */
export async function removeEntry(
  parts: EntryParts,
  { principal: by, at }: OperatorsRequest,
  id: string,
): Promise<void> {
  const audit = insertAudit({ by, at, action: 'quarantine-removed', details: { entryId: id } });
  const [removed] = await parts.store.withTenantConnection(INSTALLATION, (connection) =>
    run<{ blobName: string | null }>(
      connection,
      sql`
        WITH removed AS (DELETE FROM quarantine_entries WHERE id = ${id}::uuid RETURNING blob_name),
        removal AS (
          INSERT INTO content_removals (blob_name, municipality, requested_at)
          SELECT blob_name, ${INSTALLATION}, ${at}::timestamptz FROM removed WHERE blob_name IS NOT NULL
        ), audit AS (${audit} FROM removed)
        SELECT blob_name AS "blobName" FROM removed`,
    ),
  );
  if (!removed) throw noSuchEntry();
  announce('quarantine-removed');
  if (removed.blobName !== null) await removeContent(parts, removed.blobName);
}

export const noSuchEntry = () => new Problem('not-found', 'There is no such entry in quarantine.');
