import { asSystem } from '@indbakke/shared/access';
import { INDBAKKE } from '@indbakke/shared/audit';
import { currentTime } from '@indbakke/shared/clock';
import { type FilePlace, removeFromZips, SEALED, SEALED_TABLES, type SealedRow } from '@indbakke/shared/inbox';
import { type ChangeRequest, type KeptScan, writeChange } from '@indbakke/shared/lifecycle';
import { type Connection, Prisma, run, type Store } from '@indbakke/shared/store';
import type { ScanMessageData } from './scan-message.js';
import type { Verdict } from './verdict.js';

const { sql } = Prisma;

/** A file that is to be scanned. */
export interface FileToScan extends FilePlace {
  readonly id: string;
  readonly scan: Extract<KeptScan, 'waiting' | 'let-pass'>;
  /** How often the scanner has failed at it. */
  readonly attempts: number;
}

/** A message with such files. */
export interface Scan extends ScanMessageData {
  readonly messageId: string;
  /** How often it has failed, whatever the fault. */
  readonly attempts: number;
  /** First those that the scanner has not failed at. */
  readonly files: readonly FileToScan[];
  readonly sealed: SealedRow;
}

const IS_TO_SCAN = sql`status = 'stored' AND scan IN ('waiting', 'let-pass')`;

/** @returns undefined when it is scanned, or due anew */
export async function readScan(store: Store, data: ScanMessageData): Promise<Scan | undefined> {
  const [row] = await store.query<Pick<Scan, 'messageId' | 'attempts' | 'files'> & SealedRow & Record<string, unknown>>(
    data.municipality,
    sql`
      SELECT ${SEALED}, m.id AS "messageId", s.attempts,
        (SELECT coalesce(json_agg(json_build_object('id', f.id, 'scan', f.scan, 'attempts', f.scan_attempts, 'status', f.status, 'containerIndex', f.container_index,
            'containerOffset', f.container_offset, 'size', f.size) ORDER BY f.scan_attempts, f.position), '[]')
         FROM files f WHERE f.message_id = m.id AND ${IS_TO_SCAN}) AS files
      FROM message_scans s JOIN messages m ON m.id = s.message_id ${SEALED_TABLES}
      WHERE s.id = ${data.scanId}::uuid AND s.run = ${data.run}::int`,
    'kept',
  );
  return row && { ...data, messageId: row.messageId, attempts: row.attempts, files: row.files, sealed: row };
}

/**
 * Writes what the scan has said of a file: it is kept whatever becomes of the other files. After the last one of the run, the scan is
 * ended if nothing is left to scan.
 *
 * @returns whether this run goes on: not when the message is deleted, or another run is due
 */
export async function storeVerdict(
  store: Store,
  waiting: Scan,
  file: FileToScan,
  { scan, finding }: Verdict,
): Promise<boolean> {
  const { municipality, messageId } = waiting;
  return store.withTenantConnection(municipality, async (connection) => {
    if (!(await lock(connection, waiting))) return false;
    await run(
      connection,
      sql`UPDATE files SET scan = ${scan}, scan_finding = ${finding}::text
        WHERE id = ${file.id}::uuid AND message_id = ${messageId}::uuid AND ${IS_TO_SCAN}`,
    );
    // It may be in zips by now: let pass, or made while scanning was off.
    if (scan !== 'clean') {
      await removeFromZips(connection, municipality, messageId, currentTime());
    }
    if (file === waiting.files.at(-1)) await endIfScanned(connection, waiting);
    return true;
  });
}

/** Ends the scan of a message that has no file to scan. */
export async function endScan(store: Store, waiting: Scan): Promise<void> {
  await store.withTenantConnection(waiting.municipality, async (connection) => {
    if (await lock(connection, waiting)) await endIfScanned(connection, waiting);
  });
}

