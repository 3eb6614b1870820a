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
  readonly scan: Extract<KeptScan, 'waiting' | 'passed'>;
}

/** A message with such files. */
export interface Scan extends ScanMessageData {
  readonly attempts: number;
  readonly files: readonly FileToScan[];
  readonly sealed: SealedRow;
}

const IS_TO_SCAN = sql`status = 'stored' AND scan IN ('waiting', 'passed')`;

/** @returns undefined when it is scanned, or due anew */
export async function readScan(store: Store, data: ScanMessageData): Promise<Scan | undefined> {
  const [row] = await store.query<Pick<Scan, 'attempts' | 'files'> & SealedRow & Record<string, unknown>>(
    data.municipality,
    sql`
      SELECT ${SEALED}, s.attempts,
        (SELECT coalesce(json_agg(json_build_object('id', f.id, 'scan', f.scan, 'status', f.status, 'containerIndex', f.container_index,
            'containerOffset', f.container_offset, 'size', f.size) ORDER BY f.position), '[]')
         FROM files f WHERE f.message_id = m.id AND ${IS_TO_SCAN}) AS files
      FROM message_scans s JOIN messages m ON m.id = s.message_id ${SEALED_TABLES}
      WHERE s.message_id = ${data.messageId}::uuid AND s.run = ${data.run}::int`,
    'kept',
  );
  return row && { ...data, attempts: row.attempts, files: row.files, sealed: row };
}

/**
 * Writes what the scan has said of every file, and ends it: one change of the message. Writes nothing when the run is over: the message
 * is deleted, or more files came.
 */
export async function storeVerdicts(
  store: Store,
  waiting: Scan,
  verdicts: ReadonlyMap<string, Verdict>,
): Promise<void> {
  const { municipality, messageId, files } = waiting;
  const found = [...verdicts].map(([id, { scan, finding }]) => ({ id, scan, finding }));
  await store.withTenantConnection(municipality, async (connection) => {
    if (!(await lock(connection, waiting))) return;
    await run(
      connection,
      sql`
        UPDATE files SET scan = found.scan, scan_finding = found.finding
        FROM jsonb_to_recordset(${JSON.stringify(found)}::jsonb) AS found (id uuid, scan text, finding text)
        WHERE files.id = found.id AND files.message_id = ${messageId}::uuid`,
    );
    await run(connection, sql`DELETE FROM message_scans WHERE message_id = ${messageId}::uuid`);
    const request = ownChange(waiting);
    if (found.length > 0) await writeChange(connection, request, 'files-scanned', { details: countsOf(verdicts) });
    // It may be in zips by now: let pass, or made while scanning was off.
    if (files.some(({ id }) => verdicts.get(id)?.scan !== 'clean')) {
      await removeFromZips(connection, municipality, messageId, request.at);
    }
  });
}

function countsOf(verdicts: ReadonlyMap<string, Verdict>): Record<string, number> {
  const counts = { clean: 0, infected: 0, unscannable: 0 };
  for (const { scan } of verdicts.values()) counts[scan] += 1;
  return counts;
}

/** Lets files be opened unscanned that wait for a scanner that is away. They are scanned when it is back. */
export async function letPass(store: Store, waiting: Scan, fault: string): Promise<void> {
  const { municipality, messageId } = waiting;
  await store.withTenantConnection(municipality, async (connection) => {
    if (!(await lock(connection, waiting))) return;
    const passed = await run(
      connection,
      sql`UPDATE files SET scan = 'passed' WHERE message_id = ${messageId}::uuid AND status = 'stored' AND scan = 'waiting' RETURNING 1`,
    );
    await postpone(connection, waiting, fault);
    if (passed.length > 0)
      await writeChange(connection, ownChange(waiting), 'files-let-pass', { details: { files: passed.length } });
  });
}

/** Notes why an attempt failed, and when the next is due. */
export async function noteFailure(store: Store, waiting: Scan, fault: string): Promise<void> {
  await store.withTenantConnection(waiting.municipality, (connection) => postpone(connection, waiting, fault));
}

// 5 s, 10 s, 20 s … up to a minute: held files are opened soon after the scanner is back.
const FIRST_RETRY_SECONDS = 5;
const LAST_RETRY_SECONDS = 60;

function postpone(connection: Connection, { messageId, run: n, attempts }: Scan, fault: string): Promise<unknown> {
  const seconds = Math.min(LAST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** Math.min(attempts, 10));
  return run(
    connection,
    sql`UPDATE message_scans SET attempts = attempts + 1, fault = ${fault}, next_enqueue_at = now() + make_interval(secs => ${seconds}::int)
      WHERE message_id = ${messageId}::uuid AND run = ${n}::int`,
  );
}

/** Locks the message, as every change of it does first. @returns whether it still waits for this run */
async function lock(connection: Connection, { messageId, run: n }: Scan): Promise<boolean> {
  await run(connection, sql`SELECT FROM messages WHERE id = ${messageId}::uuid FOR UPDATE`);
  const waiting = await run(
    connection,
    sql`SELECT FROM message_scans WHERE message_id = ${messageId}::uuid AND run = ${n}::int FOR UPDATE`,
  );
  return waiting.length > 0;
}

/** A change by Indbakke itself, at any version. */
function ownChange({ municipality, messageId }: Scan): ChangeRequest {
  return { principal: asSystem(municipality, INDBAKKE), id: messageId, expectedVersion: undefined, at: currentTime() };
}
