import { ofCaller, type Principal, requireMunicipality, rightsOf } from '@indbakke/shared/access';
import type { ZipDownloadAnswer, ZipDownloadBody, ZipDownloadCreated, ZipDownloadList } from '@indbakke/shared/api';
import { insertAudit } from '@indbakke/shared/audit';
import { HOUR } from '@indbakke/shared/config';
import { Problem } from '@indbakke/shared/errors';
import { type IdempotencyKey, once } from '@indbakke/shared/idempotency';
import { documentGoesOut, fileHeld, hasFile, removalOfZipDownloads, type Scanning } from '@indbakke/shared/inbox';
import { enqueueTaken, leaseFrom } from '@indbakke/shared/queue';
import type { Parts } from '@indbakke/shared/service';
import { type Connection, newId, Prisma, run } from '@indbakke/shared/store';
import { currentTrace } from '@indbakke/shared/tracing';
import type { ArchiverConfig } from '../config.js';
import { type Limit, requireRoom } from '../zip/made-zips.js';
import { mayBeZipped } from './make-zip.js';
import { UNFINISHED_ZIPS } from './sweeps.js';
import { dropUnfinished } from './unfinished.js';

const { sql } = Prisma;

export type ZipSettings = Pick<ArchiverConfig, 'ZIP_KEEP_HOURS' | 'ZIP_MAX_BYTES'>;

const LIMIT: Limit = { table: 'zip_downloads', most: 10, what: 'zips of many messages' };

/** A request to change the caller’s zips. */
export interface ZipRequest {
  readonly principal: Principal;
  readonly at: Date;
  readonly idempotencyKey: IdempotencyKey | undefined;
}

/**
 * Asks for a zip, whose job begins at once.
 *
 * @throws Problem not-found: the municipality is unknown, or the caller sees none of the messages; file-held; zip-too-large; bad-request when
 *   the caller has too many; key-reused
 */
export async function createZipDownload(
  { store, queues, scanning }: Pick<Parts, 'store' | 'queues' | 'scanning'>,
  { principal, at, idempotencyKey }: ZipRequest,
  body: ZipDownloadBody,
  settings: ZipSettings,
): Promise<ZipDownloadCreated> {
  const { municipality } = principal;
  const created = await store.withTenantConnection(municipality, (connection) =>
    once(connection, municipality, idempotencyKey, async () => {
      await requireMunicipality((statement) => run(connection, statement), municipality);
      await requireRoom(connection, principal, LIMIT);
      const found = await findMessages(connection, principal, scanning, body);
      const wanted = [...found.values()].filter(({ isGone, isHeld }) => !isGone && !isHeld);
      if (wanted.length === 0 && [...found.values()].some(({ isHeld }) => isHeld)) throw fileHeld();
      if (wanted.length === 0) throw new Problem('not-found', 'The caller may read none of the messages.');
      const size = wanted.reduce((sum, each) => sum + each.size, 0);
      requireSize(size, settings.ZIP_MAX_BYTES);
      const leftOut = body.items.flatMap((each): LeftOutMessage[] => {
        const message = found.get(each);
        if (!message) return [{ id: each, reason: 'not-found' }];
        if (message.isGone) return [{ id: each, reason: 'content-gone' }];
        return message.isHeld ? [{ id: each, reason: 'file-held' }] : [];
      });
      const id = newId();
      await insertZip(connection, { principal, at, id, body, size, leftOut, keepHours: settings.ZIP_KEEP_HOURS });
      return { id, messageCount: wanted.length, size, leftOut };
    }),
  );
  // For a repeat of the call too: while the queue knows the job it ignores this.
  const zip = { id: created.id, municipality, run: 1, trace: currentTrace() ?? null };
  void enqueueTaken({ store, queues }, UNFINISHED_ZIPS, [zip], at).catch(() => {}); // a sweep does it soon
  return created;
}

