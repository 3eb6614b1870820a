import { observe } from '@indbakke/shared/metrics';
import type { Parts } from '@indbakke/shared/service';

/** What waits for its scan, of all municipalities, asked for at each scrape; also what was let pass meanwhile. */
export function observeScans({ store, metrics }: Pick<Parts, 'store' | 'metrics'>): void {
  observe(metrics, 'scans_waiting', 'Messages with files that are still to be scanned for malware', [], async () => {
    const [row] = await store.sweep<{ count: number }>('SELECT count(*)::int AS count FROM message_scans');
    return row?.count ?? 0;
  });
  observe(metrics, 'scan_waiting_seconds', 'Age of the oldest of them; 0 without any', [], async () => {
    const [row] = await store.sweep<{ seconds: number | null }>(
      'SELECT extract(epoch FROM now() - min(since))::float8 AS seconds FROM message_scans',
    );
    return row?.seconds ?? 0;
  });
}
