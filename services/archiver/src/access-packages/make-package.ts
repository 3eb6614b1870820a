import type { Role } from '@indbakke/shared/access';
import { type Actor, type Doer, INDBAKKE, insertAudit, insertAuditOfEach } from '@indbakke/shared/audit';
import { currentTime } from '@indbakke/shared/clock';
import { HOUR, SECOND } from '@indbakke/shared/config';
import { announce } from '@indbakke/shared/crash-points';
import {
  isAnyClosed,
  isAnyGone,
  lockMadeFiles,
  type Sealed,
  type SealedContent,
  sealContent,
} from '@indbakke/shared/inbox';
import type { JobContext, JobDefinition } from '@indbakke/shared/queue';
import { CommitInDoubt, Prisma, run } from '@indbakke/shared/store';
import { z } from 'zod';
import type { ArchiverConfig } from '../config.js';
import { isContentFault, isHeldFault, requireSpace } from '../zip/made-zips.js';
import { findLetters } from './letters.js';
import { KEPT_FOR, openRequest, type PackageParts, REQUEST } from './packages.js';
import { writePackage } from './write-package.js';

const { sql } = Prisma;

const MakePackageData = z.object({
  packageId: z.uuid(),
  municipality: z.string().regex(/^\d{8}$/),
  /** The n-th attempt to make the package, n of the job id. */
  run: z.int().min(1),
});
export type MakePackageData = Readonly<z.infer<typeof MakePackageData>>;

/**
 * Why it exists: a package may have gigabytes, so nobody waits for it. The row in `access_packages` is the outbox: it is due
 * until its status is another. The sweep enqueues it.
 */
export const MAKE_PACKAGE: JobDefinition<MakePackageData> = {
  name: 'make-access-package',
  data: MakePackageData,
  idOf: ({ packageId, run }) => `${packageId}-${run}`,
  // 5 s + 10 s outlasts a restart of the database; after that the sweep takes over.
  attempts: 3,
  backoffMs: 5 * SECOND,
  // 100 GB from a slow disk.
  deadlineMs: HOUR,
};

/** Since the last message was put into a package; then its job may be lost. One message takes far less. */
export const OVERDUE_SECONDS = 600;

const ROLE: Role = 'Indbakke.Aktindsigt';

interface WaitingPackage extends Omit<SealedContent, 'blobName'> {
  readonly ownerKind: Actor['kind'];
  readonly owner: string;
  readonly onBehalfOf: string | null;
  readonly citizen: Buffer;
}

/** Makes an access package. Returns quietly when another made it, it was deleted, or this job is of an older run. */
export function createMakePackageHandler(
  parts: PackageParts,
  { SMALL_CONTENT_BYTES: smallBytes }: Pick<ArchiverConfig, 'SMALL_CONTENT_BYTES'>,
) {
  return async (data: MakePackageData, context: Pick<JobContext, 'attempt' | 'signal'>): Promise<void> => {
    const waiting = await readWaiting(parts, data);
    if (!waiting) return;
    try {
      await makePackage(parts, waiting, data, { ...context, smallBytes });
    } catch (error) {
      // It came while the package was made.
      if (isHeldFault(error)) return waitForScan(parts, data);
      // Not at once: it may be that a message was deleted while it was read, or that the content store is away.
      if (isContentFault(error) && context.attempt >= MAKE_PACKAGE.attempts) await giveUp(parts, data);
      throw error;
    }
  };
}

const isWaiting = ({ packageId, municipality, run: n }: MakePackageData) =>
  sql`id = ${packageId}::uuid AND municipality = ${municipality} AND run = ${n}::int AND status = 'waiting' AND expires_at > now()`;

async function readWaiting({ store }: PackageParts, data: MakePackageData): Promise<WaitingPackage | undefined> {
  const statement = sql`
    SELECT ${REQUEST}, owner_kind AS "ownerKind", owner, on_behalf_of AS "onBehalfOf", citizen FROM access_packages WHERE ${isWaiting(data)}`;
  const [waiting] = await store.query<WaitingPackage>(data.municipality, statement, 'kept');
  return waiting;
}

const actorOf = ({ ownerKind: kind, owner: id, onBehalfOf }: WaitingPackage): Actor => ({
  kind,
  id,
  onBehalfOf: onBehalfOf ?? undefined,
});

// A citizen gets everything, so a package waits for files that are not scanned yet.
const SCAN_SECONDS = 60;

async function waitForScan({ store }: PackageParts, data: MakePackageData): Promise<void> {
  await store.query(
    data.municipality,
    sql`UPDATE access_packages SET waits_for_scan = true, messages_done = 0, next_enqueue_at = now() + make_interval(secs => ${SCAN_SECONDS}::int)
      WHERE ${isWaiting(data)}`,
    'kept',
  );
}

async function giveUp({ store }: PackageParts, data: MakePackageData): Promise<void> {
  await store.query(
    data.municipality,
    sql`UPDATE access_packages SET status = 'failed' WHERE ${isWaiting(data)}`,
    'kept',
  );
}

