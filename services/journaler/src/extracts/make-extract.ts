import { principalOf, type Rights, rightsOf, withinLimitsOf } from '@indbakke/shared/access';
import type { DocumentSummary, Schedule } from '@indbakke/shared/api';
import { INDBAKKE, insertAudit } from '@indbakke/shared/audit';
import { currentTime } from '@indbakke/shared/clock';
import { DAY, MINUTE, SECOND } from '@indbakke/shared/config';
import { announce } from '@indbakke/shared/crash-points';
import { writeSheet } from '@indbakke/shared/excel';
import { isAnyGone, lockMadeFiles, type Sealed, type SealedContent, sealContent } from '@indbakke/shared/inbox';
import type { JobContext, JobDefinition } from '@indbakke/shared/queue';
import { CommitInDoubt, newId, Prisma, run } from '@indbakke/shared/store';
import { sheetNameFor } from '@indbakke/shared/training';
import { z } from 'zod';
import type { JournalerConfig } from '../config.js';
import { COLUMNS, LIST_SHEET } from '../export/columns.js';
import { readPages } from '../export/read-pages.js';
import { auditOfList } from '../inbox/audit-list.js';
import { type ExtractParts, openSearch } from './extracts.js';
import { LAPSES_AFTER } from './owner.js';
import { nextDue } from './schedule.js';

const { sql } = Prisma;

const MakeExtractData = z.object({
  extractId: z.uuid(),
  municipality: z.string().regex(/^\d{8}$/),
  /** The n-th attempt to make a file of the extract, n of the job id. */
  run: z.int().min(1),
});
export type MakeExtractData = Readonly<z.infer<typeof MakeExtractData>>;

/**
 * Why it exists: a file takes seconds to make, and is due while nobody calls. The sweep enqueues it. The row in `extracts` is
 * the outbox: `next_run_at` is the due time, and moves on in the transaction that stores the file.
 */
export const MAKE_EXTRACT: JobDefinition<MakeExtractData> = {
  name: 'make-extract',
  data: MakeExtractData,
  idOf: ({ extractId, run }) => `${extractId}-${run}`,
  // 5 s + 10 s outlasts a restart of the database; after that the sweep takes over.
  attempts: 3,
  backoffMs: 5 * SECOND,
  // 10000 rows are 20 pages, of at most 15 s each.
  deadlineMs: 5 * MINUTE,
};

type Sealing = Pick<JournalerConfig, 'SMALL_CONTENT_BYTES'>;

// A file is for people to read; and of each message in it a row says so.
const MAX_ROWS = 10_000;

interface DueExtract extends Omit<SealedContent, 'blobName'>, Rights {
  readonly ownerKind: 'user' | 'system';
  readonly owner: string;
  readonly seenAt: Date;
  readonly schedule: { every: Schedule['every']; weekday: Schedule['weekday'] | null; at: string };
  readonly keepDays: number;
  readonly dueAt: Date;
}

/**
 * Makes the file of an extract that is due, with the rights that its owner was last seen with, and moves the extract on to its
 * next due time. Times that passed meanwhile are made up for by this one file. Returns quietly when another made it, or the
 * owner has not been seen for too long.
 */
export function createMakeExtractHandler(
  parts: ExtractParts,
  { SMALL_CONTENT_BYTES: smallBytes }: Sealing,
  maxRows = MAX_ROWS,
) {
  return async (data: MakeExtractData, { signal }: Pick<JobContext, 'signal'>): Promise<void> => {
    const now = currentTime();
    const extract = await readDue(parts, data, now);
    if (!extract) return;
    if (extract.seenAt.getTime() < now.getTime() - LAPSES_AFTER) {
      await parts.store.query(extract.municipality, moveOn(extract, now), 'kept');
      return;
    }
    await makeFile(parts, extract, { now, smallBytes, maxRows, signal });
  };
}

async function readDue(
  { store }: ExtractParts,
  { extractId, municipality, run: n }: MakeExtractData,
  now: Date,
): Promise<DueExtract | undefined> {
  const statement = sql`
    SELECT e.id, e.municipality, e.owner_kind AS "ownerKind", e.owner, e.container, e.content_size AS size, e.key_id AS "keyId",
      e.wrapped_key AS "wrappedKey", jsonb_build_object('every', e.every, 'weekday', e.weekday, 'at', e.at_time) AS schedule,
      e.keep_days AS "keepDays", e.next_run_at AS "dueAt", o.roles, o.teams, o.constraints, o.seen_at AS "seenAt"
    FROM extracts e JOIN extract_owners o USING (municipality, owner_kind, owner)
    WHERE e.id = ${extractId}::uuid AND e.municipality = ${municipality} AND e.run = ${n}::int AND e.next_run_at <= ${now}::timestamptz`;
  const [extract] = await store.query<DueExtract>(municipality, statement, 'kept');
  return extract;
}