interface FoundMessage {
  readonly id: string;
  /** Bytes of the files that a zip has of it. */
  readonly size: number;
  /** Retention has removed its content. */
  readonly isGone: boolean;
  /** A file that a zip has of it is not scanned for malware yet. */
  readonly isHeld: boolean;
}

/** Those of the messages that the caller sees, and that a file made of messages may have. */
async function findMessages(
  connection: Connection,
  principal: Principal,
  scanning: Scanning,
  { items, include }: ZipDownloadBody,
): Promise<Map<string, FoundMessage>> {
  const outgoing = { technical: include.includes('technical') };
  const rows = await run<FoundMessage>(
    connection,
    sql`
      SELECT m.id, m.content_removed_at IS NOT NULL AS "isGone", ${hasFile(scanning, outgoing, 'held')} AS "isHeld", (
        coalesce((
          SELECT sum(f.size) FROM files f JOIN documents t ON t.message_id = f.message_id AND t.position = f.document_position
          WHERE f.message_id = m.id AND f.status = 'stored' AND ${documentGoesOut(outgoing)}), 0)
        + CASE WHEN ${include.includes('original')}::bool
            THEN coalesce((SELECT octet_length(original) FROM message_details WHERE message_id = m.id), 0) ELSE 0 END
      )::float8 AS size
      FROM messages m WHERE m.id = ANY (${[...items]}::uuid[]) AND ${mayBeZipped(principal)}`,
  );
  return new Map(rows.map((row) => [row.id, row]));
}