async function makePackage(
  parts: PackageParts,
  waiting: WaitingPackage,
  data: MakePackageData,
  { signal, smallBytes }: Pick<JobContext, 'signal'> & { readonly smallBytes: number },
): Promise<void> {
  const { id, municipality } = waiting;
  const at = currentTime();
  const { citizen } = await openRequest(parts, waiting);
  const { letters, closed } = await findLetters(
    parts,
    { municipality: waiting.municipality, actor: actorOf(waiting) },
    citizen,
  );
  const packed = letters.filter(({ isGone, isScheduled }) => !isGone && !isScheduled);
  if (packed.some(({ isHeld }) => isHeld)) return waitForScan(parts, data);
  const messageCount = packed.length;
  await requireSpace(
    parts,
    packed.reduce((sum, { size }) => sum + size, 0),
    smallBytes,
  );
  const messageIds: string[] = [];
  const fileIds: string[] = [];
  const onLetter = async (messageId: string, itsFiles: readonly string[]) => {
    await noteProgress(parts, data, { done: messageIds.length, messageCount });
    messageIds.push(messageId);
    fileIds.push(...itsFiles);
  };
  const zip = writePackage(parts, { municipality, citizen, letters, closed, at, onLetter });
  const sealed = await sealContent(parts, { id, municipality }, until(signal, zip), smallBytes);
  announce('package-sealed');
  let isStored = false;
  try {
    isStored = await storePackage(parts, waiting, data, { ...sealed, messageIds, fileIds, at });
    if (isStored) announce('package-committed');
  } catch (error) {
    isStored = error instanceof CommitInDoubt;
    throw error;
  } finally {
    if (!isStored && 'blobName' in sealed.place) await parts.blobs.remove(sealed.place.blobName);
  }
}

async function* until(signal: AbortSignal, zip: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const bytes of zip) {
    signal.throwIfAborted();
    yield bytes;
  }
}

/** Shows the caller how far it is, and the sweep that somebody is at it. */
async function noteProgress(
  { store }: PackageParts,
  data: MakePackageData,
  { done, messageCount }: { done: number; messageCount: number },
): Promise<void> {
  const statement = sql`
    UPDATE access_packages SET messages_done = ${done}::int, message_count = ${messageCount}::int, waits_for_scan = false,
      next_enqueue_at = now() + make_interval(secs => ${OVERDUE_SECONDS}::int)
    WHERE ${isWaiting(data)}`;
  await store.query(data.municipality, statement, 'kept');
}

interface MadePackage extends Sealed {
  readonly messageIds: readonly string[];
  readonly fileIds: readonly string[];
  readonly at: Date;
}

/**
 * Stores the package, with an audit row for each message in it.
 *
 * @returns whether it was stored: another may have made it, or it is deleted
 * @throws Error when one of its messages has been deleted meanwhile, or one of its files found unsafe: it must be made again
 */
async function storePackage(
  { store, scanning }: PackageParts,
  { id, municipality, owner, onBehalfOf, citizen }: WaitingPackage,
  data: MakePackageData,
  { messageIds, fileIds, at, place, size, sha256, wrappedKey }: MadePackage,
): Promise<boolean> {
  const [blobName, container] = 'bytes' in place ? [null, place.bytes] : [place.blobName, null];
  const by: Doer = { municipality, actor: { ...INDBAKKE, onBehalfOf: onBehalfOf ?? owner }, role: ROLE };
  const details = { packageId: id };
  return store.withTenantConnection(municipality, async (connection) => {
    const found = await run(connection, sql`SELECT FROM access_packages WHERE ${isWaiting(data)} FOR UPDATE`);
    if (found.length === 0) return false;
    await lockMadeFiles(connection, municipality, 'alone');
    if (await isAnyGone(connection, messageIds))
      throw new Error('A message of the package was deleted while it was made.');
    if (await isAnyClosed(connection, scanning, fileIds))
      throw new Error('A file of the package was found unsafe while it was made.');
    await run(
      connection,
      sql`
        UPDATE access_packages SET status = 'made', made_at = ${at}::timestamptz,
          expires_at = ${new Date(at.getTime() + KEPT_FOR)}::timestamptz, messages_done = ${messageIds.length}::int,
          message_count = ${messageIds.length}::int, content_size = ${size}::bigint, sha256 = decode(${sha256}, 'hex'),
          blob_name = ${blobName}, container = ${container}::bytea, key_id = ${wrappedKey.keyId},
          wrapped_key = ${wrappedKey.wrapped}
        WHERE ${isWaiting(data)}`,
    );
    await run(
      connection,
      sql`
        INSERT INTO access_package_messages (package_id, message_id, municipality)
        SELECT ${id}::uuid, message_id, ${municipality} FROM unnest(${[...messageIds]}::uuid[]) AS message_id`,
    );
    const made = {
      by,
      at,
      action: 'package-made',
      citizen,
      details: { ...details, messages: messageIds.length },
    } as const;
    await run(connection, insertAudit(made));
    await run(connection, insertAuditOfEach({ by, at, action: 'read-package', details }, messageIds));
    return true;
  });
}
