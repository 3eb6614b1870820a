import type { Store } from '../store/index.js';

/** A table whose rows are made by jobs: when `next_enqueue_at` comes, the row is due. */
export interface Outbox {
  readonly table:
    | 'extracts'
    | 'access_packages'
    | 'zip_downloads'
    | 'file_fetches'
    | 'business_receipts'
    | 'onward_distributions'
    | 'message_scans';
  /** Its primary key. */
  readonly key?: 'id' | 'message_id';
  /** Which rows have work to do, as a condition. */
  readonly which: string;
  /** After so long, a job that has not done the work may be lost: the row is due again. */
  readonly overdueSeconds: number;
  /** What led to the row, as SQL: its column `trace`, or NULL where a clock did. */
  readonly trace: 'trace' | 'NULL';
}

/** A row that is due, and the n-th time that it is. A job of an older run has nothing to do. */
export interface DueRow {
  readonly id: string;
  readonly municipality: string;
  readonly run: number;
  readonly trace: string | null;
}

const BATCH = 100;

/** Takes rows that are due. Several processes may do so at once; each takes other rows. */
export function takeDue(
  { sweep }: Store,
  { table, key = 'id', which, overdueSeconds, trace }: Outbox,
  now: Date,
): Promise<DueRow[]> {
  return sweep<DueRow & Record<string, unknown>>(
    `UPDATE ${table} SET run = run + 1, next_enqueue_at = $1::timestamptz + make_interval(secs => $2)
     WHERE ${key} IN (
       SELECT ${key} FROM ${table} WHERE next_enqueue_at <= $1 AND ${which} ORDER BY next_enqueue_at LIMIT $3 FOR UPDATE SKIP LOCKED)
     RETURNING ${key} AS id, municipality, run, ${trace} AS trace`,
    [now, overdueSeconds, BATCH],
  );
}
