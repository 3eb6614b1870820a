import { anchorOf, type PositionRange } from '@indbakke/shared/audit';
import type { Parts } from '@indbakke/shared/service';
import { Gauge } from 'prom-client';

/** What is wrong with the months of the log. */
interface Faults {
  /** The next month has no partition. */
  readonly missing: boolean;
  /** Rows are in the partition of no month. */
  readonly misplaced: boolean;
}

const readFaults = async (store: Parts['store']) =>
  (await store.sweep<Faults>('SELECT * FROM audit_month_faults()'))[0] as Faults;

/** The faults of the months as a metric, for an alarm. */
export function observeAuditMonths({ metrics, store }: Pick<Parts, 'metrics' | 'store'>): void {
  new Gauge({
    name: 'indbakke_audit_month_faults',
    help: '1 = missing: the next month of the audit log has no partition; misplaced: rows are in that of no month',
    labelNames: ['fault'],
    registers: [metrics.registry],
    async collect() {
      const faults = await readFaults(store).catch(() => undefined);
      for (const [fault, is] of Object.entries(faults ?? {})) this.set({ fault }, Number(is));
    },
  });
}

/** Makes the months to come, logs what is wrong, and drops the months that are older than is kept. */
export async function keepAuditMonths(parts: Pick<Parts, 'store' | 'keys' | 'log'>, keepMonths: number): Promise<void> {
  const { store, log } = parts;
  await store.sweep('SELECT make_audit_months()');
  for (const [fault, is] of Object.entries(await readFaults(store))) if (is) log.error('audit-months', { fault });
  const old = await store.sweep<{ month: string }>('SELECT month FROM audit_months_before($1) AS month', [keepMonths]);
  for (const { month } of old) {
    await anchorAuditMonth(parts, month);
    await store.sweep('SELECT drop_audit_month($1)', [month]);
    log.warn('audit-month-dropped', { month });
  }
}

/**
 * Anchors the positions of a month, so that the chain still verifies when the month is dropped. To do it again changes nothing:
 * a process may have died before the drop.
 *
 * @param month `2026-11`
 */
export async function anchorAuditMonth({ store, keys }: Pick<Parts, 'store' | 'keys'>, month: string): Promise<void> {
  // Rows of a month may be numbered after some of the next one: so it has ranges of positions, mostly one.
  const ranges = await store.sweep<PositionRange>(
    `SELECT municipality, min(position) AS first, max(position) AS last,
       (array_agg(hash ORDER BY position DESC))[1] AS "lastHash"
     FROM (
       SELECT municipality, position, hash, position - row_number() OVER (PARTITION BY municipality ORDER BY position) AS run
       FROM audit_events
       WHERE at >= audit_month_begin($1, 0) AND at < audit_month_begin($1, 1) AND position IS NOT NULL) AS numbered
     GROUP BY municipality, run`,
    [month],
  );
  const anchors = ranges.map((range) => anchorOf(keys, range, month));
  const column = <Key extends keyof (typeof anchors)[number]>(key: Key) => anchors.map((anchor) => anchor[key]);
  await store.sweep(
    `INSERT INTO audit_anchors (municipality, first_position, last_position, last_hash, seal, month)
     SELECT *, $6 FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bytea[])
     ON CONFLICT DO NOTHING`,
    [column('municipality'), column('first'), column('last'), column('lastHash'), column('seal'), month],
  );
}