/** Ends the scan when nothing is left to scan, with the one change of the message that tells what was found, if there are files. */
async function endIfScanned(connection: Connection, waiting: Scan): Promise<void> {
  const files = await run<{ scan: KeptScan; count: number }>(
    connection,
    sql`SELECT scan, count(*)::int AS count FROM files
      WHERE message_id = ${waiting.messageId}::uuid AND status = 'stored' AND scan IS NOT NULL GROUP BY scan`,
  );
  const count = (scan: KeptScan) => files.find((each) => each.scan === scan)?.count ?? 0;
  if (count('waiting') > 0 || count('let-pass') > 0) return;
  await run(connection, sql`DELETE FROM message_scans WHERE id = ${waiting.scanId}::uuid`);
  if (files.length === 0) return;
  await writeChange(connection, ownChange(waiting), 'files-scanned', {
    details: { clean: count('clean'), infected: count('infected'), unscannable: count('unscannable') },
  });
}

/** Counts that the scanner failed at a file. @returns whether this run goes on, as above */
export async function countFailure(store: Store, waiting: Scan, file: FileToScan): Promise<boolean> {
  return store.withTenantConnection(waiting.municipality, async (connection) => {
    if (!(await lock(connection, waiting))) return false;
    await run(connection, sql`UPDATE files SET scan_attempts = scan_attempts + 1 WHERE id = ${file.id}::uuid`);
    return true;
  });
}

/** Lets files be opened unscanned that wait for a scanner that is away. They are scanned when it is back. */
export async function letPass(store: Store, waiting: Scan, fault: string, seconds: number): Promise<void> {
  const { municipality, messageId } = waiting;
  await store.withTenantConnection(municipality, async (connection) => {
    if (!(await lock(connection, waiting))) return;
    const opened = await run(
      connection,
      sql`UPDATE files SET scan = 'let-pass' WHERE message_id = ${messageId}::uuid AND status = 'stored' AND scan = 'waiting' RETURNING 1`,
    );
    await postpone(connection, waiting, sql`attempts = attempts + 1, fault = ${fault}`, seconds);
    if (opened.length > 0)
      await writeChange(connection, ownChange(waiting), 'files-let-pass', { details: { files: opened.length } });
  });
}

/** Notes why an attempt failed. @param seconds until the next */
export async function noteFailure(store: Store, waiting: Scan, fault: string, seconds: number): Promise<void> {
  await store.withTenantConnection(waiting.municipality, (connection) =>
    postpone(connection, waiting, sql`attempts = attempts + 1, fault = ${fault}`, seconds),
  );
}

/** The next run scans the files that are left, after those that are due before. */
export async function goOnLater(store: Store, waiting: Scan, seconds: number): Promise<void> {
  await store.withTenantConnection(waiting.municipality, (connection) =>
    postpone(connection, waiting, sql`fault = NULL`, seconds),
  );
}

function postpone(connection: Connection, { scanId, run: n }: Scan, set: Prisma.Sql, seconds: number) {
  return run(
    connection,
    sql`UPDATE message_scans SET ${set}, next_enqueue_at = now() + make_interval(secs => ${seconds}::int)
      WHERE id = ${scanId}::uuid AND run = ${n}::int`,
  );
}

/** Locks the message, as every change of it does first. @returns whether it still waits for this run */
async function lock(connection: Connection, { messageId, scanId, run: n }: Scan): Promise<boolean> {
  await run(connection, sql`SELECT FROM messages WHERE id = ${messageId}::uuid FOR UPDATE`);
  const waiting = await run(
    connection,
    sql`SELECT FROM message_scans WHERE id = ${scanId}::uuid AND run = ${n}::int FOR UPDATE`,
  );
  return waiting.length > 0;
}

/** A change by Indbakke itself, at any version. */
function ownChange({ municipality, messageId }: Scan): ChangeRequest {
  return { principal: asSystem(municipality, INDBAKKE), id: messageId, expectedVersion: undefined, at: currentTime() };
}
