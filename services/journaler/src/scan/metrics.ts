import { observe } from '@indbakke/shared/metrics';
import type { Parts } from '@indbakke/shared/service';

/**
 * What waits for its scan, of all municipalities, asked for at each scrape; also what was let pass meanwhile. 0 while scanning is off:
 * what waited then is open.
 */
export function observeScans({ store, metrics, scanning }: Pick<Parts, 'store' | 'metrics' | 'scanning'>): void {
  const read = async (what: string) => {
    if (!scanning.isOn) return 0;
    const [row] = await store.sweep<{ value: number | null }>(`SELECT ${what}::float8 AS value FROM message_scans`);
    return row?.value ?? 0;
  };
  observe(metrics, 'scans_waiting', 'Messages with files that are still to be scanned for malware', [], () =>
    read('count(*)'),
  );
  observe(metrics, 'scan_waiting_seconds', 'Age of the oldest of them; 0 without any', [], () =>
    read('extract(epoch FROM now() - min(since))'),
  );
}
