import { MINUTE } from '../config/index.js';
import { announce } from '../crash-points/index.js';
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
  /** Which rows have work to do, as a condition. */
  readonly which: string;
  /** After so long, a job that has not done the work may be lost: the row is due again. */
  readonly overdueSeconds: number;
  /** What led to the row, as SQL: its column `trace`, or NULL where a clock did. */
  readonly trace: 'trace' | 'NULL';
  readonly job: JobDefinition<Data, string>;
  dataOf(row: TakenRow): Data;
}

/** A row whose job is to be enqueued, for the n-th time. A job of an older run has nothing to do. */
export interface TakenRow {
  readonly id: string;
  readonly municipality: string;
  readonly run: number;
  readonly trace: string | null;
}

const BATCH = 100;

// A taken row is due again after this, unless the queue has answered: the process that took it may have died. Longer than the queue takes to
// fail.
const LEASE = MINUTE;
/** The queue may be back then. */
const REFUSED_SECONDS = 10;

/** When a row taken at `now` becomes due again. */
export const leaseFrom = (now: Date) => new Date(now.getTime() + LEASE);

/**
 * Enqueues rows that are due, oldest first, up to a hundred. Several processes may do so at once; each takes other rows.
 *
 * @returns how many jobs the queue has accepted
 */
export async function enqueueDue<Data extends object>(
  parts: { readonly store: Store; readonly queues: Queues },
  outbox: Outbox<Data>,
  now: Date,
): Promise<number> {
  const taken = await takeDue(parts.store, outbox, now);
  if (taken.length === 0) return 0;
  announce('due-taken');
  return enqueueTaken(parts, outbox, taken, now);
}

function takeDue<Data extends object>(
  { sweep }: Store,
  { table, which, trace }: Outbox<Data>,
  now: Date,
): Promise<TakenRow[]> {
  return sweep<TakenRow & Record<string, unknown>>(
    `UPDATE ${table} SET run = run + 1, next_enqueue_at = $2
     WHERE id IN (
       SELECT id FROM ${table} WHERE next_enqueue_at <= $1 AND ${which} ORDER BY next_enqueue_at LIMIT $3 FOR UPDATE SKIP LOCKED)
     RETURNING id, municipality, run, ${trace} AS trace`,
    [now, leaseFrom(now), BATCH],
  );
}

/**
 * Enqueues rows that are taken: their `next_enqueue_at` is leaseFrom(now). A row whose job the queue accepts is due again after
 * `overdueSeconds`, any other one in ten seconds.
 *
 * @returns how many jobs it has accepted
 */
export async function enqueueTaken<Data extends object>(
  { store, queues }: { readonly store: Store; readonly queues: Queues },
  { table, overdueSeconds, job, dataOf }: Outbox<Data>,
  taken: readonly TakenRow[],
  now: Date,
): Promise<number> {
  const enqueue = async (row: TakenRow): Promise<boolean> => {
    const isAccepted = await queues.add(job, dataOf(row), row.trace);
    // Only while it is on this lease: a job that has run may have set its own time. Row by row: one statement for all would hold some
    // rows while it waits for another's lock.
    await store.sweep(
      `UPDATE ${table} SET next_enqueue_at = $1::timestamptz + make_interval(secs => $2) WHERE id = $3::uuid AND next_enqueue_at = $4`,
      [now, isAccepted ? overdueSeconds : REFUSED_SECONDS, row.id, leaseFrom(now)],
    );
    return isAccepted;
  };
  const accepted = await Promise.all(taken.map(enqueue));
  return accepted.filter(Boolean).length;
}
