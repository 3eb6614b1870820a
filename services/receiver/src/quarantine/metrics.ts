import { observe } from '@indbakke/shared/metrics';
import type { Parts } from '@indbakke/shared/service';
import { Counter } from 'prom-client';

/** What became of a delivery that could not be read. */
export type Kept =
  | 'kept' // it has a new entry
  | 'again' // it has an entry from before
  | 'answer-accepted' // it has, and gets a receipt
  | 'over-quota' // it is only counted
  | 'incomplete' // it ended early, or was too large or too slow
  | 'failed'; // it could not be kept

/** Counts what came, and tells at each scrape what is there. */
export function createQuarantineMetrics({ store, metrics }: Pick<Parts, 'store' | 'metrics'>, loopAfter: number) {
  const registers = [metrics.registry];
  const help = 'What is in quarantine: entries, bytes, and loops, which are entries that came too often';
  observe(metrics, 'quarantine', help, ['what'], async () => {
    const sql = `SELECT count(*)::int AS entries, coalesce(sum(size) FILTER (WHERE key_id IS NOT NULL), 0)::float8 AS bytes,
        count(*) FILTER (WHERE status = 'kept' AND count >= $1)::int AS loops FROM quarantine_entries`;
    const [row] = await store.sweep<Record<string, number>>(sql, [loopAfter]);
    return Object.entries(row ?? {}).map(([what, count]) => [{ what }, count] as const);
  });
  const counters = {
    deliveries: new Counter<'outcome'>({
      name: 'indbakke_quarantined_total',
      help: 'Deliveries that could not be read: kept, again, answer-accepted, over-quota, incomplete, failed',
      labelNames: ['outcome'],
      registers,
    }),
    loops: new Counter({
      name: 'indbakke_quarantine_loops_total',
      help: 'Steps of resend loops: the same bytes, or the same id, were refused so often, and twice as often, and so on',
      registers,
    }),
  };
  // From 0 on, so that the first one is an increase.
  for (const outcome of ['kept', 'over-quota', 'failed']) counters.deliveries.inc({ outcome }, 0);
  return counters;
}
