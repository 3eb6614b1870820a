import { observe } from '@indbakke/shared/metrics';
import type { Parts } from '@indbakke/shared/service';

/**
 * Messages of all municipalities with files that are not scanned, also those that were let pass; read at each scrape. 0 while scanning
 * is off, since waiting files are open then.
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
