import {
  ANCHOR_COLUMNS,
  type Anchor,
  anchorOf,
  CHAINED_COLUMNS,
  type ChainedRow,
  chainHash,
  isAuthentic,
  type PositionRange,
} from '@indbakke/shared/audit';
import { currentTime } from '@indbakke/shared/clock';
import { announce } from '@indbakke/shared/crash-points';
import type { Log } from '@indbakke/shared/log';
import { observe } from '@indbakke/shared/metrics';
import type { Parts } from '@indbakke/shared/service';

type Faults = Readonly<Record<'missing' | 'misplaced' | 'overdue', boolean>>;

const readFaults = async (store: Parts['store'], keepMonths: number) =>
  (await store.sweep<Faults>('SELECT * FROM audit_month_faults($1)', [keepMonths]))[0] as Faults;

/** The faults of the months as a metric, for an alarm. */
export function observeAuditMonths({ metrics, store }: Pick<Parts, 'metrics' | 'store'>, keepMonths: number): void {
  observe(
    metrics,
    'audit_month_faults',
    '1 = missing: the next month of the audit log has no partition; misplaced: rows are in no month; overdue: an old month could not be dropped',
    ['fault'],
    async () =>
      Object.entries(await readFaults(store, keepMonths)).map(([fault, is]) => [{ fault }, Number(is)] as const),
  );
}

/** Makes the months to come, and logs what is wrong with the months there are. */
export async function makeAuditMonths({ store, log }: Pick<Parts, 'store' | 'log'>, keepMonths: number): Promise<void> {
  try {
    await unlessBusy(log, () => store.sweep('SELECT make_audit_months()'));
  } finally {
    const faults = await readFaults(store, keepMonths);
    for (const [fault, is] of Object.entries(faults)) if (is) log.error('audit-month-fault', { fault });
  }
}

/** Drops the months that are older than is kept, each when its positions are anchored. */
export async function dropAuditMonths(parts: Pick<Parts, 'store' | 'keys' | 'log'>, keepMonths: number): Promise<void> {
  const { store, log } = parts;
  const old = await store.sweep<{ month: string }>('SELECT month FROM audit_months_before($1) AS month', [keepMonths]);
  // By our own clock too: who may write to the database may also change what it says.
  const now = currentTime();
  const first = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - keepMonths)).toISOString().slice(0, 7);
  const isThere = async (month: string) =>
    (await store.sweep('SELECT FROM audit_months_before($1) AS month WHERE month = $2', [keepMonths, month])).length >
    0;
  for (const { month } of old.filter((one) => one.month < first)) {
    if (!(await anchorAuditMonth(parts, month))) {
      // Another process may have dropped it meanwhile.
      if (!(await isThere(month))) continue;
      log.error('audit-month-fault', { fault: 'forged', month });
      continue;
    }
    announce('audit-month-anchored');
    await unlessBusy(log, async () => {
      const [row] = await store.sweep<{ dropped: boolean }>('SELECT drop_audit_month($1) AS dropped', [month]);
      if (row?.dropped) log.warn('audit-month-dropped', { month });
    });
  }
}

const LOCK_NOT_AVAILABLE = '55P03';

/** While the log is read for long, as by verifying it, no month is made or dropped: the next sweep tries again. */
async function unlessBusy(log: Log, run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if ((error as { code?: unknown }).code !== LOCK_NOT_AVAILABLE) throw error;
    log.warn('audit-month-busy');
  }
}

// Rows of a month may be numbered after some of the next one: so it has ranges of positions, mostly one of each municipality.
// A row that was numbered after the anchors of its month gets another.
const UNANCHORED = `
  WITH unanchored AS MATERIALIZED (
    SELECT municipality, position, position - row_number() OVER (PARTITION BY municipality ORDER BY position) AS run
    FROM audit_events e
    WHERE at >= audit_month_begin($1, 0) AND at < audit_month_begin($1, 1) AND position IS NOT NULL AND NOT EXISTS (
      SELECT FROM audit_anchors a WHERE a.municipality = e.municipality AND a.month = $1
        AND e.position BETWEEN a.first_position AND a.last_position)
  ), ranges AS (
    SELECT municipality, min(position) AS first, max(position) AS last FROM unanchored GROUP BY municipality, run
  )
  SELECT municipality, first, last, hash AS "lastHash"
  FROM ranges JOIN audit_events USING (municipality)
  WHERE position = last AND at >= audit_month_begin($1, 0) AND at < audit_month_begin($1, 1)`;

/**
 * Anchors the positions of a month, so that the chain still verifies when the month is dropped. To do it again changes nothing:
 * a process may have died before the drop.
 *
 * @param month `2026-11`
 * @returns whether all anchors of the month are ours; no new ones are made for rows that are not as they were chained
 */
export async function anchorAuditMonth(
  { store, keys }: Pick<Parts, 'store' | 'keys'>,
  month: string,
): Promise<boolean> {
  const ranges = await store.sweep<PositionRange>(UNANCHORED, [month]);
  for (const range of ranges) if (!(await isChained({ store, keys }, range, month))) return false;
  const anchors = ranges.map((range) => anchorOf(keys, range, month));
  const column = <Key extends keyof Anchor>(key: Key) => anchors.map((anchor) => anchor[key]);
  await store.sweep(
    `INSERT INTO audit_anchors (municipality, first_position, last_position, last_hash, seal, month)
     SELECT *, $6 FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bytea[])
     ON CONFLICT DO NOTHING`,
    [column('municipality'), column('first'), column('last'), column('lastHash'), column('seal'), month],
  );
  const there = await store.sweep<Anchor>(`SELECT ${ANCHOR_COLUMNS} FROM audit_anchors WHERE month = $1`, [month]);
  return there.every((anchor) => isAuthentic(keys, anchor));
}

const BATCH = 10_000;

/**
 * Whether the rows of a range are as they were chained. An anchor vouches for them when they have gone: so it must not be made
 * for a row that someone moved into the month to be rid of it.
 */
async function isChained(
  { store, keys }: Pick<Parts, 'store' | 'keys'>,
  { municipality, first, last }: PositionRange,
  month: string,
): Promise<boolean> {
  const [before] = await store.sweep<{ hash: Buffer }>(
    `SELECT hash FROM audit_events WHERE municipality = $1 AND position = $2::bigint - 1
     UNION ALL SELECT last_hash FROM audit_anchors WHERE municipality = $1 AND last_position = $2::bigint - 1`,
    [municipality, first],
  );
  let previous = before?.hash ?? null;
  for (let position = BigInt(first); position <= BigInt(last); ) {
    const rows = await store.sweep<ChainedRow & { hash: Buffer | null }>(
      `SELECT ${CHAINED_COLUMNS.join(', ')}, position, hash FROM audit_events
       WHERE municipality = $1 AND position BETWEEN $2 AND $3 AND at >= audit_month_begin($4, 0) AND at < audit_month_begin($4, 1)
       ORDER BY position LIMIT ${BATCH}`,
      [municipality, String(position), last, month],
    );
    if (rows.length === 0) return false;
    for (const row of rows) {
      const hash = chainHash(keys, previous, { ...row, position });
      if (!row.hash?.equals(hash)) return false;
      previous = hash;
      position += 1n;
    }
  }
  return true;
}
