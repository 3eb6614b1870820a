import type pg from 'pg';
import { median } from '../measure.js';
import type { Cost } from './operations.js';

/** Copies of the sweeps' statements, which cannot be called from outside the services. */
const SWEEPS: readonly [file: string, statement: string][] = [
  [
    'services/journaler/src/suggestion/sweep.ts',
    `UPDATE messages SET suggestion_run = suggestion_run + 1, next_enqueue_at = now()
     WHERE id IN (
       SELECT id FROM messages
       WHERE suggestion_run_at IS NULL AND status = 'pending' AND next_enqueue_at <= now()
       ORDER BY next_enqueue_at LIMIT 500 FOR UPDATE SKIP LOCKED)
     RETURNING id, municipality, suggestion_run`,
  ],
  [
    'services/receiver/src/intake/sweep-orphans.ts',
    `SELECT blob_name FROM messages WHERE blob_name = ANY (ARRAY(SELECT md5(n::text) FROM generate_series(1, 500) AS n))`,
  ],
  [
    'shared/src/inbox/remove-content.ts',
    `SELECT blob_name FROM content_removals WHERE requested_at < now() - interval '10 seconds' ORDER BY requested_at LIMIT 100`,
  ],
  [
    'services/archiver/src/deletion/destroy-due.ts',
    `SELECT id, municipality FROM messages WHERE deletion_due_at <= now() ORDER BY random() LIMIT 100`,
  ],
];

/** The cost of one round of all sweeps with nothing to do. */
export async function costOfSweeps(client: pg.Client, times: number): Promise<Cost> {
  let [milliseconds, blocks] = [0, 0];
  await client.query('BEGIN; SET LOCAL ROLE indbakke_worker');
  for (const [, statement] of SWEEPS) {
    const runs = [];
    for (let time = 0; time < times; time += 1) runs.push(await explain(client, statement));
    milliseconds += median(runs.map((run) => run['Execution Time']));
    blocks += median(runs.map(({ Plan: plan }) => plan['Shared Hit Blocks'] + plan['Shared Read Blocks']));
  }
  await client.query('ROLLBACK');
  return { milliseconds, cpu: Number.NaN, blocks };
}

interface Explained {
  readonly 'Execution Time': number;
  readonly Plan: { readonly 'Shared Hit Blocks': number; readonly 'Shared Read Blocks': number };
}

async function explain(client: pg.Client, statement: string): Promise<Explained> {
  const { rows } = await client.query<{ 'QUERY PLAN': [Explained] }>(
    `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${statement}`,
  );
  const [explained] = rows[0]?.['QUERY PLAN'] ?? [];
  if (!explained) throw new Error('PostgreSQL explained nothing.');
  return explained;
}
