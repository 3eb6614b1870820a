import type { Store } from '../store/index.js';
import type { JobDefinition } from './job.js';
import type { Queues } from './queues.js';

/** A table whose rows are made by jobs: when `next_enqueue_at` comes, the row is due. */
export interface Outbox<Data extends object> {
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
  readonly job: JobDefinition<Data, string>;
  dataOf(row: DueRow): Data;
}

/** A row that is due, and the n-th time that it is. A job of an older run has nothing to do. */
export interface DueRow {
  readonly id: string;
  readonly municipality: string;
  readonly run: number;
  readonly trace: string | null;
}

const BATCH = 100;
/** The queue may be back then. */
const REFUSED_SECONDS = 10;

/**
 * Enqueues rows that are due. Those that the queue does not accept are due again soon; those of a process that dies here, when a lost
 * job would be. Several processes may do so at once; each takes other rows.
 *
 * @returns how many were due
 */
export async function enqueueDue<Data extends object>(
  { store, queues }: { readonly store: Store; readonly queues: Queues },
  outbox: Outbox<Data>,
  now: Date,
): Promise<number> {
  const due = await takeDue(store, outbox, now);
  const add = async (row: DueRow) => ((await queues.add(outbox.job, outbox.dataOf(row), row.trace)) ? [] : [row.id]);
  void Promise.all(due.map(add))
    .then((refused) => makeDueAgain(store, outbox, now, refused.flat()))
    .catch(() => {}); // the database is away: they are due when a lost job would be
  return due.length;
}

function takeDue<Data extends object>(
  { sweep }: Store,
  { table, key = 'id', which, overdueSeconds, trace }: Outbox<Data>,
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

/** But for rows that are due at another time since: their jobs were accepted after all, or somebody asked anew. */
async function makeDueAgain<Data extends object>(
  { sweep }: Store,
  { table, key = 'id', overdueSeconds }: Outbox<Data>,
  now: Date,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  await sweep(
    `UPDATE ${table} SET next_enqueue_at = $1::timestamptz + make_interval(secs => $4)
     WHERE ${key} = ANY ($3::uuid[]) AND next_enqueue_at = $1::timestamptz + make_interval(secs => $2)`,
    [now, overdueSeconds, ids, REFUSED_SECONDS],
  );
}