async function makeFile(
  parts: ExtractParts,
  extract: DueExtract,
  { now, smallBytes, maxRows, signal }: { now: Date; smallBytes: number; maxRows: number; signal: AbortSignal },
): Promise<void> {
  const { municipality } = extract;
  const principal = principalOf(extract);
  const { filter, sort } = await openSearch(parts, extract);
  const id = newId();
  const messageIds: string[] = [];
  const withContent: string[] = [];
  let isTruncated = false;
  const name = await sheetNameFor(parts.store, municipality, LIST_SHEET);
  const seal = () => sealContent(parts, { id, municipality }, writeSheet(name, COLUMNS, readRows()), smallBytes);
  const sealed = await withinLimitsOf(principal, seal); // rows are read as they are sealed
  announce('extract-sealed');
  const audit = auditOfList(parts.keys, principal, { action: 'extract-made', at: now }, filter);
  const file = { id, messageIds, withContent, isTruncated, audit, rights: rightsOf(principal), ...sealed };
  let isStored = false;
  try {
    isStored = await storeFile(parts, extract, file, now);
    if (isStored) announce('extract-committed');
  } catch (error) {
    isStored = error instanceof CommitInDoubt;
    throw error;
  } finally {
    if (!isStored && 'blobName' in file.place) await parts.blobs.remove(file.place.blobName);
  }

  async function* readRows(): AsyncGenerator<DocumentSummary> {
    for await (const page of readPages(parts, principal, { ...filter, sort })) {
      signal.throwIfAborted();
      for (const document of page) {
        isTruncated = messageIds.length === maxRows;
        if (isTruncated) return;
        messageIds.push(document.id);
        if (document.contentRemovedAt === null) withContent.push(document.id);
        yield document;
      }
    }
  }
}

interface MadeFile extends Sealed {
  readonly id: string;
  readonly messageIds: readonly string[];
  /** Those whose rows are personal. */
  readonly withContent: readonly string[];
  readonly isTruncated: boolean;
  readonly audit: ReturnType<typeof auditOfList>;
  readonly rights: Rights;
}

/**
 * Stores the file, and moves the extract on.
 *
 * @returns whether it was stored: another may have made it, or the extract is deleted
 * @throws Error when one of its messages has been deleted meanwhile: it must be made again
 */
async function storeFile({ store }: ExtractParts, extract: DueExtract, file: MadeFile, now: Date): Promise<boolean> {
  const { id: extractId, municipality, dueAt, keepDays } = extract;
  const { id, messageIds, withContent, isTruncated, audit, rights, place, size, sha256, wrappedKey } = file;
  const [blobName, container] = 'bytes' in place ? [null, place.bytes] : [place.blobName, null];
  const ids = sql`${[...messageIds]}::uuid[]`;
  return store.withTenantConnection(municipality, async (connection) => {
    const isDue = sql`id = ${extractId}::uuid AND next_run_at = ${dueAt}::timestamptz`;
    const due = await run(connection, sql`SELECT FROM extracts WHERE ${isDue} FOR UPDATE`);
    if (due.length === 0) return false;
    await lockMadeFiles(connection, municipality, 'alone');
    if (await isAnyGone(connection, withContent))
      throw new Error('A message of the file was deleted while it was made.');
    const by = { ...audit.by, actor: { ...INDBAKKE, onBehalfOf: extract.owner } };
    const details = { ...audit.details, extractId, fileId: id, rows: messageIds.length };
    await run(
      connection,
      sql`
        WITH stored AS (
          INSERT INTO extract_files (id, extract_id, municipality, due_at, made_at, expires_at, row_count, is_truncated, roles,
            teams, constraints, content_size, sha256, blob_name, container, key_id, wrapped_key)
          VALUES (${id}::uuid, ${extractId}::uuid, ${municipality}, ${dueAt}::timestamptz, ${now}::timestamptz,
            ${new Date(now.getTime() + keepDays * DAY)}::timestamptz, ${messageIds.length}::int, ${isTruncated}::bool,
            ${[...rights.roles]}::text[], ${[...rights.teams]}::text[], ${JSON.stringify(rights.constraints)}::jsonb, ${size}::bigint, decode(${sha256}, 'hex'), ${blobName},
            ${container}::bytea, ${wrappedKey.keyId}, ${wrappedKey.wrapped})
          RETURNING 1
        ) ${insertAudit({ ...audit, by, details })} FROM stored`,
    );
    await run(
      connection,
      sql`
        INSERT INTO extract_file_messages (file_id, message_id, municipality)
        SELECT ${id}::uuid, message_id, ${municipality} FROM unnest(${ids}) AS message_id`,
    );
    await run(connection, moveOn(extract, now));
    return true;
  });
}

/** Moves an extract on from the due time that was read to the next one. */
function moveOn({ id, schedule, dueAt }: DueExtract, now: Date): Prisma.Sql {
  const next = nextDue({ ...schedule, weekday: schedule.weekday ?? undefined }, now);
  return sql`
    UPDATE extracts SET next_run_at = ${next}::timestamptz, next_enqueue_at = ${next}::timestamptz
    WHERE id = ${id}::uuid AND next_run_at = ${dueAt}::timestamptz`;
}
