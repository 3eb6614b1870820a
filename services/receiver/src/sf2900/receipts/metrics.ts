import { observe } from '@indbakke/shared/metrics';
import type { Parts } from '@indbakke/shared/service';

const UNSENT = `business_receipts WHERE status IN ('waiting', 'sending')`;

/** Business receipts that are not sent, asked for at each scrape. */
export function observeReceipts({ store, metrics }: Pick<Parts, 'store' | 'metrics'>): void {
  observe(
    metrics,
    'business_receipts_waiting',
    'Business receipts that are to be sent, or are being sent, of all municipalities',
    [],
    async () => {
      const [row] = await store.sweep<{ count: number }>(`SELECT count(*)::int AS count FROM ${UNSENT}`);
      return row?.count ?? 0;
    },
  );
  observe(
    metrics,
    'business_receipt_waiting_seconds',
    'Age of the oldest of them, since what it tells was decided; 0 without any',
    [],
    async () => {
      const [row] = await store.sweep<{ seconds: number | null }>(
        `SELECT extract(epoch FROM now() - min(at))::float8 AS seconds FROM ${UNSENT}`,
      );
      return row?.seconds ?? 0;
    },
  );
}