function requireSize(size: number, limit: number): void {
  if (size <= limit) return;
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(3)} GB (${bytes} bytes)`;
  throw new Problem(
    'zip-too-large',
    `The files of the messages have ${gigabytes(size)}; a zip has at most ${gigabytes(limit)}. Ask for fewer at a time.`,
  );
}

type LeftOutMessage = ZipDownloadAnswer['leftOut'][number];

interface NewZip extends Omit<ZipRequest, 'idempotencyKey'> {
  readonly id: string;
  readonly body: ZipDownloadBody;
  readonly size: number;
  readonly leftOut: readonly LeftOutMessage[];
  readonly keepHours: number;
}

async function insertZip(
  connection: Connection,
  { principal, at, id, body, size, leftOut, keepHours }: NewZip,
): Promise<void> {
  const { municipality, actor } = principal;
  const { items, include, cover } = body;
  const { roles, teams, constraints } = rightsOf(principal);
  const details = { zipId: id, messages: items.length - leftOut.length };
  const reasons = new Map(leftOut.map((each) => [each.id, each.reason]));
  const isIncluded = include.includes('cover');
  await run(
    connection,
    sql`
      WITH created AS (
        INSERT INTO zip_downloads (id, municipality, owner_kind, owner, on_behalf_of, roles, teams, constraints, include, cover,
          requested_at, expires_at, files_size, run, next_enqueue_at, trace)
        VALUES (${id}::uuid, ${municipality}, ${actor.kind}, ${actor.id}, ${actor.onBehalfOf ?? null}, ${[...roles]}::text[],
          ${[...teams]}::text[], ${JSON.stringify(constraints)}::jsonb, ${[...include]}::text[],
          ${isIncluded ? (cover ?? 'masked') : null}, ${at}::timestamptz, ${new Date(at.getTime() + keepHours * HOUR)}::timestamptz,
          ${size}::bigint, 1, ${leaseFrom(at)}::timestamptz,
          ${currentTrace() ?? null})
        RETURNING 1
      ) ${insertAudit({ by: principal, at, action: 'zip-created', details })} FROM created`,
  );
  await run(
    connection,
    sql`
      INSERT INTO zip_download_messages (zip_id, message_id, municipality, position, left_out)
      SELECT ${id}::uuid, each.message_id, ${municipality}, each.position, each.left_out
      FROM unnest(${[...items]}::uuid[], ${items.map((each) => reasons.get(each) ?? null)}::text[])
        WITH ORDINALITY AS each (message_id, left_out, position)`,
  );
}

/** The zips of the caller, oldest first. */
export async function listZipDownloads(parts: Pick<Parts, 'store'>, principal: Principal): Promise<ZipDownloadList> {
  return { items: (await readZips(parts, principal, sql`true`)).map(describe) };
}

/** @throws Problem not-found */
export async function readZipDownload(
  parts: Pick<Parts, 'store'>,
  principal: Principal,
  id: string,
): Promise<ZipDownloadAnswer> {
  const [row] = await readZips(parts, principal, sql`z.id = ${id}::uuid`);
  if (!row) throw noSuchZip();
  return describe(row);
}

/**
 * Cancels a zip that is not ready: its job stops when it notes its progress next, and stores nothing. Any other is removed.
 *
 * @throws Problem not-found, key-reused
 */
export async function deleteZipDownload(
  { store }: Pick<Parts, 'store'>,
  { principal, at, idempotencyKey }: ZipRequest,
  id: string,
): Promise<void> {
  const { municipality } = principal;
  await store.withTenantConnection(municipality, (connection) =>
    once(connection, municipality, idempotencyKey, async () => {
      const mine = sql`z.id = ${id}::uuid AND ${ofCaller(principal)}`;
      const [found] = await run<{ status: ZipDownloadAnswer['status'] }>(
        connection,
        sql`SELECT status FROM zip_downloads z WHERE ${mine} FOR UPDATE`,
      );
      if (!found) throw noSuchZip();
      const isUnfinished = found.status === 'waiting' || found.status === 'running';
      await run(
        connection,
        isUnfinished ? dropUnfinished(mine, at, sql`status = 'cancelled'`) : removalOfZipDownloads(mine, at),
      );
      const action = isUnfinished ? 'zip-cancelled' : 'zip-deleted';
      await run(connection, insertAudit({ by: principal, at, action, details: { zipId: id } }));
      return {};
    }),
  );
}

export const noSuchZip = () => new Problem('not-found', 'The caller has no such zip.');

interface ZipRow
  extends Pick<ZipDownloadAnswer, 'id' | 'status' | 'include' | 'cover' | 'bytesDone' | 'size' | 'messagesDone'> {
  readonly requestedAt: Date;
  readonly readyAt: Date | null;
  readonly expiresAt: Date;
  readonly messageCount: number;
  readonly leftOut: LeftOutMessage[];
  readonly zipSize: number | null;
}

function readZips({ store }: Pick<Parts, 'store'>, principal: Principal, which: Prisma.Sql): Promise<ZipRow[]> {
  const statement = sql`
    SELECT z.id, status, include, cover, requested_at AS "requestedAt", ready_at AS "readyAt", expires_at AS "expiresAt",
      bytes_done::float8 AS "bytesDone", files_size::float8 AS size, messages_done AS "messagesDone",
      content_size::float8 AS "zipSize", of.count AS "messageCount", of.left_out AS "leftOut"
    FROM zip_downloads z CROSS JOIN LATERAL (
      SELECT (count(*) FILTER (WHERE left_out IS NULL))::int AS count,
        coalesce(jsonb_agg(jsonb_build_object('id', message_id, 'reason', left_out) ORDER BY position)
          FILTER (WHERE left_out IS NOT NULL), '[]') AS left_out
      FROM zip_download_messages WHERE zip_id = z.id) AS of
    WHERE ${ofCaller(principal)} AND ${which} AND expires_at > now() ORDER BY z.id`;
  return store.query<ZipRow>(principal.municipality, statement, 'kept');
}

function describe({ requestedAt, readyAt, expiresAt, ...row }: ZipRow): ZipDownloadAnswer {
  const { status, bytesDone, size, messageCount, messagesDone } = row;
  const done = size === 0 ? messagesDone / messageCount : bytesDone / size;
  return {
    ...row,
    requestedAt: requestedAt.toISOString(),
    readyAt: readyAt?.toISOString() ?? null,
    expiresAt: expiresAt.toISOString(),
    messagesLeft: messageCount - messagesDone,
    percent: status === 'ready' ? 100 : Math.min(99, Math.floor(100 * (done || 0))),
  };
}
