import { setTimeout as pause } from 'node:timers/promises';
import { INDBAKKE, INSTALLATION } from '../audit/index.js';
import { currentTime } from '../clock/index.js';
import { announce } from '../crash-points/index.js';
import type { withMaintenance } from '../store/index.js';

type Connection = Parameters<Parameters<typeof withMaintenance>[1]>[0];

/** What a scrub did. */
export interface Scrubbed {
  readonly tables: number;
  readonly rows: number;
  readonly seconds: number;
  /** Segments of the write-ahead log that were filled with zeros besides those removed; undefined = the owner of the tables may not do it. */
  readonly walSegments: number | undefined;
  /** Tables that are left for the next scrub. */
  readonly left: number;
}

export interface ScrubOptions {
  /** Asked before each step; what is left then, the next scrub does. */
  readonly mayGoOn: () => boolean;
  readonly onProgress?: (progress: Progress) => void;
}

/** Of a table; of pg_wal in segments of the write-ahead log. */
export interface Progress {
  readonly table: string;
  readonly rows: number;
  /** PostgreSQL's estimate of all rows. */
  readonly of: number;
  readonly seconds: number;
  readonly done: boolean;
}

/** Names the write-ahead log among the tables that are due. */
const WAL = 'pg_wal';

/**
 * Removes from the database's files and its write-ahead log what deleted rows have left there, while everything goes on: each table
 * that rows were deleted from is written anew (migration …_scrub says how). An interrupted scrub is finished by the next one.
 *
 * @returns undefined when nothing was deleted, or another scrub runs
 */
export async function scrub(connection: Connection, options: ScrubOptions): Promise<Scrubbed | undefined> {
  const isAlone = await one<boolean>(connection, `SELECT pg_try_advisory_lock(hashtext('scrub'))`);
  if (!isAlone) return undefined;
  try {
    const due = await readDue(connection);
    return due.length === 0 ? undefined : await scrubTables(connection, due, options);
  } finally {
    // If it fails, the connection is broken, and its lock gone.
    await connection.query(`SELECT pg_advisory_unlock(hashtext('scrub'))`).catch(() => {});
  }
}

/** The row of the audit log of a scrub. */
export const scrubAudit = ({ walSegments, ...done }: Scrubbed) => ({
  by: { municipality: INSTALLATION, actor: INDBAKKE },
  at: currentTime(),
  action: 'scrubbed' as const,
  details: { ...done, walCleared: walSegments !== undefined },
});

async function scrubTables(connection: Connection, due: readonly Due[], options: ScrubOptions): Promise<Scrubbed> {
  const began = performance.now();
  // First what was interrupted: rows may have been deleted after they were copied there, so that it is due again.
  const order = [...due.filter(({ isBegun }) => isBegun), ...due.filter(({ isBegun }) => !isBegun)];
  let [tables, rows, left] = [0, 0, 0];
  for (const { name } of order) {
    if (name === WAL) continue;
    const written = await rewrite(connection, name, options);
    if (written === undefined) left += 1;
    else tables += 1;
    rows += written ?? 0;
  }
  const walSegments = await clearWal(connection, options);
  return { tables, rows, seconds: secondsSince(began), walSegments, left };
}

interface Due {
  readonly name: string;
  readonly isBegun: boolean;
}

const readDue = async (connection: Connection) =>
  (await connection.query<Due>('SELECT name, is_begun AS "isBegun" FROM scrub_due()')).rows;

// Whoever commits while a segment is filled waits: after each there is time for them.
const BETWEEN_SEGMENTS_MS = 500;

/** @returns how many kept segments were filled with zeros, or undefined when it may not be done */
async function clearWal(connection: Connection, { onProgress = () => {} }: ScrubOptions): Promise<number | undefined> {
  const began = performance.now();
  const report = (rows: number, of: number, done: boolean) =>
    onProgress({ table: WAL, rows, of, seconds: secondsSince(began), done });
  report(0, 0, false);
  const kept = await one<number | null>(connection, 'SELECT scrub_begin_wal()');
  if (kept === null) return undefined;
  for (let filled = 0; filled <= kept && kept > 0; filled += 1) {
    report(filled, kept, false);
    await connection.query('SELECT scrub_fill_wal()');
    await pause(BETWEEN_SEGMENTS_MS);
  }
  await connection.query('SELECT scrub_end_wal()');
  report(kept, kept, true);
  return kept;
}

/** Writes a table anew. @returns how many rows it has, or undefined when there was no time to end it */
async function rewrite(
  connection: Connection,
  table: string,
  { mayGoOn, onProgress = () => {} }: ScrubOptions,
): Promise<number | undefined> {
  const began = performance.now();
  const steps = { connection, mayGoOn };
  const of = await one<number>(
    connection,
    `SELECT greatest(reltuples, 0)::float8 FROM pg_class WHERE oid = format('public.%I', $1::text)::regclass`,
    [table],
  );
  const report = (rows: number, done: boolean) => onProgress({ table, rows, of, seconds: secondsSince(began), done });

  if (!(await step(steps, 'SELECT scrub_begin($1)', [table]))) return undefined;
  announce('scrub-begun');
  if (!(await copyAll(steps, table, report))) return undefined;
  if (!(await step(steps, 'SELECT scrub_swap($1)', [table]))) return undefined;
  announce('scrub-swapped');
  const rows = Number(await one<string>(connection, 'SELECT scrub_end($1)', [table]));
  announce('scrub-rewritten');
  report(rows, true);
  return rows;
}

// A caseworker who changes a message waits for the batch that has it.
const BATCH_MS = 100;
const [FIRST_BATCH, LARGEST_BATCH] = [200, 20_000];

/** Copies in batches that take about BATCH_MS. @returns whether all are copied */
async function copyAll(steps: Steps, table: string, report: (rows: number, done: boolean) => void): Promise<boolean> {
  for (let size = FIRST_BATCH; ; ) {
    const began = performance.now();
    const batch = await step<{ done: boolean; copied: string }>(steps, 'SELECT * FROM scrub_copy($1, $2)', [
      table,
      size,
    ]);
    if (!batch) return false;
    announce('scrub-copied');
    if (batch.done) return true;
    report(Number(batch.copied), false);
    const took = performance.now() - began;
    size = Math.round(Math.min(LARGEST_BATCH, Math.max(1, size * Math.min(2, Math.max(0.5, BATCH_MS / took)))));
  }
}

interface Steps {
  readonly connection: Connection;
  readonly mayGoOn: () => boolean;
}

// PostgreSQL 18, appendix A: a lock was not had in time, or would have been a deadlock.
const BUSY = new Set(['55P03', '40P01']);
const TRY_AGAIN_MS = 1_000;

/** A step in a transaction of its own, until it gets its locks. @returns undefined when there is no more time */
async function step<Row extends object>(
  { connection, mayGoOn }: Steps,
  statement: string,
  values: unknown[],
): Promise<Row | undefined> {
  while (mayGoOn()) {
    try {
      return (await connection.query(statement, values)).rows[0] as Row;
    } catch (error) {
      if (!BUSY.has((error as { code?: string }).code ?? '')) throw error;
      await pause(TRY_AGAIN_MS);
    }
  }
  return undefined;
}

async function one<T>(connection: Connection, statement: string, values: unknown[] = []): Promise<T> {
  const { rows } = await connection.query({ text: statement, values, rowMode: 'array' });
  return (rows as unknown as T[][])[0]?.[0] as T;
}

const secondsSince = (began: number) => Math.round((performance.now() - began) / 100) / 10;
